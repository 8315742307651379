"""Nodes: values that remember what they came from."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar, cast, overload

import trace_agents.drawing as drawing  # its names are imported when something is drawn
from trace_agents.errors import InvalidValue, TraceAgentsError
from trace_agents.feedback import Said, in_words
from trace_agents.graph import Graph, Kind, Reason
from trace_agents.propagate import GraphPropagator, Propagator, TraceGraph
from trace_agents.tracing.belonging import accepted
from trace_agents.tracing.body import running
from trace_agents.tracing.context import current
from trace_agents.tracing.facts import Facts
from trace_agents.tracing.failure import ExecutionError
from trace_agents.tracing.marking import deliver, propagated
from trace_agents.tracing.operation import NOTHING, Operation, operation
from trace_agents.tracing.operators import Operators
from trace_agents.tracing.plain import to_graph
from trace_agents.tracing.recorder import keep
from trace_agents.tracing.values import CHANGEABLE, copied, is_plain, nodes_in, unwrapped

M = TypeVar("M")


class Node(Facts):
    """A value, and the nodes and operation that it came from. Immutable once recorded.

    A node has the truth, length and iteration of its value; it is equal only to itself (compare
    values with `eq`), and so it can be a key. Attributes and methods of the value are there and
    recorded, as in `node("a b").split()`; where a name is the node's own, write
    `.getattr("name")` or `.call("name")`. Built-in containers are copied on their way in, so
    that changing them afterwards changes no recording; `data` is the reader's copy.
    """

    __slots__ = (
        "__weakref__",
        "_data",
        "_feedback",
        "_number",
        "_shown",
        "constants",
        "made",
        "mark",
        "parents",
    )
    kind = Kind.INPUT
    reason = Reason.DECLARED
    """Why an operation that was given this node depends on it."""
    is_parameter = False

    def __init__(
        self,
        data: object,
        made: Operation,
        parents: tuple[Node, ...] = (),
        constants: Mapping[str, object] = NOTHING,
        number: int | None = None,
    ) -> None:
        self._data = copied(data) if type(data) in CHANGEABLE else data
        self.made = made
        self._feedback: list[TraceGraph] | None = None
        trace = current.get()
        if trace is not None:
            if not trace.kept:
                self.made, parents, constants = made.unrecorded(), (), NOTHING
            else:
                scope = trace.scope
                self.mark = scope.mark
                self._number: int = scope.number(made.name) if number is None else number
                self.parents = accepted(parents, scope)
                self.constants = constants
                keep(trace, self)
                return
        self.mark = None
        self._number = -1
        self.parents = parents
        self.constants = constants

    @property
    def data(self) -> Any:
        """The value. Reading it inside a bundled operation that was not given it raises."""
        body = running.get()
        if body is not None:
            body.admit(self)
        return self._copy() if type(self._data) in CHANGEABLE else self._data

    @property
    def raw(self) -> object:
        """The value as it is kept; unlike `data`, this is no reading of it."""
        return self._data

    @property
    def name(self) -> str:
        """The name; unique within its episode."""
        return self.op_name if self._number < 0 else f"{self.op_name}{self._number}"

    @property
    def feedback(self) -> tuple[TraceGraph, ...]:
        """What `backward` brought: to parameters always, to others where it was retained."""
        return tuple(self._feedback or ())

    def graph(self) -> Graph:
        """Return everything this node came from, and the node as output, as plain data."""
        return to_graph([self])

    @overload
    def backward(
        self, feedback: Said, *, retain: bool = False, propagator: GraphPropagator | None = None
    ) -> TraceGraph: ...
    @overload
    def backward(
        self, feedback: Said, *, retain: bool = False, propagator: Propagator[M]
    ) -> Mapping[Node, M]: ...
    def backward(
        self,
        feedback: Said,
        *,
        retain: bool = False,
        propagator: GraphPropagator | Propagator[M] | None = None,
    ) -> TraceGraph | Mapping[Node, M]:
        """Send feedback to the parameters that this node came from; return their subgraph.

        It may be called again, with the same or other words: a recording never changes.

        Args:
            feedback: what is to be said of this output: words, a score, or both.
            retain: keep the subgraph at every node on the way, not only at the parameters.
            propagator: rules of one's own; then what each node received comes back, and
                nothing is kept at the nodes.
        """
        said = in_words(feedback)
        if isinstance(propagator, Propagator):
            return propagated([self], [said], propagator)
        return deliver([self.use()], [said], retain=retain)

    def visualize(self, *, limit: int = 200) -> drawing.Drawing:
        """Return the way to this node drawn; notebooks show it where graphviz is installed."""
        return drawing.draw(self.graph(), limit=limit)

    def zero_feedback(self) -> None:
        """Forget the feedback that this node received."""
        self._feedback = None

    def expand(self) -> Graph:
        """Return what happened inside the traceable function that made this node.

        Raises:
            InvalidValue: the node was not made by a function bundled with `traceable=True`.
        """
        raise InvalidValue(f"{self.name!r} has no inner graph; bundle it with traceable=True")

    def use(self) -> Node:
        """Return the node that a recording points to: of a parameter, its use here and now."""
        return self

    def shown(self) -> Node:
        """Return the node as the user has it: of a parameter's use, the parameter."""
        return self

    def detach(self) -> Node:
        """Return a node with the same value that came from nothing."""
        return Node(self.use().raw, Operation(self.op_name, self.description))

    def clone(self) -> Node:
        """Return a copy that remembers this node."""
        return self._operate("clone", copy.deepcopy, "a copy of x", x=self)

    def __copy__(self) -> Node:
        return self.detach()

    def __deepcopy__(self, memo: dict[int, object]) -> Node:
        made = Operation(self.op_name, self.description)
        return Node(copy.deepcopy(self.use().raw, memo), made)

    def _operate(
        self, name: str, function: Callable[..., object], text: str, /, **inputs: object
    ) -> Node:
        if running.get() is not None:  # the body of a bundled operation is plain Python
            return cast("Node", function(*[_read(value) for value in inputs.values()]))
        found = [
            (path, cast("Node", inner).use())
            for label, value in inputs.items()
            for path, inner in nodes_in(label, value)
        ]
        labels = tuple(path for path, _ in found)
        parents = tuple(parent for _, parent in found)
        constants = {
            label: copied(value)
            for label, value in inputs.items()
            if not isinstance(value, Operators) and is_plain(value)
        }
        made = operation(name, text, labels)
        try:
            result = function(*[unwrapped(value) for value in inputs.values()])
        except Exception as error:  # noqa: BLE001 - whatever an operator raises is recorded
            failed(error, made, parents, constants)
        return MessageNode(result, made, parents, constants)

    def _two(
        self, name: str, function: Callable[..., object], text: str, x: object, y: object
    ) -> Node:
        """Do a binary operator: the common case of `_operate`, in a fifth of the time."""
        if running.get() is not None:
            return cast("Node", function(_read(x), _read(y)))
        constants: Mapping[str, object] = NOTHING
        parents: tuple[Node, ...]
        if not isinstance(y, Node):
            left = cast(Node, x).use()
            made, parents, values = operation(name, text, ("x",)), (left,), (left._data, y)
            constants = {"y": y} if is_plain(y) else NOTHING
        elif not isinstance(x, Node):
            right = y.use()
            made, parents, values = operation(name, text, ("y",)), (right,), (x, right._data)
            constants = {"x": x} if is_plain(x) else NOTHING
        else:
            left, right = x.use(), y.use()
            made, parents = operation(name, text, _BOTH), (left, right)
            values = (left._data, right._data)
        try:
            result = function(*values)
        except Exception as error:  # noqa: BLE001 - whatever an operator raises is recorded
            failed(error, made, parents, constants)
        return MessageNode(result, made, parents, constants)

    def receive(self, subgraph: TraceGraph) -> None:
        """Take what `backward` brought: parameters keep it."""

    def retain(self, subgraph: TraceGraph) -> None:
        """Keep what `backward` brought, at any node."""
        self._feedback = [*(self._feedback or ()), subgraph]

    def _copy(self) -> object:
        """Return the reader's own copy of a container: made once, apart from the recording."""
        try:
            return self._shown
        except AttributeError:
            self._shown: object = copied(self._data)
            return self._shown

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name or '-'}: {self.use().raw!r}>"


_BOTH = ("x", "y")


class MessageNode(Node):
    """What an operation returned."""

    __slots__ = ("_inner",)
    kind = Kind.OPERATION

    def expand(self) -> Graph:
        """Return what happened inside the traceable function that made this node.

        Raises:
            InvalidValue: the node was not made by a function bundled with `traceable=True`.
        """
        inner: Node | None = getattr(self, "_inner", None)  # set for traceable functions only
        return super().expand() if inner is None else inner.graph()

    def hold(self, inner: Node) -> None:
        """Remember the end of what happened inside; said once, by who makes the node."""
        self._inner = inner


class ExceptionNode(Node):
    """What an operation raised: its text is the value, and it can be given feedback.

    It keeps words about the exception, not the exception, which would keep the frames alive.
    """

    __slots__ = ("exception_type", "message", "traceback")
    kind = Kind.EXCEPTION

    def __init__(
        self,
        exception: BaseException,
        made: Operation,
        parents: tuple[Node, ...] = (),
        constants: Mapping[str, object] = NOTHING,
    ) -> None:
        self.exception_type = type(exception)
        self.message = str(exception)
        self.traceback = "".join(traceback.format_exception(exception))
        super().__init__(_describe(exception), made, parents, constants)

    def create_feedback(self) -> str:
        """Return feedback that says what went wrong and where."""
        return f"The operation failed: {self._data}"


def failed(
    error: Exception,
    made: Operation,
    parents: tuple[Node, ...],
    constants: Mapping[str, object],
) -> NoReturn:
    """Record what an operation raised, and raise it as `ExecutionError`."""
    named = made._replace(name=f"exception_{made.name}")
    raise ExecutionError(ExceptionNode(error, named, parents, constants)) from error


def _read(value: object) -> object:
    return value.data if isinstance(value, Node) else value


def _describe(exception: BaseException) -> str:
    said = f"{type(exception).__name__}: {exception}".removesuffix(": ")
    if isinstance(exception, TraceAgentsError):  # its sentence says where
        return said
    frames = traceback.extract_tb(exception.__traceback__)
    where = f" at line {frames[-1].lineno}: {frames[-1].line}" if frames else ""
    return f"{said}{where}"
