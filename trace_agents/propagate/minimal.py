"""The minimal subgraph between some nodes and some outputs, of a plain graph.

Nodes become numbers once, and the marks are bytes: a graph of a million nodes is walked in the
order of memory. One pass against the edges and one along them where they are in order, as a
recording's are; else a search. O(V + E), iterative.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress

from trace_agents.graph import STRUCTURE, Graph


def minimal(
    graph: Graph, outputs: Iterable[str], sources: Iterable[str]
) -> tuple[Graph, frozenset[str]]:
    """Return the nodes on paths from `sources` to `outputs` with their direct inputs.

    Beside the graph come the ids of the nodes that lie on a path themselves, outputs included.
    """
    numbers = {node.id: number for number, node in enumerate(graph.nodes)}
    flow = [edge for edge in graph.edges if edge.reason not in STRUCTURE]
    tails = [numbers.setdefault(edge.source, len(numbers)) for edge in flow]
    heads = [numbers.setdefault(edge.target, len(numbers)) for edge in flow]
    reach = _sweep if _in_order(tails, heads, len(numbers)) else _search
    upstream = reach(heads[::-1], tails[::-1], _marked(outputs, numbers))
    begun = _marked((name for name in sources if upstream[numbers[name]]), numbers)
    on_path = _both(upstream, reach(tails, heads, begun))
    into = [on_path[head] for head in heads]
    kept = bytearray(on_path)
    for tail in compress(tails, into):
        kept[tail] = 1
    subgraph = Graph(
        tuple(compress(graph.nodes, kept)),
        tuple(compress(flow, into)),
        graph.episode,
        graph.version,
    )
    return subgraph, frozenset(name for name in outputs if on_path[numbers[name]])


def _marked(names: Iterable[str], numbers: dict[str, int]) -> bytearray:
    marks = bytearray(len(numbers))
    for name in names:
        marks[numbers[name]] = 1
    return marks


def _both(one: bytearray, other: bytearray) -> bytearray:
    whole = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return bytearray(whole.to_bytes(len(one), "little"))


def _in_order(tails: Sequence[int], heads: Sequence[int], count: int) -> bool:
    """Return whether all edges into a node come before the edges out of it."""
    used = bytearray(count)
    for tail, head in zip(tails, heads, strict=True):
        if used[head]:
            return False
        used[tail] = 1
    return True


def _sweep(near: Sequence[int], far: Sequence[int], marks: bytearray) -> bytearray:
    """Mark what is reached from the marked nodes: one pass over edges that are in order."""
    for here, there in zip(near, far, strict=True):
        if marks[here]:
            marks[there] = 1
    return marks


def _search(near: Sequence[int], far: Sequence[int], marks: bytearray) -> bytearray:
    """Mark what is reached from the marked nodes, for edges in any order."""
    steps: dict[int, list[int]] = {}
    for here, there in zip(near, far, strict=True):
        steps.setdefault(here, []).append(there)
    stack = [number for number, mark in enumerate(marks) if mark]
    while stack:
        for there in steps.get(stack.pop(), ()):
            if not marks[there]:
                marks[there] = 1
                stack.append(there)
    return marks
