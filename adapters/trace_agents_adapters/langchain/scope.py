"""What is known during one run: the templates that were filled in, and the open calls."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from trace_agents_adapters.boundary import Filled

_MOST = 10_000
"""Filled-in templates that one run remembers; the oldest are forgotten."""


@dataclass(slots=True, eq=False)
class Run:
    """One run of a workflow."""

    open: dict[object, Callable[[], None]] = field(default_factory=dict[object, Callable[[], None]])
    """What ends the spans of calls that are under way, or were left."""
    filled: dict[str, Filled] = field(default_factory=dict[str, Filled])

    def remember(self, text: str, template: str, fields: Mapping[str, object]) -> None:
        """Note which template made `text`."""
        if len(self.filled) >= _MOST:
            self.filled.pop(next(iter(self.filled)), None)
        self.filled[text] = Filled(template, dict(fields))


_run: ContextVar[Run | None] = ContextVar("trace_agents_langchain_run", default=None)


@contextmanager
def run_scope() -> Generator[Run]:
    """Open a run; the calls that are open at its end are ended."""
    before, run = _run.get(), Run()
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
