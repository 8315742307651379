"""A graph as a Mermaid flow chart."""

from __future__ import annotations

from trace_agents.graph import Graph, Kind
from trace_agents.propagate import TraceGraph
from trace_agents.render.words import clip, one_line, operation


def to_mermaid(graph: Graph | TraceGraph, *, limit: int = 200) -> str:
    """Return a flow chart of the first `limit` nodes; a note says how many are not shown."""
    plain = graph.graph if isinstance(graph, TraceGraph) else graph
    shown = {node.id: f"n{index}" for index, node in enumerate(plain.nodes[:limit])}
    lines = ["flowchart TD"]
    for node in plain.nodes[:limit]:
        left, right = ("([", "])") if node.kind is Kind.PARAMETER else ("[", "]")
        lines.append(f'    {shown[node.id]}{left}"{_drawn(operation(node))}"{right}')
    lines.extend(
        f"    {shown[edge.source]} --> {shown[edge.target]}"
        for edge in plain.edges
        if edge.source in shown and edge.target in shown
    )
    if len(plain.nodes) > limit:
        lines.append(f'    more["… {len(plain.nodes) - limit} more nodes not shown"]')
    return "\n".join(lines) + "\n"


def _drawn(text: str) -> str:
    return clip(one_line(text), 60).translate(
        {ord("&"): "&amp;", ord('"'): "&quot;", ord("<"): "&lt;", ord(">"): "&gt;"}
    )
