"""Which nodes an operation may be given: its own recording's, and those of none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trace_agents.errors import ForeignNode, TraceMissingInputsError
from trace_agents.tracing.body import with_external

if TYPE_CHECKING:
    from trace_agents.tracing.context import Scope
    from trace_agents.tracing.nodes import Node


def accepted(parents: tuple[Node, ...], scope: Scope) -> tuple[Node, ...]:
    """Return the parents if they belong here; nodes of no episode belong everywhere."""
    mark = scope.mark
    for parent in parents:
        if parent.mark is not mark and (mark.body or parent.mark is not None):
            return tuple(_admitted(parent, scope) for parent in parents)
    return parents


def _admitted(parent: Node, scope: Scope) -> Node:
    mark = parent.mark
    if mark is scope.mark:
        return parent
    if not scope.mark.body:
        if mark is None:
            return parent
        raise ForeignNode(
            f"{parent.name!r} was recorded in episode {mark.episode!r} and used in episode "
            f"{scope.mark.episode!r}; pass its .data instead"
        )
    if not scope.allow_external:
        raise TraceMissingInputsError(
            f"a traceable function used the node {parent.name!r} that it was not given; pass the "
            "node as an argument, or bundle the function with allow_external_dependencies=True"
        )
    scope.external = with_external(scope.external, parent)
    return parent.detach()
