"""A call of a bundled function: which nodes and plain values were given, under which names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from trace_agents.tracing.nodes import Node
from trace_agents.tracing.operation import Operation, operation
from trace_agents.tracing.values import copied, is_plain, nodes_in

_SHARED = 16
"""Up to so many inputs, calls of one shape share the record of their operation."""


class Call(NamedTuple):
    """What one call was given."""

    made: Operation
    parents: tuple[Node, ...]
    constants: Mapping[str, object]


class Arguments:
    """The parameters of a function, read once: names for the arguments of every call."""

    def __init__(self, function: Callable[..., object], name: str, description: str) -> None:
        self.signature = inspect.signature(function)
        self._name = name
        self._description = description
        simple = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        given = self.signature.parameters.values()
        self._names = tuple(p.name for p in given if p.kind in simple)
        self._least = sum(p.default is p.empty for p in given if p.kind in simple)
        self._plain = all(p.kind in simple or p.default is not p.empty for p in given)

    def call(
        self, args: tuple[object, ...], kwargs: Mapping[str, object], code: Node | None = None
    ) -> Call:
        """Return the nodes and plain values of a call; `code` is one more input.

        Raises:
            TypeError: the arguments do not fit the function.
        """
        labels: list[str] = []
        parents: list[Node] = []
        constants: dict[str, object] = {}
        for name, value in self._bound(args, kwargs):
            if isinstance(value, Node):
                labels.append(name)
                parents.append(value.use())
            elif is_plain(value):
                constants[name] = copied(value)
            else:
                for path, inner in nodes_in(name, value):
                    labels.append(path)
                    parents.append(cast(Node, inner).use())
        if code is not None:
            labels.append("code")
            parents.append(code.use())
        return Call(self._operation(tuple(labels)), tuple(parents), constants)

    def _bound(
        self, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> list[tuple[str, object]]:
        if not kwargs and self._plain and self._least <= len(args) <= len(self._names):
            return list(zip(self._names, args, strict=False))  # ten times faster than `bind`
        return list(self.signature.bind(*args, **kwargs).arguments.items())

    def _operation(self, labels: tuple[str, ...]) -> Operation:
        if len(labels) <= _SHARED:
            return operation(self._name, self._description, labels)
        return Operation(self._name, self._description, labels)
