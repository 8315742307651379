"""The budget: what is reserved before work starts and settled when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trace_agents.errors import BudgetExhausted


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run may use, over agents, gate and optimizer together; None is no limit."""

    episodes: int | None = None
    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None

    @property
    def limited(self) -> bool:
        """Whether there is any limit at all."""
        return any(
            limit is not None for limit in (self.episodes, self.tokens, self.usd, self.seconds)
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """An amount of each thing that a budget limits."""

    episodes: int = 0
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True, eq=False)
class Reservation:
    """A part of the budget that is held until it is settled or released, once."""

    ledger: Ledger = field(repr=False)
    episodes: int
    tokens: int
    usd: float
    open: bool = True

    def settle(self, *, episodes: int | None = None, tokens: int = 0, usd: float = 0.0) -> None:
        """Replace what was held by what was used; a second call does nothing."""
        if self.open:
            self.open = False
            used = self.episodes if episodes is None else episodes
            self.ledger.book(self, Spent(used, tokens, usd))

    def release(self) -> None:
        """Give everything back; after `settle` it does nothing."""
        self.settle(episodes=0)


class Ledger:
    """What is spent and reserved of one budget.

    `spent + reserved` stays within the limits as long as nobody settles more than was reserved.
    Nobody knows beforehand what an episode's model calls cost, so `reserve_episodes` holds as
    much as the dearest episode so far; a run can pass its token or dollar limit by what the
    episodes under way cost more than that, and starts nothing afterwards.
    """

    def __init__(self, budget: Budget | None = None, clock: Callable[[], float] = time.monotonic):
        self.budget = budget or Budget()
        self._clock = clock
        self._began = clock()
        self._episodes = self._tokens = 0
        self._usd = 0.0
        self._dearest = Spent()
        self._held: dict[int, Reservation] = {}

    @property
    def spent(self) -> Spent:
        """What was settled, and the seconds since the ledger was made."""
        return Spent(self._episodes, self._tokens, self._usd, self._clock() - self._began)

    @property
    def reserved(self) -> Spent:
        """What is held right now."""
        held = self._held.values()
        return Spent(
            sum(r.episodes for r in held), sum(r.tokens for r in held), sum(r.usd for r in held)
        )

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the time is over; None without a limit."""
        limit = self.budget.seconds
        return None if limit is None else max(0.0, limit - self.spent.seconds)

    def reserve(self, episodes: int = 1, tokens: int = 0, usd: float = 0.0) -> Reservation:
        """Return a held part of the budget.

        Raises:
            BudgetExhausted: it would pass a limit; nothing is held.
            ValueError: a negative amount.
        """
        if min(episodes, tokens, usd) < 0:
            raise ValueError("a reservation cannot be negative")
        self._refuse_over(Spent(episodes, tokens, usd))
        reservation = Reservation(self, episodes, tokens, usd)
        self._held[id(reservation)] = reservation
        return reservation

    def reserve_episodes(self, count: int) -> list[Reservation]:
        """Return `count` reservations of one episode each, or hold none.

        Raises:
            BudgetExhausted: not all of them fit.
        """
        held: list[Reservation] = []
        try:
            for _ in range(count):
                held.append(self.reserve(1, self._dearest.tokens, self._dearest.usd))  # noqa: PERF401 - what is held when one fails must be known
        except BudgetExhausted:
            for reservation in held:
                reservation.release()
            raise
        return held

    def book(self, reservation: Reservation, used: Spent) -> None:
        """Count what a reservation used; `Reservation.settle` calls it."""
        del self._held[id(reservation)]
        self._episodes += used.episodes
        self._tokens += used.tokens
        self._usd += used.usd
        if used.episodes == 1:
            self._dearest = Spent(
                tokens=max(self._dearest.tokens, used.tokens),
                usd=max(self._dearest.usd, used.usd),
            )

    def _refuse_over(self, more: Spent) -> None:
        spent, held, limits = self.spent, self.reserved, self.budget
        _refuse("episodes", spent.episodes + held.episodes, more.episodes, limits.episodes)
        for name, used, wanted, limit in (
            ("tokens", spent.tokens + held.tokens, more.tokens, limits.tokens),
            ("US dollars", spent.usd + held.usd, more.usd, limits.usd),
        ):
            _refuse(name, used, wanted, limit)
            if limit is not None and used >= limit > 0:
                raise BudgetExhausted(_over(name, limit, used))
        if self.seconds_left == 0.0:
            raise BudgetExhausted(_over("seconds", limits.seconds or 0, spent.seconds))


def _refuse(name: str, used: float, wanted: float, limit: float | None) -> None:
    if limit is not None and used + wanted > limit:
        raise BudgetExhausted(_over(name, limit, used))


def _over(name: str, limit: float, used: float) -> str:
    left = max(0.0, limit - used)
    return f"of the budget of {limit:g} {name}, {left:g} are left; raise the limit to go on"
