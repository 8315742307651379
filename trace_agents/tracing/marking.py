"""Backward on live nodes: one marking pass, iterative, without a copy of the graph.

The same result as `propagate.backward` on the plain graph: a node is on a path if a parameter
led to it, and it led to an output. The plain subgraph is made when somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from trace_agents.graph import Graph
from trace_agents.propagate import Propagator, TraceGraph
from trace_agents.tracing.context import Sent
from trace_agents.tracing.plain import to_graph
from trace_agents.tracing.walk import on_paths

if TYPE_CHECKING:
    from trace_agents.tracing.context import Mark
    from trace_agents.tracing.nodes import Node

M = TypeVar("M")


def deliver(ends: Sequence[Node], feedback: Sequence[str], *, retain: bool = False) -> TraceGraph:
    """Send feedback to the parameters that outputs of one recording came from."""
    found, parameters = on_paths(ends)
    mark = ends[0].mark
    texts = _by_node(ends, feedback)
    subgraph = TraceGraph.later(lambda: _content(texts, found, mark))
    scope = mark.scope() if mark is not None and mark.scope is not None else None
    if scope is not None:
        scope.received.append(Sent(subgraph, found))
    for parameter in parameters:
        parameter.receive(subgraph)
    if retain:
        for node in found:
            node.retain(subgraph)
    return subgraph


def propagated(
    ends: Sequence[Node], feedback: Sequence[str], propagator: Propagator[M]
) -> Mapping[Node, M]:
    """Return what every node received by a propagator's rules, parameters as the user has them."""
    ids: dict[Node, str] = {}
    used = [end.use() for end in ends]
    graph = to_graph(used, ids)
    said = {ids[node]: "\n".join(texts) for node, texts in _by_node(used, feedback).items()}
    received = propagator.propagate(graph, said)
    return {node.shown(): received[key] for node, key in ids.items() if key in received}


def _by_node(ends: Sequence[Node], feedback: Sequence[str]) -> dict[Node, tuple[str, ...]]:
    texts: dict[Node, tuple[str, ...]] = {}
    for end, text in zip(ends, feedback, strict=True):
        texts[end] = (*texts.get(end, ()), text)
    return texts


def _content(
    texts: Mapping[Node, tuple[str, ...]], found: set[Node], mark: Mark | None
) -> tuple[Graph, dict[str, tuple[str, ...]]]:
    ids: dict[Node, str] = {}
    graph = to_graph(texts, ids, on_path=found, mark=mark)
    return graph, {ids[end]: said for end, said in texts.items() if end in found}
