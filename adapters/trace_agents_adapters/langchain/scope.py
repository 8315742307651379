"""What is known during one run: the templates that were filled in, and the open calls."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from opentelemetry.trace import SpanContext

from trace_agents_adapters.boundary import Filled
from trace_agents_adapters.langchain.callers import Place

_MOST = 10_000
"""Filled-in templates that one run remembers; the oldest are forgotten."""


@dataclass(slots=True, eq=False)
class Run:
    """One run of a workflow."""

    open: dict[object, Callable[[], None]] = field(default_factory=dict[object, Callable[[], None]])
    """What ends the spans of calls that are under way, or were left."""
    filled: dict[str, Filled] = field(default_factory=dict[str, Filled])
    turnings: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """By a graph's node: the nodes after which it was decided whether it comes next."""
    decided: dict[tuple[str, str], tuple[int, SpanContext]] = field(
        default_factory=dict[tuple[str, str], tuple[int, SpanContext]]
    )
    """By run and node of a graph: the step of its latest model call, and the call."""

    def called(self, place: Place | None, call: SpanContext) -> None:
        """Note which call a node of a graph made."""
        if place is not None and call.is_valid:
            self.decided[place.level, place.node] = place.step, call

    def cause_of(self, place: Place | None) -> SpanContext | None:
        """Return the call of the step before that decided that a node comes next, if one did."""
        if place is None:
            return None
        for node in sorted(self.turnings.get(place.node, ())):
            step, call = self.decided.get((place.level, node), (None, None))
            if step == place.step - 1:
                return call
        return None

    def remember(self, text: str, template: str, fields: Mapping[str, object]) -> None:
        """Note which template made `text`."""
        if len(self.filled) >= _MOST:
            self.filled.pop(next(iter(self.filled)), None)
        self.filled[text] = Filled(template, dict(fields))


_run: ContextVar[Run | None] = ContextVar("trace_agents_langchain_run", default=None)


@contextmanager
def run_scope(turnings: Mapping[str, frozenset[str]]) -> Generator[Run]:
    """Open a run; the calls that are open at its end are ended."""
    before, run = _run.get(), Run(turnings=turnings)
    _run.set(run)
    try:
        yield run
    finally:
        for end in list(run.open.values()):
            end()
        # not reset(token): a scope may be closed by another task than the one that opened it
        _run.set(before)


def current_run() -> Run | None:
    """Return the run that this context belongs to."""
    return _run.get()


@contextmanager
def open_in(run: Run, end: Callable[[], None]) -> Generator[None]:
    """Have `end` called if the run is over before this block is."""
    key = object()
    run.open[key] = end
    try:
        yield
    finally:
        run.open.pop(key, None)
