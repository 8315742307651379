"""Graphs as spans: any graph goes out as a trace, and comes back as an equal graph."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import cast

from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.records import SpanRecord


def graph_to_records(graph: Graph) -> list[SpanRecord]:
    """Return a root span, and below it one span for each node, linked to the nodes it took from.

    Times are positions, since a graph has none. Values are written as JSON.
    """
    nodes = [_node_json(node) for node in graph.nodes]
    edges = [[e.source, e.target, str(e.reason), e.label] for e in graph.edges]
    whole = json.dumps([graph.episode, graph.version, nodes, edges], default=str)
    trace_id = hashlib.sha256(whole.encode()).hexdigest()[:32]
    ids = {node.id: _span_id(trace_id, f"node {node.id}") for node in graph.nodes}
    root = _span_id(trace_id, "root")
    about = {"episode": graph.episode, "version": graph.version, "edges": edges}
    stamp: dict[str, object] = {names.EPISODE: graph.episode}
    if graph.version is not None:
        stamp[names.VERSION] = graph.version
    end = len(graph.nodes) + 1
    records = [
        SpanRecord(
            trace_id,
            root,
            name=f"episode {graph.episode}",
            end=end,
            attributes={**stamp, names.GRAPH: json.dumps(about)},
            scope="trace_agents",
        )
    ]
    for position, (node, data) in enumerate(zip(graph.nodes, nodes, strict=True), 1):
        sources = dict.fromkeys(e.source for e in graph.inputs.get(node.id, ()))
        records.append(
            SpanRecord(
                trace_id,
                ids[node.id],
                root,
                node.name,
                start=position,
                end=position,
                attributes={
                    **stamp,
                    names.NODE_KIND: str(node.kind),
                    names.NODE: json.dumps(data, default=str),
                },
                status="unset" if node.error is None else "error",
                message=node.error or "",
                links=tuple((trace_id, ids[s]) for s in sources if s in ids),
                scope="trace_agents",
            )
        )
    return records


def exported(spans: Iterable[SpanRecord]) -> Graph | None:
    """Return the graph that was written as these spans; None where they are no such export."""
    ordered = list(spans)
    about = next((text for s in ordered if (text := s.text(names.GRAPH)) is not None), None)
    if about is None:
        return None
    found = [text for s in ordered if (text := s.text(names.NODE)) is not None]
    try:
        head = cast("Mapping[str, object]", json.loads(about))
        nodes = [_node(cast("dict[str, object]", json.loads(text))) for text in found]
        listed = cast("list[list[str]]", head["edges"])
        edges = [Edge(source, target, Reason(why), label) for source, target, why, label in listed]
    except (ValueError, KeyError, TypeError) as error:
        return Graph(problems=(f"an exported graph does not parse: {error!r}",))
    known = {node.id for node in nodes}
    kept = tuple(e for e in edges if e.source in known and e.target in known)
    version = head.get("version")
    return Graph(
        tuple(nodes),
        kept,
        str(head.get("episode", "")),
        version if isinstance(version, int) else None,
        () if len(kept) == len(edges) else ("some spans of an exported graph are missing",),
    )


def _span_id(trace_id: str, node: str) -> str:
    return hashlib.sha256(f"{trace_id}/{node}".encode()).hexdigest()[:16]


def _node_json(node: GraphNode) -> dict[str, object]:
    return {
        "id": node.id,
        "kind": str(node.kind),
        "name": node.name,
        "value": node.value,
        "agent": node.agent,
        "description": node.description,
        "error": node.error,
        "finished": node.finished,
        "spans": list(node.spans),
    }


def _node(data: dict[str, object]) -> GraphNode:
    error, agent = data["error"], data["agent"]
    return GraphNode(
        str(data["id"]),
        Kind(str(data["kind"])),
        str(data["name"]),
        data["value"],
        None if agent is None else str(agent),
        str(data["description"]),
        None if error is None else str(error),
        bool(data["finished"]),
        tuple(str(span) for span in cast("list[object]", data["spans"])),
    )
