"""The bundled operation whose body runs here: which nodes it was given, which it read."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

from trace_agents.errors import TraceMissingInputsError

if TYPE_CHECKING:
    from trace_agents.tracing.nodes import Node


class Body:
    """A running body: plain Python, whose calls are not recorded."""

    __slots__ = ("allow_external", "external", "given", "name")

    def __init__(self, name: str, given: Sequence[Node], *, allow_external: bool = False) -> None:
        self.name = name
        self.given = given
        self.allow_external = allow_external
        self.external: dict[str, Node] | None = None
        """Nodes that the body read without having been given them, where that is allowed."""

    def admit(self, read: Node) -> None:
        """Take note of a node that the body reads.

        Raises:
            TraceMissingInputsError: the body was not given it.
        """
        used = read.use()
        if any(used is known for known in self.given):
            return
        if not self.allow_external:
            raise TraceMissingInputsError(
                f"{self.name!r} read the node {read.name!r} that it was not given; pass the node "
                "as an argument, or bundle the function with allow_external_dependencies=True"
            )
        self.external = with_external(self.external or {}, used)


def with_external(found: dict[str, Node], read: Node) -> dict[str, Node]:
    """Return `found` with one more node that was read from outside, under a name of its own."""
    if read in found.values():
        return found
    label = read.name if read.name and read.name not in found else f"external{len(found)}"
    return {**found, label: read}


running: ContextVar[Body | None] = ContextVar("trace_agents_body", default=None)
"""The body that runs in this context; none where operations are recorded."""
