"""Backward: from an output with feedback to the minimal subgraph that each parameter caused.

Minimal subgraph propagation after "Trace is the Next AutoDiff" (arXiv 2406.16218, section 4):
a parameter receives the nodes on its paths to the output, their direct inputs, and the feedback.
One marking pass against the edges and one along them, both iterative: O(V + E).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from trace_agents.graph import Graph, Kind
from trace_agents.propagate.minimal import minimal
from trace_agents.propagate.subgraph import TraceGraph

Feedbacks: TypeAlias = str | Mapping[str, str]
"""Words for every output of a graph, or for single nodes by id."""


def backward(
    graph: Graph, feedback: Feedbacks, *, parameters: Iterable[str] | None = None
) -> TraceGraph:
    """Return the minimal subgraph between the parameters and the outputs that got feedback.

    Args:
        graph: one episode; it is not changed.
        feedback: words for every output, or for single nodes by id.
        parameters: names to look for; all parameters without it.

    Raises:
        KeyError: feedback for a node that is not in the graph.
    """
    wanted = None if parameters is None else set(parameters)
    sources = [
        node.id for node in graph.of_kind(Kind.PARAMETER) if wanted is None or node.name in wanted
    ]
    said = at_outputs(graph, feedback)
    subgraph, on_path = minimal(graph, said, sources)
    return TraceGraph(subgraph, {n: (text,) for n, text in said.items() if n in on_path})


def at_outputs(graph: Graph, feedback: Feedbacks) -> dict[str, str]:
    """Return the feedback by node id.

    Raises:
        KeyError: feedback for a node that is not in the graph.
    """
    if isinstance(feedback, str):
        return {node.id: feedback for node in graph.outputs}
    for node in feedback:
        if node not in graph.by_id:
            raise KeyError(f"no node {node!r} in episode {graph.episode!r}")
    return dict(feedback)
