"""`backward` for whatever feedback can be about: an episode's graph, a node, several nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, overload

from trace_agents.errors import InvalidValue
from trace_agents.graph import Graph
from trace_agents.propagate import Feedbacks, TraceGraph
from trace_agents.propagate import backward as of_graph
from trace_agents.tracing.context import Mark
from trace_agents.tracing.marking import deliver
from trace_agents.tracing.nodes import Node

Outputs: TypeAlias = Node | Sequence[Node]


@overload
def backward(
    target: Graph, feedback: Feedbacks, *, parameters: Iterable[str] | None = None
) -> TraceGraph: ...
@overload
def backward(
    target: Outputs, feedback: str | Sequence[str], *, retain: bool = False
) -> TraceGraph: ...
def backward(
    target: Graph | Outputs,
    feedback: Feedbacks | Sequence[str],
    *,
    parameters: Iterable[str] | None = None,
    retain: bool = False,
) -> TraceGraph:
    """Return the minimal subgraph between the parameters and the outputs that got feedback.

    Minimal subgraph propagation after "Trace is the Next AutoDiff" (arXiv 2406.16218, section 4),
    linear in nodes and edges.

    Args:
        target: an episode's graph, which is not changed; or a node, or several, whose
            parameters keep what they receive.
        feedback: words for every output. For a graph also a mapping by node id; for several
            nodes also one sentence each.
        parameters: of a graph, names to look for; all parameters without it.
        retain: of nodes, keep the subgraph at every node on the way, not only at parameters.

    Raises:
        KeyError: feedback for a node that is not in the graph.
        InvalidValue: no output, or not one sentence for each.
    """
    if isinstance(target, Graph):
        return of_graph(target, _for_graph(feedback), parameters=parameters)
    nodes = [target] if isinstance(target, Node) else list(target)
    said = [feedback] * len(nodes) if isinstance(feedback, str) else list(feedback)
    if not nodes or len(said) != len(nodes):
        raise InvalidValue(
            f"got {len(said)} sentences of feedback for {len(nodes)} outputs; give one for each"
        )
    return _of_nodes(nodes, said, retain=retain)


def _for_graph(feedback: Feedbacks | Sequence[str]) -> Feedbacks:
    if isinstance(feedback, str | Mapping):
        return feedback
    raise InvalidValue("feedback about a graph is one text, or a mapping from node ids to texts")


def _of_nodes(nodes: Sequence[Node], said: Sequence[str], *, retain: bool) -> TraceGraph:
    groups: dict[Mark | None, list[tuple[Node, str]]] = {}
    for node, text in zip(nodes, said, strict=True):
        used = node.use()
        groups.setdefault(used.mark, []).append((used, text))
    parts = [
        deliver([n for n, _ in group], [t for _, t in group], retain=retain)
        for group in groups.values()
    ]
    return parts[0] if len(parts) == 1 else parts[0].merge(*parts[1:])
