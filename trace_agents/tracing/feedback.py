"""`backward` for whatever feedback can be about: an episode's graph, a node, several nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import TypeAlias, cast, overload

from trace_agents.errors import InvalidValue
from trace_agents.feedback import Feedback, Said, in_words
from trace_agents.graph import Graph
from trace_agents.propagate import Feedbacks, TraceGraph
from trace_agents.propagate import backward as of_graph
from trace_agents.tracing.context import Mark
from trace_agents.tracing.marking import deliver
from trace_agents.tracing.nodes import Node

Outputs: TypeAlias = Node | Sequence[Node]
_Any: TypeAlias = Said | Sequence[Said] | Mapping[str, Said]


@overload
def backward(
    target: Graph,
    feedback: Said | Mapping[str, Said],
    *,
    parameters: Iterable[str] | None = None,
) -> TraceGraph: ...
@overload
def backward(
    target: Outputs, feedback: Said | Sequence[Said], *, retain: bool = False
) -> TraceGraph: ...
def backward(
    target: Graph | Outputs,
    feedback: _Any,
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
        feedback: words, a score, or both, for every output. For a graph also a mapping by node
            id; for several nodes also a list with what is said of each.
        parameters: of a graph, names to look for; all parameters without it.
        retain: of nodes, keep the subgraph at every node on the way, not only at parameters.

    Raises:
        KeyError: feedback for a node that is not in the graph.
        InvalidValue: no output, not one sentence for each, or neither words nor a score.
    """
    if isinstance(target, Graph):
        return of_graph(target, _for_graph(feedback), parameters=parameters)
    nodes = [target] if isinstance(target, Node) else list(target)
    said = _for_nodes(feedback, len(nodes))
    if not nodes or len(said) != len(nodes):
        raise InvalidValue(
            f"got {len(said)} sentences of feedback for {len(nodes)} outputs; give one for each"
        )
    return _of_nodes(nodes, said, retain=retain)


def _for_graph(feedback: _Any) -> Feedbacks:
    if isinstance(feedback, Mapping):
        return {node: in_words(said) for node, said in feedback.items()}
    if isinstance(feedback, list):
        raise InvalidValue(
            "feedback about a graph is one text, or a mapping from node ids to texts"
        )
    return in_words(cast("Said", feedback))


def _for_nodes(feedback: _Any, count: int) -> list[str]:
    one = isinstance(feedback, str | Feedback | int | float) or _is_pair(feedback)
    if one or not isinstance(feedback, Sequence):
        return [in_words(cast("Said", feedback))] * count
    return [in_words(said) for said in feedback]


def _is_pair(feedback: _Any) -> bool:
    """Whether it is a score and words, and not what is said of two nodes."""
    return isinstance(feedback, tuple) and len(feedback) == 2 and isinstance(feedback[0], Real)


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
