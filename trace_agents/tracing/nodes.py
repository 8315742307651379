"""Nodes: values that remember what they came from."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from trace_agents.errors import (
    ForeignNode,
    InvalidValue,
    TraceAgentsError,
    TraceMissingInputsError,
)
from trace_agents.graph import (
    Edge,
    Graph,
    GraphNode,
    Kind,
    Parameter,
    Reason,
    ValueType,
    type_of,
)
from trace_agents.propagate import TraceGraph, backward
from trace_agents.serialize import dump_graph
from trace_agents.tracing.context import Trace, current_trace
from trace_agents.tracing.operators import Operators

if TYPE_CHECKING:
    from collections.abc import Iterator


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
def running(body: Body) -> Iterator[Body]:
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
            _nodes_of(trace).nodes.append(self)

    @property
    def data(self) -> Any:
        """The value. Reading it inside a bundled operation that was not given it raises."""
        body = current_body()
        if body is not None and id(self) not in body.given:
            self._read_from_outside(body)
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
        for node in _ancestors([self]):
            if isinstance(node, ParameterUse):
                node.receive(subgraph)
        return subgraph

    def zero_feedback(self) -> None:
        """Forget the feedback that this node received."""
        self._feedback.clear()

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
        parents = {key: recorded(value) for key, value in inputs.items() if isinstance(value, Node)}
        return MessageNode(result, name=name, description=text, inputs=parents)

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


class ParameterUse(Node):
    """A parameter as one episode, or one value, saw it; this is what a recording points to."""

    __slots__ = ("origin",)
    kind = Kind.PARAMETER

    def __init__(self, origin: ParameterNode, value: object) -> None:
        self._data = value
        self._inputs = {}
        self._trace = current_trace()
        self._feedback = []
        self._name = origin.parameter.name
        self.description = origin.parameter.description
        self.origin = origin

    def receive(self, subgraph: TraceGraph) -> None:
        """Keep feedback for the parameter."""
        self._feedback.append(subgraph.for_parameter(self._name))


class ParameterNode(Node):
    """A node whose value an optimizer may change: `node(value, trainable=True)`.

    Inside an episode `data` is the value of the episode's pinned version. A recording keeps the
    value that was read, so changing the parameter afterwards changes no recording.
    """

    __slots__ = ("_use", "parameter")
    kind = Kind.PARAMETER

    def __init__(self, parameter: Parameter) -> None:
        self._data = parameter.value
        self._inputs = {}
        self._trace = None
        self._feedback = []
        self._name = parameter.name
        self.description = parameter.description
        self.parameter = parameter
        self._use: ParameterUse | None = None

    @property
    def data(self) -> Any:
        """The value: the pinned one inside an episode, else the current one."""
        body = current_body()
        if body is not None and id(self) not in body.given and id(self.use()) not in body.given:
            self.use()._read_from_outside(body)
        return self.use()._data

    @property
    def feedback(self) -> tuple[TraceGraph, ...]:
        """What `backward` brought to this parameter, in this episode where there is one."""
        return self.use().feedback

    def zero_feedback(self) -> None:
        """Forget the feedback."""
        self.use().zero_feedback()

    def set(self, value: object) -> None:
        """Change the value for what runs next.

        Raises:
            InvalidValue: the value does not fit the type; the old one stays.
        """
        try:
            self._data = self.parameter.type.check(value)
        except InvalidValue as error:
            raise InvalidValue(f"parameter {self.name!r}: {error}") from None
        self._use = None

    def use(self) -> ParameterUse:
        """Return the record of this parameter's value as it is read here and now."""
        trace = current_trace()
        if trace is None:
            if self._use is None:
                self._use = ParameterUse(self, self._data)
            return self._use
        uses = _nodes_of(trace).uses
        if self.name not in uses:
            uses[self.name] = ParameterUse(self, trace.value_of(self.name, self._data))
        return uses[self.name]


@dataclass(slots=True, eq=False)
class NodeRecorder:
    """The nodes that `node` and `bundle` recorded in one episode: a `Recorder` of its trace."""

    filename: ClassVar[str] = "graphs.jsonl"
    nodes: list[Node] = field(default_factory=list[Node])
    uses: dict[str, ParameterUse] = field(default_factory=dict[str, ParameterUse])

    def graph(self, trace: Trace) -> Graph:
        """Return the recorded nodes as plain data."""
        return replace(to_graph(self.nodes), episode=trace.episode, version=trace.version)

    def lines(self) -> Iterable[str]:
        """Return the graph as one line of JSON."""
        return [dump_graph(self.graph(trace)) for trace in self._traces()]

    def _traces(self) -> Iterable[Trace]:
        return [node._trace for node in self.nodes[:1] if node._trace is not None]


def _nodes_of(trace: Trace) -> NodeRecorder:
    return trace.recorder(NodeRecorder, NodeRecorder)


def node(
    value: object,
    name: str = "",
    *,
    trainable: bool = False,
    description: str = "",
    constraint: ValueType | None = None,
) -> Node:
    """Return `value` as a node; a node is returned as it is.

    Args:
        value: anything.
        name: how the node is called; a parameter's must be unique among those trained together.
        trainable: make it a parameter.
        description: what the value is for.
        constraint: the type of a parameter; taken from the value where it is not given.

    Raises:
        InvalidValue: `value` does not fit the constraint, or no type fits it.
    """
    if isinstance(value, Node):
        return value
    label = name or type(value).__name__
    if trainable:
        kind = constraint if constraint is not None else type_of(value)
        return ParameterNode(Parameter(label, value, kind, description))
    return Node(value, name=label, description=description)


def recorded(value: Node) -> Node:
    """Return the node that a recording points to: of a parameter, its use here."""
    return value.use() if isinstance(value, ParameterNode) else value


def _ancestors(ends: Iterable[Node]) -> list[Node]:
    """Return `ends` and all they came from, inputs first; iterative, linear."""
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(recorded(end), False) for end in reversed(list(ends))]
    while stack:
        current, done = stack.pop()
        if done:
            order.append(current)
        elif id(current) not in seen:
            seen.add(id(current))
            stack.append((current, True))
            stack.extend((parent, False) for parent in reversed(current._inputs.values()))
    return order


def to_graph(ends: Iterable[Node], ids: dict[int, str] | None = None) -> Graph:
    """Return the graph of `ends` and all they came from; `ids` receives the node ids.

    Raises:
        InvalidValue: two different parameters have one name.
    """
    chosen: dict[int, str] = {} if ids is None else ids
    taken: dict[str, object] = {}
    counts: Counter[str] = Counter()
    nodes: list[GraphNode] = []
    edges: list[Edge] = []
    for current in _ancestors(ends):
        chosen[id(current)] = key = _identify(current, taken, counts)
        nodes.append(_plain(current, key))
        edges.extend(
            Edge(chosen[id(parent)], key, _reason(parent), label)
            for label, parent in current._inputs.items()
        )
    return Graph(tuple(nodes), tuple(edges))


def _reason(parent: Node) -> Reason:
    return Reason.PARAMETER if isinstance(parent, ParameterUse) else Reason.DECLARED


def _identify(current: Node, taken: dict[str, object], counts: Counter[str]) -> str:
    if isinstance(current, ParameterUse):
        key = f"parameter:{current.name}"
        if taken.setdefault(key, current) is not current:
            raise InvalidValue(
                f"two parameters are named {current.name!r}, or one was read before and after a "
                "change; name them apart, and call backward before the next step"
            )
        return key
    key = base = current.name or "node"
    while key in taken:
        counts[base] += 1
        key = f"{base}_{counts[base]}"
    taken[key] = current
    return key


_PLAIN = (str, int, float, bool, type(None))


def _plain(current: Node, key: str) -> GraphNode:
    value = _jsonable(current._data)
    error = cast(str, value) if isinstance(current, ExceptionNode) else None
    return GraphNode(
        key, current.kind, current._name or key, value, None, current.description, error
    )


def _jsonable(value: object, depth: int = 4) -> object:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Node):
        return _jsonable(value._data, depth)
    if depth and isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return {str(k): _jsonable(v, depth - 1) for k, v in items}
    if depth and isinstance(value, list | tuple):
        return [_jsonable(v, depth - 1) for v in cast("list[object]", value)]
    return repr(value)
