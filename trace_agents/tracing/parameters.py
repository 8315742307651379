"""Parameters: nodes whose values an optimizer may change."""

from __future__ import annotations

from typing import Any, Literal, overload

from trace_agents.errors import InvalidValue
from trace_agents.graph import Kind, Parameter, Reason, ValueType, type_of
from trace_agents.propagate import TraceGraph
from trace_agents.tracing.context import current_trace
from trace_agents.tracing.nodes import Node, current_body
from trace_agents.tracing.recorder import nodes_of


class ParameterUse(Node):
    """A parameter as one episode, or one value, saw it; this is what a recording points to."""

    __slots__ = ("origin",)
    kind = Kind.PARAMETER
    reason = Reason.PARAMETER

    def __init__(self, origin: ParameterNode, value: object) -> None:
        self._data = value
        self._inputs = {}
        self._trace = current_trace()
        self._feedback = []
        self._name = origin.parameter.name
        self.description = origin.parameter.description
        self.origin = origin

    def _receive(self, subgraph: TraceGraph) -> None:
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
        return self.use().raw

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
        uses = nodes_of(trace).uses
        if self.name not in uses:
            uses[self.name] = ParameterUse(self, trace.value_of(self.name, self._data))
        return uses[self.name]


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

    Args:
        value: anything.
        name: how the node is called; a parameter's must be unique among those trained together.
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
        kind = constraint if constraint is not None else type_of(value)
        return ParameterNode(Parameter(label, value, kind, description))
    return Node(value, name=label, description=description)
