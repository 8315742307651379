"""Backward: from an output with feedback to the minimal subgraph that each parameter caused.

Minimal subgraph propagation after "Trace is the Next AutoDiff" (arXiv 2406.16218, section 4):
a parameter receives the nodes on its paths to the output, their direct inputs, and the feedback.
One marking pass against the edges and one along them, both iterative: O(V + E).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from trace_agents.errors import UnknownParameter
from trace_agents.graph import STRUCTURE, Edge, Graph, GraphNode, Kind, topological


@dataclass(frozen=True)
class TraceGraph:
    """A subgraph with the feedback at its outputs: what an optimizer reads. A plain value."""

    graph: Graph = field(default_factory=Graph)
    feedback: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The feedback of each output, by node id."""

    @property
    def parameters(self) -> tuple[GraphNode, ...]:
        """The parameter nodes, in order."""
        return tuple(self.graph.of_kind(Kind.PARAMETER))

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Node ids, every node after its inputs."""
        return tuple(topological(self.graph))

    def for_parameter(self, name: str) -> TraceGraph:
        """Return what one parameter receives.

        Raises:
            UnknownParameter: no parameter of that name leads to an output here.
        """
        ids = {node.id for node in self.parameters if node.name == name}
        if not ids:
            raise UnknownParameter(name, (node.name for node in self.parameters))
        return _minimal(self.graph, self.feedback, ids)

    def merge(self, *others: TraceGraph) -> TraceGraph:
        """Return one subgraph of several episodes.

        Parameters are one node each; every other node keeps its episode apart by an id that
        begins with the episode's. The order of the arguments does not change which nodes,
        edges and feedback there are.
        """
        nodes: dict[str, GraphNode] = {}
        edges: dict[Edge, None] = {}
        feedback: dict[str, tuple[str, ...]] = {}
        for part in (self, *others):
            names = {node.id: _qualified(node, part.graph.episode) for node in part.graph.nodes}
            for node in part.graph.nodes:
                nodes.setdefault(names[node.id], replace(node, id=names[node.id]))
            for edge in part.graph.edges:
                moved = replace(edge, source=names[edge.source], target=names[edge.target])
                edges[moved] = None
            for output, texts in part.feedback.items():
                known = feedback.get(names[output], ())
                feedback[names[output]] = known + tuple(t for t in texts if t not in known)
        return TraceGraph(Graph(tuple(nodes.values()), tuple(edges)), feedback)


def _qualified(node: GraphNode, episode: str) -> str:
    return node.id if node.kind is Kind.PARAMETER or not episode else f"{episode}/{node.id}"


def backward(
    graph: Graph,
    feedback: str | Mapping[str, str],
    *,
    parameters: Iterable[str] | None = None,
) -> TraceGraph:
    """Return the minimal subgraph between the parameters and the outputs that got feedback.

    Args:
        graph: one episode; it is not changed.
        feedback: words for every output, or for single nodes by id.
        parameters: names to look for; all parameters without it.

    Raises:
        KeyError: feedback for a node that is not in the graph.
    """
    if isinstance(feedback, str):
        received = {node.id: (feedback,) for node in graph.outputs}
    else:
        unknown = [node for node in feedback if node not in graph.by_id]
        if unknown:
            raise KeyError(f"no node {unknown[0]!r} in episode {graph.episode!r}")
        received = {node: (text,) for node, text in feedback.items()}
    wanted = None if parameters is None else set(parameters)
    sources = {
        node.id for node in graph.of_kind(Kind.PARAMETER) if wanted is None or node.name in wanted
    }
    return _minimal(graph, received, sources)


def _minimal(
    graph: Graph, feedback: Mapping[str, tuple[str, ...]], sources: set[str]
) -> TraceGraph:
    upstream = _reachable(feedback, graph.inputs, "source")
    downstream = _reachable(sources & upstream, graph.consumers, "target")
    on_path = upstream & downstream
    edges = tuple(e for e in graph.edges if e.target in on_path and e.reason not in STRUCTURE)
    kept = on_path.union(edge.source for edge in edges)
    return TraceGraph(
        Graph(
            tuple(node for node in graph.nodes if node.id in kept),
            edges,
            graph.episode,
            graph.version,
        ),
        {node: texts for node, texts in feedback.items() if node in on_path},
    )


def _reachable(
    start: Iterable[str],
    edges: Mapping[str, tuple[Edge, ...]],
    end: Literal["source", "target"],
) -> set[str]:
    """Return the nodes that are reached from `start` by stepping to the `end` of each edge."""
    seen = set(start)
    stack = list(seen)
    while stack:
        for edge in edges.get(stack.pop(), ()):
            node = edge.source if end == "source" else edge.target
            if node not in seen:
                seen.add(node)
                stack.append(node)
    return seen
