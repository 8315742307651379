"""The budget: what is reserved before work starts and settled when it ends."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Real

from trace_agents.errors import BudgetExhausted, InvalidValue


@dataclass(frozen=True, slots=True)
class Spent:
    """An amount of each thing that a budget limits."""

    episodes: int = 0
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    calls: int = 0
    """Model calls: requests that were made, each retry too."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run may use, over agents, gate and optimizer together; None is no limit."""

    episodes: int | None = None
    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None
    estimate: Spent | None = None
    """Tokens, dollars and model calls that one episode takes at most. Without it a run with a
    limit of one of them begins with one episode alone, and learns the price from that."""
    calls: int | None = None
    """Model calls: requests that are made, each retry too; an answer from a cache is none."""

    def __post_init__(self) -> None:
        for name in ("episodes", "tokens", "usd", "seconds", "calls"):
            limit: object = getattr(self, name)
            if limit is not None and not (isinstance(limit, Real) and float(limit) >= 0):
                raise InvalidValue(f"the budget of {name} must be 0 or more, got {limit!r}")

    @property
    def limited(self) -> bool:
        """Whether there is any limit at all."""
        return self.metered or self.episodes is not None or self.seconds is not None

    @property
    def metered(self) -> bool:
        """Whether something is limited of which nobody knows before what an episode takes."""
        return any(limit is not None for limit in (self.tokens, self.usd, self.calls))


@dataclass(slots=True, eq=False)
class Reservation:
    """A part of the budget that is held until it is settled or released, once."""

    ledger: Ledger = field(repr=False)
    episodes: int
    tokens: int
    usd: float
    open: bool = True
    calls: int = 0

    def use(self, *, tokens: int, usd: float, calls: int = 0) -> bool:
        """Hold at least what was used so far; False where that passes a limit."""
        return not self.open or self.ledger.grow(self, tokens, usd, calls)

    def settle(
        self, *, episodes: int | None = None, tokens: int = 0, usd: float = 0.0, calls: int = 0
    ) -> None:
        """Replace what was held by what was used; a second call does nothing."""
        if self.open:
            self.open = False
            used = self.episodes if episodes is None else episodes
            self.ledger.book(self, Spent(used, tokens, usd, calls=calls))

    def release(self) -> None:
        """Give everything back; after `settle` it does nothing."""
        self.settle(episodes=0)


class Ledger:
    """What is spent and reserved of one budget; it may be asked from any thread.

    `spent + reserved` stays within the limits as long as nobody settles more than was reserved.
    What an episode's model calls cost is known only when they are made: every episode holds as
    much as the dearest so far or the budget's estimate, and while neither is known, the first
    one holds all that is left and runs alone. An episode that costs more than it holds takes the
    difference from what is free; it is stopped after the call that passed the limit.

    Args:
        budget: the limits.
        clock: seconds, from anywhere on.
        spent: what an earlier part of the run used.
        price: what the dearest episode of that part cost.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        spent: Spent | None = None,
        price: Spent | None = None,
    ) -> None:
        before = spent or Spent()
        self.budget = budget or Budget()
        self._clock = clock
        self._began = clock() - before.seconds
        self._episodes, self._tokens, self._usd = before.episodes, before.tokens, before.usd
        self._calls = before.calls
        known = price or self.budget.estimate
        self._dearest = known or Spent()
        self._priced = known is not None
        self._held_episodes, self._held_tokens, self._held_calls = 0, 0, 0
        # exact, so that what was added and taken away again leaves nothing
        self._held_usd = Fraction(0)
        self._lock = threading.RLock()

    @property
    def spent(self) -> Spent:
        """What was settled, and the seconds since the ledger was made."""
        seconds = self._clock() - self._began
        return Spent(self._episodes, self._tokens, self._usd, seconds, self._calls)

    @property
    def reserved(self) -> Spent:
        """What is held right now."""
        with self._lock:
            usd = float(self._held_usd)
            return Spent(self._held_episodes, self._held_tokens, usd, calls=self._held_calls)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the time is over; None without a limit."""
        limit = self.budget.seconds
        return None if limit is None else max(0.0, limit - self.spent.seconds)

    @property
    def unpriced(self) -> bool:
        """Whether tokens, dollars or calls are limited and nobody knows what an episode takes."""
        return not self._priced and self.budget.metered

    @property
    def over(self) -> bool:
        """Whether what is spent and reserved has passed the limit of tokens, dollars or calls."""
        limits = self.budget
        if not limits.metered:
            return False
        with self._lock:
            spent, held = self.spent, self.reserved
            return not (
                _within(limits.tokens, spent.tokens + held.tokens)
                and _within(limits.usd, spent.usd + held.usd)
                and _within(limits.calls, spent.calls + held.calls)
            )

    def reserve(
        self, episodes: int = 1, tokens: int = 0, usd: float = 0.0, calls: int = 0
    ) -> Reservation:
        """Return a held part of the budget.

        Raises:
            BudgetExhausted: it would pass a limit; nothing is held.
            ValueError: a negative amount.
        """
        if min(episodes, tokens, usd, calls) < 0:
            raise ValueError("a reservation cannot be negative")
        with self._lock:
            self._refuse_over(Spent(episodes, tokens, usd, calls=calls))
            self._hold(episodes, tokens, usd, calls)
        return Reservation(self, episodes, tokens, usd, calls=calls)

    def reserve_rest(self, episodes: int, part: float = 1.0) -> Reservation:
        """Return a reservation of a part of the tokens, dollars and calls that are free.

        Raises:
            BudgetExhausted: nothing is free; nothing is held.
        """
        with self._lock:
            spent, held, limits = self.spent, self.reserved, self.budget
            tokens = _free(limits.tokens, spent.tokens + held.tokens) * part
            # a hair less, so that adding it up again cannot round to more than the limit
            usd = _free(limits.usd, spent.usd + held.usd) * part * (1 - 1e-12)
            # at least one, where one is free: who reserves is about to make it
            calls = math.ceil(_free(limits.calls, spent.calls + held.calls) * part)
            return self.reserve(episodes, int(tokens), usd, calls)

    def reserve_episodes(self, count: int) -> list[Reservation]:
        """Return `count` reservations of one episode each, or hold none.

        While the price of an episode is unknown one of them takes all that is left.

        Raises:
            BudgetExhausted: not all of them fit.
        """
        if self.unpriced and count == 1:
            return [self.reserve_rest(1)]
        if self.unpriced and count > 1:
            raise BudgetExhausted(
                f"{count} episodes at once, of which nobody knows the price, could pass the "
                "limit; run one first, or give the budget an estimate"
            )
        held: list[Reservation] = []
        most = self._dearest
        try:
            for _ in range(count):
                held.append(self.reserve(1, most.tokens, most.usd, most.calls))  # noqa: PERF401 - what is held when one fails must be known
        except BudgetExhausted:
            for reservation in held:
                reservation.release()
            raise
        return held

    def book(self, reservation: Reservation, used: Spent) -> None:
        """Count what a reservation used; `Reservation.settle` calls it."""
        with self._lock:
            self._hold(
                -reservation.episodes, -reservation.tokens, -reservation.usd, -reservation.calls
            )
            self._episodes += used.episodes
            self._tokens += used.tokens
            self._usd += used.usd
            self._calls += used.calls
            if reservation.episodes == 1:
                self._priced = self._priced or self._tells(used)
                self._dearest = dearer(self._dearest, used)

    def grow(self, reservation: Reservation, tokens: int, usd: float, calls: int = 0) -> bool:
        """Hold at least this much; `Reservation.use` calls it."""
        if not math.isfinite(usd):
            return False
        with self._lock:
            more = calls > reservation.calls
            if tokens <= reservation.tokens and usd <= reservation.usd and not more:
                return True
            self._hold(0, -reservation.tokens, -reservation.usd, -reservation.calls)
            reservation.tokens = max(reservation.tokens, tokens)
            reservation.usd = max(reservation.usd, usd)
            reservation.calls = max(reservation.calls, calls)
            self._hold(0, reservation.tokens, reservation.usd, reservation.calls)
            return not self.over

    def take_price(self) -> None:
        """Believe what the episodes so far have cost, even if it is nothing."""
        self._priced = True

    def _tells(self, used: Spent) -> bool:
        """Tell whether an episode says what others will cost."""
        limits = self.budget
        if limits.tokens is None and limits.usd is None:
            return used.calls > 0
        return used.tokens > 0 or used.usd > 0

    def _hold(self, episodes: int, tokens: int, usd: float, calls: int) -> None:
        self._held_episodes += episodes
        self._held_tokens += tokens
        self._held_calls += calls
        if usd:
            self._held_usd += Fraction(usd)

    def _refuse_over(self, more: Spent) -> None:
        spent, held, limits = self.spent, self.reserved, self.budget
        _refuse("episodes", spent.episodes + held.episodes, more.episodes, limits.episodes)
        for name, used, wanted, limit in (
            ("tokens", spent.tokens + held.tokens, more.tokens, limits.tokens),
            ("US dollars", spent.usd + held.usd, more.usd, limits.usd),
            ("model calls", spent.calls + held.calls, more.calls, limits.calls),
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


def dearer(one: Spent, other: Spent) -> Spent:
    """Return the higher of the tokens, of the dollars and of the calls of both."""
    return Spent(
        tokens=max(one.tokens, other.tokens),
        usd=max(one.usd, other.usd),
        calls=max(one.calls, other.calls),
    )


def _free(limit: float | None, used: float) -> float:
    return 0.0 if limit is None else max(0.0, limit - used)


def _within(limit: float | None, used: float) -> bool:
    # adding up in another order may round a sum that fits exactly to a hair more
    return limit is None or used <= limit * (1 + 1e-9)
