"""No cycle leaves the conversion, whatever times and ids the spans claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trace_agents.graph import Edge


def without_cycles(
    edges: Iterable[Edge], moment: Callable[[str], tuple[int, int]]
) -> tuple[list[Edge], list[Edge]]:
    """Return the edges, and those dropped because a cycle held them and they led back in time."""
    every = list(edges)
    held = _held(every)
    if not held:
        return every, []
    kept: list[Edge] = []
    dropped: list[Edge] = []
    for edge in every:
        back = (moment(edge.source), edge.source) >= (moment(edge.target), edge.target)
        bad = back and edge.source in held and edge.target in held
        (dropped if bad else kept).append(edge)
    return kept, dropped


def _held(edges: list[Edge]) -> set[str]:
    """Return the nodes that lie on a cycle or behind one."""
    waiting: dict[str, int] = {}
    following: dict[str, list[str]] = {}
    for edge in edges:
        waiting[edge.target] = waiting.get(edge.target, 0) + 1
        following.setdefault(edge.source, []).append(edge.target)
    ready = [node for node in following if node not in waiting]
    for node in ready:  # grows while it is walked
        for target in following.get(node, ()):
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return {node for node, count in waiting.items() if count > 0}
