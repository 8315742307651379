"""The meter of one episode: it holds what was spent, and stops what passes the budget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from trace_agents.tracing.context import Trace
from trace_agents.training.budgets.budget import Reservation


@dataclass(slots=True)
class Meter:
    """Adds up what an episode and its guide spend, while they spend it."""

    reservation: Reservation
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    """What runs in it is cancelled when the budget is passed."""
    over: bool = False
    tokens: int = 0
    usd: float = 0.0
    calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: int = field(default_factory=threading.get_ident)

    def spend(self, tokens: int, usd: float, calls: int) -> None:
        """Count what model calls used."""
        with self._lock:
            self.tokens += tokens
            self.usd += usd
            self.calls += calls
            fits = self.reservation.use(tokens=self.tokens, usd=self.usd, calls=self.calls)
        if not fits:
            self.over = True
            # a scope belongs to its loop's thread; from another one the next call there stops it
            if threading.get_ident() == self._thread:
                self.scope.cancel()


def _nowhere(_tokens: int, _usd: float, _calls: int) -> None:
    return


@dataclass(slots=True, eq=False)
class MeteredTrace(Trace):
    """The recording of an episode whose spending is metered as it happens."""

    on_spend: Callable[[int, float, int], None] = _nowhere

    def spend(self, *, tokens: int = 0, usd: float = 0.0, calls: int = 0) -> None:
        """Add what model calls used, here and at the meter."""
        # not super(): a dataclass with slots is another class than the one that is defined here
        Trace.spend(self, tokens=tokens, usd=usd, calls=calls)
        self.on_spend(tokens, usd, calls)
