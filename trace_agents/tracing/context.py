"""The one ContextVar: which episode is being recorded here, and what belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from trace_agents.graph import Graph, Values, merge


class Recorder(Protocol):
    """What is kept for one episode: it becomes a graph, and lines of a trace file."""

    @property
    def filename(self) -> str:
        """The file in a run's folder that `lines` belong to, such as `spans.jsonl`."""
        ...

    def graph(self, trace: Trace) -> Graph:
        """Return what was recorded so far as a graph."""
        ...

    def lines(self) -> Iterable[str]:
        """Return what was recorded as lines of text for the trace file."""
        ...


R = TypeVar("R", bound=Recorder)


@dataclass(slots=True, eq=False)
class Trace:
    """The recording of one episode, pinned to one version of the parameters for its whole life.

    Nothing in it is shared with another episode; when the episode is over and nobody holds the
    trace, all of it is freed.
    """

    episode: str = ""
    version: int = 0
    values: Values = field(default_factory=dict[str, object])
    """The pinned value of every parameter, by name."""
    kept: bool = True
    """Whether anybody will read the recording; where not, adapters bind and record nothing."""
    read: set[str] = field(default_factory=set[str])
    """Names of the parameters that the episode has read."""
    tokens: int = 0
    """Tokens that the episode's model calls reported, in and out."""
    usd: float = 0.0
    """What the episode's model calls cost, as far as their price is known."""
    _recorders: dict[type, Recorder] = field(default_factory=dict[type, Recorder])
    _names: dict[str, int] = field(default_factory=dict[str, int])

    def value_of(self, name: str, default: object = None) -> object:
        """Return the pinned value of a parameter and note that it was read."""
        self.read.add(name)
        return self.values.get(name, default)

    def spend(self, *, tokens: int = 0, usd: float = 0.0) -> None:
        """Add what a model call used; the budget settles with it when the episode ends."""
        self.tokens += tokens
        self.usd += usd

    def unique(self, label: str) -> str:
        """Return `label` with a number that makes it unique in this episode: `add0`, `add1`."""
        count = self._names.get(label, 0)
        self._names[label] = count + 1
        return f"{label}{count}"

    def recorder(self, kind: type[R], make: Callable[[], R]) -> R:
        """Return this episode's recorder of a kind, made at the first call."""
        found = self._recorders.get(kind)
        if not isinstance(found, kind):
            found = self._recorders[kind] = make()
        return found

    @property
    def recorders(self) -> tuple[Recorder, ...]:
        """What the adapters keep for this episode."""
        return tuple(self._recorders.values())

    def graph(self) -> Graph:
        """Return everything that was recorded as one immutable graph."""
        graphs = [recorder.graph(self) for recorder in self.recorders]
        return merge(graphs, self.episode, self.version)


_current: ContextVar[Trace | None] = ContextVar("trace_agents_trace", default=None)


def current_trace() -> Trace | None:
    """Return the recording that this task or thread belongs to, if any."""
    return _current.get()


@contextmanager
def recording(trace: Trace) -> Generator[Trace]:
    """Make `trace` the current recording of this context; what was current before comes back."""
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


@contextmanager
def stop_tracing() -> Generator[None]:
    """Record nothing in this context until the end of the block; it nests."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)
