"""Nodes: values that remember what they came from."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

from trace_agents.errors import ForeignNode, TraceAgentsError, TraceMissingInputsError
from trace_agents.graph import Graph, Kind, Reason
from trace_agents.propagate import TraceGraph, backward
from trace_agents.tracing.context import Trace, current_trace
from trace_agents.tracing.operators import Operators
from trace_agents.tracing.plain import ancestors, to_graph
from trace_agents.tracing.recorder import nodes_of


@dataclass(slots=True)
class Body:
    """The bundled operation whose body runs here: which nodes it was given, which it read."""

    given: frozenset[int]
    external: dict[str, Node] = field(default_factory=dict[str, "Node"])
    allow_external: bool = False


_body: ContextVar[Body | None] = ContextVar("trace_agents_body", default=None)


def current_body() -> Body | None:
    """Return the bundled operation that runs in this context, if any."""
    return _body.get()


@contextmanager
def running(body: Body) -> Generator[Body]:
    """Run the body of a bundled operation: what it calls is plain Python, not recorded."""
    token = _body.set(body)
    try:
        yield body
    finally:
        _body.reset(token)


class Node(Operators):
    """A value, and the nodes and operation that it came from. Immutable once recorded.

    A node has the truth, length and iteration of its value; it is equal only to itself (compare
    values with `.eq`), and so it can be a key.
    """

    __slots__ = ("__weakref__", "_data", "_feedback", "_inputs", "_name", "_trace", "description")
    kind = Kind.INPUT
    reason = Reason.DECLARED
    """Why an operation that was given this node depends on it."""

    def __init__(
        self,
        data: object,
        *,
        name: str = "",
        description: str = "",
        inputs: Mapping[str, Node] | None = None,
    ) -> None:
        trace = current_trace()
        self._data = data
        self._inputs = dict(inputs) if inputs else {}
        self._trace = trace
        self._feedback: list[TraceGraph] = []
        self._name = name
        self.description = description
        if trace is not None:
            self._name = trace.unique(name)
            self._refuse_foreign(trace)
            nodes_of(trace).nodes.append(self)

    @property
    def data(self) -> Any:
        """The value. Reading it inside a bundled operation that was not given it raises."""
        body = current_body()
        if body is not None and id(self) not in body.given:
            self._read_from_outside(body)
        return self._data

    @property
    def raw(self) -> object:
        """The value as it is kept; unlike `data`, this is no reading of it."""
        return self._data

    @property
    def name(self) -> str:
        """The name; unique within its episode."""
        return self._name

    @property
    def parents(self) -> tuple[Node, ...]:
        """The nodes that the value came from."""
        return tuple(self._inputs.values())

    @property
    def inputs(self) -> Mapping[str, Node]:
        """The nodes that the value came from, by argument name."""
        return dict(self._inputs)

    @property
    def is_root(self) -> bool:
        """Whether nothing led to this node."""
        return not self._inputs

    @property
    def feedback(self) -> tuple[TraceGraph, ...]:
        """What `backward` brought to this node since the last `zero_feedback`."""
        return tuple(self._feedback)

    def graph(self) -> Graph:
        """Return everything this node came from, and the node as output, as plain data."""
        return to_graph([self])

    def backward(self, feedback: str) -> TraceGraph:
        """Send feedback to the parameters that this node came from; return their subgraph."""
        ids: dict[int, str] = {}
        graph = to_graph([self], ids)
        subgraph = backward(graph, {ids[id(self)]: feedback})
        for node in ancestors([self]):
            node._receive(subgraph)
        return subgraph

    def zero_feedback(self) -> None:
        """Forget the feedback that this node received."""
        self._feedback.clear()

    def use(self) -> Node:
        """Return the node that a recording points to: of a parameter, its use here and now."""
        return self

    def detach(self) -> Node:
        """Return a node with the same value that came from nothing."""
        return Node(self._data, name=self._label, description=self.description)

    def _operate(
        self, name: str, function: Callable[..., object], text: str, /, **inputs: object
    ) -> Node:
        values = [value.data if isinstance(value, Node) else value for value in inputs.values()]
        result = function(*values)
        if current_body() is not None:  # the body of a bundled operation is plain Python
            return cast("Node", result)
        parents = {key: value.use() for key, value in inputs.items() if isinstance(value, Node)}
        return MessageNode(result, name=name, description=text, inputs=parents)

    def _receive(self, subgraph: TraceGraph) -> None:
        """Keep what `backward` brought, where this node keeps feedback."""

    @property
    def _label(self) -> str:
        return self._name.rstrip("0123456789") or "node"

    def _read_from_outside(self, body: Body) -> None:
        if not body.allow_external:
            raise TraceMissingInputsError(
                f"a bundled operation read the node {self.name!r} that it was not given; "
                "pass the node as an argument or set allow_external_dependencies=True"
            )
        body.external[self.name or f"external{len(body.external)}"] = self

    def _refuse_foreign(self, trace: Trace) -> None:
        for parent in self._inputs.values():
            if parent._trace is not None and parent._trace is not trace:
                raise ForeignNode(
                    f"{parent.name!r} was recorded in episode {parent._trace.episode!r} and used "
                    f"in episode {trace.episode!r}; pass its .data instead"
                )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name or '-'}: {self._data!r}>"


class MessageNode(Node):
    """What an operation returned."""

    __slots__ = ()
    kind = Kind.OPERATION


class ExceptionNode(Node):
    """What an operation raised: its text is the value, and it can be given feedback."""

    __slots__ = ("exception",)
    kind = Kind.EXCEPTION

    def __init__(
        self, exception: BaseException, *, name: str, inputs: Mapping[str, Node] | None = None
    ) -> None:
        self.exception = exception
        super().__init__(_describe(exception), name=name, inputs=inputs)


def _describe(exception: BaseException) -> str:
    if isinstance(exception, TraceAgentsError):  # its sentence says where
        return f"{type(exception).__name__}: {exception}"
    frames = traceback.extract_tb(exception.__traceback__)
    where = f" at line {frames[-1].lineno}: {frames[-1].line}" if frames else ""
    return f"{type(exception).__name__}: {exception}{where}"
