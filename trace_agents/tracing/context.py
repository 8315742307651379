"""The one ContextVar: which episode is being recorded here, and what belongs to it."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from trace_agents.graph import Graph, Values, merge

if TYPE_CHECKING:
    from trace_agents.propagate import TraceGraph
    from trace_agents.tracing.nodes import Node
    from trace_agents.tracing.parameters import ParameterNode, ParameterUse


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
class Mark:
    """What the nodes of one recording know of it; it does not hold the recording."""

    episode: str = ""
    version: int | None = None
    scope: weakref.ref[Scope] | None = None
    """Where feedback about the nodes is kept, for as long as somebody holds the recording."""
    body: bool = False
    """Whether it is the inside of a traceable function, not an episode."""


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """Feedback that was sent back in a recording."""

    subgraph: TraceGraph
    reached: frozenset[Node] | set[Node]
    """The nodes on its way."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Scope:
    """The nodes of one recording: an episode's, or those of one traceable function's body."""

    mark: Mark
    nodes: list[Node] = field(default_factory=list["Node"])
    uses: dict[ParameterNode, ParameterUse] = field(
        default_factory=dict["ParameterNode", "ParameterUse"]
    )
    """Each parameter that was read, as this recording sees it."""
    received: list[Sent] = field(default_factory=list[Sent])
    """What `backward` brought."""
    zeroed: dict[ParameterNode, int] = field(default_factory=dict["ParameterNode", int])
    """How many of `received` each parameter has forgotten."""
    allow_external: bool = False
    external: dict[str, Node] = field(default_factory=dict[str, "Node"])
    """Nodes from outside that a traceable body was allowed to read."""
    counts: dict[str, Iterator[int]] = field(default_factory=dict[str, Iterator[int]])

    def __post_init__(self) -> None:
        self.mark.scope = weakref.ref(self)

    def number(self, label: str) -> int:
        """Return how many nodes of that label there were before; safe across threads."""
        count = self.counts.get(label)
        if count is None:
            count = self.counts.setdefault(label, itertools.count())
        return next(count)


@dataclass(slots=True)
class Usage:
    """What an episode's model calls used."""

    tokens: int = 0
    usd: float = 0.0
    calls: int = 0


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
    usage: Usage = field(default_factory=Usage)
    """What the episode's model calls reported, and how many there were."""
    scope: Scope = field(init=False)
    """The nodes that `node` and `bundle` recorded."""
    _recorders: dict[type, Recorder] = field(default_factory=dict[type, Recorder])

    def __post_init__(self) -> None:
        self.scope = Scope(Mark(self.episode, self.version))

    @property
    def tokens(self) -> int:
        """Tokens that the episode's model calls reported, in and out."""
        return self.usage.tokens

    @property
    def usd(self) -> float:
        """What the episode's model calls cost, as far as their price is known."""
        return self.usage.usd

    @property
    def calls(self) -> int:
        """How many model calls the episode has made."""
        return self.usage.calls

    def value_of(self, name: str, default: object = None) -> object:
        """Return the pinned value of a parameter and note that it was read."""
        self.read.add(name)
        return self.values.get(name, default)

    def spend(self, *, tokens: int = 0, usd: float = 0.0, calls: int = 0) -> None:
        """Add what model calls used; the budget settles with it when the episode ends."""
        self.usage.tokens += tokens
        self.usage.usd += usd
        self.usage.calls += calls

    def silent(self) -> Trace:
        """Return the same episode, unrecorded: its version stays pinned and its spending counts."""
        unrecorded = replace(self, kept=False)
        unrecorded.scope = self.scope
        return unrecorded

    def inside(self, *, allow_external: bool) -> Trace:
        """Return the same episode with a recording of its own for the body of one operation."""
        inner = replace(self)
        mark = Mark(self.episode, self.version, body=True)
        inner.scope = Scope(mark, allow_external=allow_external)
        return inner

    def recorder(self, kind: type[R], make: Callable[[], R]) -> R:
        """Return this episode's recorder of a kind, made at the first call."""
        found = self._recorders.get(kind)
        if found is None:
            found = self._recorders.setdefault(kind, make())
        if not isinstance(found, kind):
            raise TypeError(f"expected a {kind.__name__}, found a {type(found).__name__}")
        return found

    @property
    def recorders(self) -> tuple[Recorder, ...]:
        """What the adapters keep for this episode."""
        return tuple(self._recorders.values())

    def graph(self) -> Graph:
        """Return everything that was recorded as one immutable graph."""
        graphs = [recorder.graph(self) for recorder in self.recorders]
        return merge(graphs, self.episode, self.version)


current: ContextVar[Trace | None] = ContextVar("trace_agents_trace", default=None)
"""The one variable; everybody but this package reads it through `current_trace`."""


def current_trace() -> Trace | None:
    """Return the recording that this task or thread belongs to, if any."""
    return current.get()


@contextmanager
def recording(trace: Trace) -> Generator[Trace]:
    """Make `trace` the current recording of this context; what was current before comes back."""
    token = current.set(trace)
    try:
        yield trace
    finally:
        current.reset(token)


@contextmanager
def stop_tracing() -> Generator[None]:
    """Record nothing in this context until the end of the block; it nests.

    What runs inside computes as before, with the parameters of its episode's version; results
    are nodes that came from nothing. Other tasks and threads go on recording.
    """
    trace = current.get() or Trace()
    token = current.set(trace.silent())
    try:
        yield
    finally:
        current.reset(token)
