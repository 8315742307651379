"""What can be asked of a node: names, inputs, the call that made it. Nothing here changes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trace_agents.tracing.operators import Operators
from trace_agents.tracing.walk import ancestors, longest_way

if TYPE_CHECKING:
    from trace_agents.tracing.context import Mark
    from trace_agents.tracing.nodes import Node
    from trace_agents.tracing.operation import Operation


class Facts(Operators):
    """The facts of a node, worked out from what its slots hold."""

    __slots__ = ()

    if TYPE_CHECKING:
        parents: tuple[Node, ...]
        """The nodes that the value came from."""
        constants: Mapping[str, object]
        """The operation's arguments that were plain values, by name."""
        made: Operation
        """What made the node."""
        mark: Mark | None
        """The recording that the node belongs to, if any."""

        @property
        def name(self) -> str: ...  # noqa: D102

    @property
    def op_name(self) -> str:
        """What made the node, such as `add` or a bundled function's name."""
        return self.made.name

    @property
    def py_name(self) -> str:
        """The name as a Python identifier."""
        return re.sub(r"\W", "_", self.name)

    @property
    def description(self) -> str:
        """What the operation did, or what the value is for."""
        return self.made.description

    @property
    def type(self) -> type:
        """The type of the value."""
        return type(self.raw)

    @property
    def inputs(self) -> Mapping[str, Node]:
        """The nodes that the value came from, by argument name."""
        return dict(zip(self.made.labels, self.parents, strict=False))

    @property
    def info(self) -> Mapping[str, object]:
        """What is known of the call that made this node: this call's own, for ever."""
        return {
            "op_name": self.op_name,
            "description": self.description,
            "inputs": self.inputs,
            "constants": self.constants,
            "output": self.raw,
        }

    @property
    def is_root(self) -> bool:
        """Whether nothing led to this node."""
        return not self.parents

    @property
    def level(self) -> int:
        """How many operations the longest way from a root has."""
        return longest_way(self.use())

    @property
    def parameter_dependencies(self) -> frozenset[Node]:
        """The parameters that led here, as this node's episode saw them."""
        return frozenset(n for n in ancestors([self.use()]) if n.is_parameter)
