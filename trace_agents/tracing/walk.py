"""Walks over live nodes, from outputs to what they came from: iterative, linear."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trace_agents.tracing.nodes import Node


def ancestors(ends: Iterable[Node]) -> list[Node]:
    """Return `ends` and all they came from, inputs first; iterative, linear."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[Node | None] = list(reversed(list(ends)))
    while stack:
        node = stack.pop()
        if node is None:  # the inputs of what lies below are done
            done = stack.pop()
            if done is not None:
                order.append(done)
        elif node not in seen:
            seen.add(node)
            stack.append(node)
            stack.append(None)
            stack.extend(reversed(node.parents))
    return order


def on_paths(ends: Iterable[Node]) -> tuple[set[Node], list[Node]]:
    """Return the nodes on paths from parameters to `ends`, and the parameters; one pass."""
    found: set[Node] = set()
    parameters: list[Node] = []
    seen: set[Node] = set()
    stack: list[Node | None] = list(ends)
    pop, push, look = stack.pop, stack.append, seen.add
    while stack:
        node = pop()
        if node is None:  # the inputs of what lies below are done
            node = pop()
            if node is not None and not found.isdisjoint(node.parents):
                found.add(node)
            continue
        parents = node.parents
        if not parents:
            if node.is_parameter and node not in found:
                found.add(node)
                parameters.append(node)
        elif node not in seen:
            look(node)
            push(node)
            push(None)
            stack += parents
    return found, parameters


def longest_way(node: Node) -> int:
    """Return how many operations the longest way from a root to `node` has."""
    levels: dict[Node, int] = {}
    for each in ancestors([node]):
        levels[each] = 1 + max((levels[parent] for parent in each.parents), default=-1)
    return levels[node]
