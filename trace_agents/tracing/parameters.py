"""Parameters: nodes whose values an optimizer may change."""

from __future__ import annotations

import copy
import itertools
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from trace_agents.errors import InvalidValue
from trace_agents.graph import Kind, Parameter, Reason, ValueType, type_of
from trace_agents.tracing.body import running
from trace_agents.tracing.context import current
from trace_agents.tracing.nodes import MessageNode, Node
from trace_agents.tracing.operation import NOTHING, Operation, operation
from trace_agents.tracing.values import copied, has_nodes, nodes_in, unwrapped

if TYPE_CHECKING:
    from trace_agents.propagate import TraceGraph
    from trace_agents.tracing.context import Mark, Scope

_unnamed = itertools.count()
"""Numbers for parameters that nobody named, so that two of them can be told apart."""


class ParameterUse(Node):
    """A parameter as one episode, or one value, saw it; this is what a recording points to."""

    __slots__ = ("_origin",)
    kind = Kind.PARAMETER
    reason = Reason.PARAMETER
    is_parameter = True

    def __init__(self, origin: ParameterNode, value: object, mark: Mark | None) -> None:
        self._data = value
        self.made = Operation(origin.parameter.name, origin.parameter.description)
        self.parents = ()
        self.constants = NOTHING
        self._feedback = None
        self.mark = mark
        self._number = -1
        # weak: the parameter holds its uses, and a finished episode is to be freed at once
        self._origin = weakref.ref(origin)

    def shown(self) -> Node:
        """Return the parameter node, where it still is."""
        origin = self._origin()
        return self if origin is None else origin

    def receive(self, subgraph: TraceGraph) -> None:
        """Hand on what `backward` brought; in an episode, the episode has it already."""
        origin = self._origin()
        if self.mark is None and origin is not None:
            origin.inbox.append(subgraph)


class ParameterNode(Node):
    """A node whose value an optimizer may change: `node(value, trainable=True)`.

    Inside an episode `data` is the value of the episode's pinned version. A recording keeps the
    value that was read, so changing the parameter afterwards changes no recording.
    """

    __slots__ = ("_use", "inbox", "parameter")
    kind = Kind.PARAMETER
    is_parameter = True

    def __init__(self, parameter: Parameter, value: object = None) -> None:
        value = parameter.value if value is None else value
        self._data = value
        self.made = Operation(parameter.name, parameter.description)
        self.parents = ()
        self.constants = NOTHING
        self._feedback = None
        self.mark = None
        self._number = -1
        self.parameter = parameter
        self.inbox: list[TraceGraph] = []
        self._use = ParameterUse(self, value, None)

    @property
    def data(self) -> Any:
        """The value: the pinned one inside an episode, else the current one."""
        body = running.get()
        if body is not None:
            body.admit(self)
        return copied(self.use().raw)

    @property
    def raw(self) -> object:
        """The value as it is read here and now."""
        return self.use().raw

    @property
    def type(self) -> type:
        """The type of the value."""
        return type(self.raw)

    @property
    def received(self) -> tuple[TraceGraph, ...]:
        """The whole subgraphs that reached this parameter: in an episode, those of the episode."""
        trace = current.get()
        if trace is None:
            return tuple(self.inbox)
        use, since = self.use(), trace.scope.zeroed.get(self, 0)
        sent = trace.scope.received[since:]
        return tuple(each.subgraph for each in sent if use in each.reached)

    @property
    def feedback(self) -> tuple[TraceGraph, ...]:
        """What `backward` brought to this parameter, in this episode where there is one."""
        return tuple(subgraph.for_parameter(self.name) for subgraph in self.received)

    def zero_feedback(self) -> None:
        """Forget the feedback; in an episode, that of the episode."""
        trace = current.get()
        if trace is None:
            self.inbox.clear()
        else:
            trace.scope.zeroed[self] = len(trace.scope.received)

    def set(self, value: object) -> None:
        """Change the value for what runs next.

        Raises:
            InvalidValue: the value does not fit the type; the old one stays.
        """
        try:
            self._data = copied(self.parameter.type.check(value))
        except InvalidValue as error:
            raise InvalidValue(f"parameter {self.name!r}: {error}") from None
        self._use = ParameterUse(self, self._data, None)

    def use(self) -> ParameterUse:
        """Return the record of this parameter's value as it is read here and now."""
        trace = current.get()
        if trace is None:
            return self._use
        scope: Scope = trace.scope
        found = scope.uses.get(self)
        if found is None:
            value = trace.value_of(self.name, self._data)
            found = scope.uses.setdefault(self, ParameterUse(self, value, scope.mark))
        return found

    def __reduce__(self) -> tuple[object, ...]:
        """Go to another process as what it is, without what this one remembers of it."""
        return (ParameterNode, (self.parameter, self.raw))

    def __deepcopy__(self, memo: dict[int, object]) -> ParameterNode:
        """Return a parameter of the same name, type and value that changes apart from this one."""
        return ParameterNode(self.parameter, copy.deepcopy(self._data, memo))


@overload
def node(
    value: object,
    name: str = "",
    *,
    trainable: Literal[True],
    description: str = "",
    constraint: ValueType | None = None,
) -> ParameterNode: ...
@overload
def node(
    value: object,
    name: str = "",
    *,
    trainable: bool = False,
    description: str = "",
    constraint: ValueType | None = None,
) -> Node: ...
def node(
    value: object,
    name: str = "",
    *,
    trainable: bool = False,
    description: str = "",
    constraint: ValueType | None = None,
) -> Node:
    """Return `value` as a node; a node is returned as it is, unless it is to become a parameter.

    A container with nodes in it becomes a node that came from them.

    Args:
        value: anything.
        name: how the node is called. Name the parameters that you want to save or train
            together: without a name they are numbered in the order in which they were made.
        trainable: make it a parameter.
        description: what the value is for.
        constraint: the type of a parameter; taken from the value where it is not given.

    Raises:
        InvalidValue: `value` does not fit the constraint, or no type fits it.
    """
    if isinstance(value, ParameterNode) or (isinstance(value, Node) and not trainable):
        return value
    if isinstance(value, Node):
        name = name or value.name
        value = value.raw
    label = name or type(value).__name__
    if trainable:
        value = unwrapped(value)
        kind = constraint if constraint is not None else type_of(value)
        return ParameterNode(
            Parameter(name or f"{label}{next(_unnamed)}", value, kind, description)
        )
    if has_nodes(value):
        return _container(value, label, description)
    return Node(value, operation(label, description, ()))


def parameters_of(given: object, what: str, *kinds: type) -> list[Any]:
    """Return what was `given` as a list of parameters.

    Raises:
        InvalidValue: it is no list of parameters; the sentence says what to write for `what`.
    """
    if isinstance(given, Node | Parameter | str) or not isinstance(given, Iterable):
        raise InvalidValue(f"{what} takes a list of parameter nodes, not {_shown(given)}")
    listed = list(cast("Iterable[object]", given))
    for each in listed:
        if not isinstance(each, kinds):
            raise InvalidValue(
                f"{what} takes parameter nodes, as node(value, name, trainable=True) returns "
                f"them; {_shown(each)} is none"
            )
    return listed


def _shown(given: object) -> str:
    if isinstance(given, Node):
        return f"the node {given.name!r}"
    return f"{given!r} of type {type(given).__name__}"


def _container(value: object, label: str, description: str) -> Node:
    found = list(cast("Iterable[tuple[str, Node]]", nodes_in(label, value)))
    made = operation(f"make_{label}", description or f"a {label}", tuple(path for path, _ in found))
    return MessageNode(unwrapped(value), made, tuple(inner.use() for _, inner in found))
