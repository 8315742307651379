"""One run of a bundled function's body: its context, and the node that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import cast

from trace_agents.errors import TraceMissingInputsError
from trace_agents.tracing.body import Body, running
from trace_agents.tracing.calls import Call
from trace_agents.tracing.context import Trace, current
from trace_agents.tracing.nodes import MessageNode, Node, failed
from trace_agents.tracing.operation import Operation
from trace_agents.tracing.parameters import ParameterUse, node
from trace_agents.tracing.values import unwrapped


class PlainBody(Body):
    """A body that runs as ordinary Python: it gets values, and what it calls is not recorded.

    Entered around every step of the body; what the body raises leaves as `ExecutionError`.
    """

    __slots__ = ("_catch", "_number", "_token", "call")

    def __init__(self, call: Call, *, catch: bool, allow_external: bool) -> None:
        super().__init__(call.made.name, call.parents, allow_external=allow_external)
        self.call = call
        self._catch = catch
        self._token: Token[Body | None]
        trace = current.get()
        # a name must not depend on which of several calls under way ends first
        self._number = trace.scope.number(self.name) if trace is not None else None

    def arguments(
        self, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> tuple[list[object], dict[str, object]]:
        """Return the arguments as the body gets them."""
        named = {key: unwrapped(value) for key, value in kwargs.items()} if kwargs else {}
        return [unwrapped(value) for value in args], named

    def __enter__(self) -> None:
        self._token = running.set(self._in_context())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        running.reset(self._token)
        if isinstance(error, Exception):
            self.fail(error)

    def settle(self) -> None:
        """Let this body run in the present context for good; for a context of its own."""
        running.set(self._in_context())

    def fail(self, error: Exception) -> None:
        """Record what the body raised and raise it as `ExecutionError`, where asked for."""
        if self._catch and not isinstance(error, TraceMissingInputsError):
            failed(error, self.call.made, self.call.parents, self.call.constants)

    def node(self, result: object) -> Node:
        """Return the node of what the body returned."""
        call = self.call
        made, parents = call.made, call.parents
        external = self._external()
        if external:
            made = made._replace(labels=(*made.labels, *external))
            parents = (*parents, *external.values())
        number, self._number = self._number, None  # the next item of a stream gets a new one
        return MessageNode(unwrapped(result), made, parents, call.constants, number)

    def _in_context(self) -> Body | None:
        return self

    def _external(self) -> Mapping[str, Node]:
        return self.external or NOTHING_READ


NOTHING_READ: Mapping[str, Node] = {}


class TracedBody(PlainBody):
    """A body whose inside is recorded too, apart from its episode; see `Node.expand`."""

    __slots__ = ("_outer", "_trace")

    def __init__(self, call: Call, *, catch: bool, allow_external: bool) -> None:
        super().__init__(call, catch=catch, allow_external=allow_external)
        self._trace = (current.get() or Trace()).inside(allow_external=allow_external)
        self._outer: Token[Trace | None]

    def arguments(
        self, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> tuple[list[object], dict[str, object]]:
        """Return the arguments with nodes of the inner recording in the place of the outer's."""
        with self:
            named = {key: _stand_in(value) for key, value in kwargs.items()}
            return [_stand_in(value) for value in args], named

    def __enter__(self) -> None:
        super().__enter__()
        self._outer = current.set(self._trace)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        current.reset(self._outer)
        super().__exit__(kind, error, where)

    def settle(self) -> None:
        """Let this body run, and be recorded, in the present context for good."""
        super().settle()
        current.set(self._trace)

    def node(self, result: object) -> Node:
        """Return the node of what the body returned; it can be expanded."""
        with self:
            inner = node(result)
        made = super().node(inner)
        cast(MessageNode, made).hold(inner)
        return made

    def _in_context(self) -> Body | None:
        return None  # operations in it are recorded

    def _external(self) -> Mapping[str, Node]:
        """Return what the inside read of the outside: parameters, and nodes if allowed."""
        scope = self._trace.scope
        given = set(self.call.parents)
        uses = {parameter.name: parameter.use() for parameter in scope.uses}
        return {
            **{name: use for name, use in uses.items() if use not in given},
            **scope.external,
        }


def _stand_in(value: object) -> object:
    if isinstance(value, Node):
        used = value.use()
        if isinstance(used, ParameterUse):
            return value
        return Node(used.raw, Operation(used.op_name, used.description))
    if isinstance(value, list):
        return [_stand_in(inner) for inner in cast("list[object]", value)]
    if isinstance(value, tuple):
        return tuple(_stand_in(inner) for inner in cast("tuple[object, ...]", value))
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value).items()
        return {key: _stand_in(inner) for key, inner in pairs}
    return value
