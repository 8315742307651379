"""A large graph as a small one: repeated structure merged, then what lies far away left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeAlias

from trace_agents.drawing import merging
from trace_agents.graph import Graph, GraphNode, Kind

_Step: TypeAlias = Callable[[merging.Merged, frozenset[str]], merging.Merged]

_PHASES: tuple[tuple[_Step, ...], ...] = (
    (merging.chains, merging.siblings),
    (merging.inputs, merging.chains, merging.siblings),
    (merging.agents, merging.chains, merging.siblings),
    (merging.episodes, merging.siblings),
)
"""From what hides least to what hides most."""


@dataclass(frozen=True, slots=True)
class Collapsed:
    """A graph that fits, and what its nodes stand for."""

    graph: Graph
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many nodes a merged node stands for, by its id."""
    hidden: int = 0
    """How many nodes, merged ones as one, had no room."""


def collapse(graph: Graph, limit: int = 200, *, keep: Iterable[str] = ()) -> Collapsed:
    """Return a graph of at most `limit` nodes; linear, iterative.

    Parameters, nodes with errors and the nodes in `keep` are never merged. Where merging is not
    enough, the nodes nearest to them and to the outputs stay.
    """
    wanted = tuple(keep)
    kept = frozenset(wanted).union(n.id for n in graph.nodes if _is_fixed(n))
    state = merging.Merged(graph)
    for steps in _PHASES:
        if len(state.graph.nodes) > limit:
            state = _settled(state, steps, limit // 2, kept)
    counts = {node: group.count for node, group in state.groups.items()}
    return fewer_nodes(Collapsed(state.graph, counts), limit, wanted)


def fewer_nodes(collapsed: Collapsed, limit: int, keep: Iterable[str] = ()) -> Collapsed:
    """Return the `limit` nearest nodes; the others are counted as hidden."""
    graph = collapsed.graph
    shown = nearest(graph, limit, keep)
    hidden = collapsed.hidden + len(graph.nodes) - len(shown)
    counts = {node: count for node, count in collapsed.counts.items() if node in shown}
    return Collapsed(_only(graph, shown), counts, hidden)


def nearest(graph: Graph, limit: int, keep: Iterable[str] = ()) -> frozenset[str]:
    """Return the ids of `limit` nodes: those to keep, errors, parameters, outputs, and near ones.

    Each of these sorts begins with at most a quarter, so that there is room for what joins them.
    """
    if len(graph.nodes) <= limit:
        return frozenset(graph.by_id)
    starts = _starts(graph, max(limit // 4, 1), keep)
    seen: dict[str, None] = dict.fromkeys(islice(starts, max(limit, 0)))
    queue = deque(seen)
    rest = (node.id for node in graph.nodes)
    while len(seen) < limit:
        if not queue:
            queue.append(next(node for node in rest if node not in seen))
            seen[queue[0]] = None
        for near in _neighbours(graph, queue.popleft()):
            if near not in seen and len(seen) < limit:
                seen[near] = None
                queue.append(near)
    return frozenset(seen)


def _settled(
    state: merging.Merged, steps: Iterable[_Step], goal: int, kept: frozenset[str]
) -> merging.Merged:
    """Repeat the steps down to `goal` nodes, or while they help.

    Each round leaves a tenth less, so that all rounds together are linear.
    """
    before = len(state.graph.nodes) * 2
    while goal < len(state.graph.nodes) < before * 0.9:
        before = len(state.graph.nodes)
        for step in steps:
            if len(state.graph.nodes) > goal:
                state = step(state, kept)
    return state


def _starts(graph: Graph, share: int, keep: Iterable[str]) -> Iterator[str]:
    sorts: tuple[Iterable[str], ...] = (
        (node for node in keep if node in graph.by_id),
        (node.id for node in graph.nodes if node.error),
        (node.id for node in graph.of_kind(Kind.PARAMETER)),
        (node.id for node in graph.outputs),
    )
    for ids in sorts:
        yield from islice(ids, share)


def _neighbours(graph: Graph, node_id: str) -> Iterator[str]:
    yield from (edge.source for edge in graph.inputs.get(node_id, ()))
    yield from (edge.target for edge in graph.consumers.get(node_id, ()))


def _is_fixed(node: GraphNode) -> bool:
    return node.kind is Kind.PARAMETER or node.kind is Kind.EXCEPTION or bool(node.error)


def _only(graph: Graph, shown: frozenset[str]) -> Graph:
    if len(shown) == len(graph.nodes):
        return graph
    nodes = tuple(node for node in graph.nodes if node.id in shown)
    edges = tuple(e for e in graph.edges if e.source in shown and e.target in shown)
    return replace(graph, nodes=nodes, edges=edges)
