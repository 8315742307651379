"""Graphs as spans: any graph goes out as a trace, and comes back as an equal graph."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from trace_agents.errors import TraceAgentsError
from trace_agents.feedback import Feedback
from trace_agents.graph import Graph, GraphNode, Kind
from trace_agents.serialize import graph_from_json, graph_to_json
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.dag.cycles import without_cycles
from trace_agents_adapters.otel.exporting.evaluations import to_event
from trace_agents_adapters.otel.exporting.sdk import to_sdk
from trace_agents_adapters.otel.exporting.thinking import ModelCall, call_to_record
from trace_agents_adapters.otel.records import Link, SpanRecord
from trace_agents_adapters.otel.scrub import scrub
from trace_agents_adapters.otel.sources.otlp_decode import MISTAKES

_MICRO = 1000
_SCOPE = "trace_agents"
_POSITION = "position"
# of a node among the others; a graph has no times
_BATCH = 512
# spans that go to the exporter at once


class ExportFailed(TraceAgentsError, RuntimeError):
    """The exporter refused spans; those of earlier batches were taken."""


def export_graphs(
    graphs: Iterable[Graph],
    exporter: SpanExporter,
    *,
    feedback: Mapping[str, Feedback] | None = None,
    calls: Iterable[ModelCall] = (),
    start: int | None = None,
) -> int:
    """Send graphs as spans, from which the same graphs can be read; return how many spans.

    Args:
        graphs: what to send; their spans' ids depend on nothing but their content.
        exporter: any exporter of spans, such as OTLP's.
        feedback: what a guide said, by episode.
        calls: an optimizer's own model calls; they are linked to the episodes they are about.
        start: nanoseconds since 1970 at which the spans begin; now without it.

    Raises:
        ExportFailed: the exporter said that it failed.
    """
    began = time.time_ns() if start is None else start
    given = feedback or {}
    records: list[SpanRecord] = []
    roots: dict[str, Link] = {}
    for graph in graphs:
        own = graph_to_records(graph, feedback=given.get(graph.episode), start=began)
        roots[graph.episode] = (own[0].trace_id, own[0].span_id)
        records += own
        # one after another, so that they are read in their order
        began += (len(own) + 1) * _MICRO
    records += [call_to_record(call, roots) for call in calls]
    for first in range(0, len(records), _BATCH):
        batch = [to_sdk(scrub(record)) for record in records[first : first + _BATCH]]
        if exporter.export(batch) is not SpanExportResult.SUCCESS:
            raise ExportFailed(
                f"{type(exporter).__name__} refused spans {first + 1} to {first + len(batch)} of "
                f"{len(records)}; its log says why"
            )
    return len(records)


def graph_to_records(
    graph: Graph, *, feedback: Feedback | None = None, start: int = 0
) -> list[SpanRecord]:
    """Return a root span, and below it one span for each node, linked to the nodes it took from.

    A graph has no times: from `start` on, each node has a microsecond of its own. Values are
    written as JSON. Feedback becomes an event on the span of the output, else on the root's.
    """
    about = graph_to_json(graph)
    nodes = cast("list[dict[str, object]]", about.pop("nodes"))
    del about["problems"]
    whole = json.dumps([about, nodes], default=str)
    trace_id = hashlib.sha256(whole.encode()).hexdigest()[:32]
    ids = {node.id: _span_id(trace_id, f"node {node.id}") for node in graph.nodes}
    root = _span_id(trace_id, "root")
    stamp: dict[str, object] = {names.EPISODE: graph.episode}
    if graph.version is not None:
        stamp[names.VERSION] = graph.version
    end = start + (len(graph.nodes) + 1) * _MICRO
    head = SpanRecord(
        trace_id,
        root,
        name=f"episode {graph.episode}",
        start=start,
        end=end,
        attributes={**stamp, names.GRAPH: json.dumps(about)},
        scope=_SCOPE,
    )
    records = [head]
    for position, (node, data) in enumerate(zip(graph.nodes, nodes, strict=True), 1):
        sources = dict.fromkeys(e.source for e in graph.inputs.get(node.id, ()))
        whole = json.dumps({**data, _POSITION: position}, default=str)
        told = {names.NODE_KIND: str(node.kind), names.NODE: whole}
        records.append(
            SpanRecord(
                trace_id,
                ids[node.id],
                root,
                node.name,
                start=start + position * _MICRO,
                end=start + (position + 1) * _MICRO,
                attributes={**stamp, **told},
                status="unset" if node.error is None else "error",
                message=node.error or "",
                links=tuple((trace_id, ids[s]) for s in sources if s in ids),
                scope=_SCOPE,
            )
        )
    if feedback is not None:
        judged = next((ids[node.id] for node in graph.of_kind(Kind.OUTPUT)), root)
        event = to_event(feedback, end)
        records = [replace(r, events=(event,)) if r.span_id == judged else r for r in records]
    return records


def exported(spans: Iterable[SpanRecord]) -> Graph | None:
    """Return the graph that was written as these spans; None where they are no such export."""
    ordered = list(spans)
    head = next((s for s in ordered if names.GRAPH in s.attributes), None)
    if head is None:
        return None
    own = [s for s in ordered if s.trace_id == head.trace_id]
    problems: tuple[str, ...] = ()
    if any(s.trace_id != head.trace_id and names.GRAPH in s.attributes for s in ordered):
        problems = ("another exported graph of the same episode was left out",)
    try:
        graph = _graph(head, own)
        known = {node.id: node for node in graph.nodes if _is_sound(node)}
        kept = [e for e in graph.edges if e.source in known and e.target in known]
    except MISTAKES as error:
        return Graph(problems=(f"an exported graph does not parse: {error!r}",))
    if len(kept) < len(graph.edges):
        problems = (*problems, "some spans of an exported graph are missing")
    if len(known) < len(graph.nodes):
        problems = (*problems, "nodes of an exported graph are told twice, or of the wrong sort")
    places = {node: (place, 0) for place, node in enumerate(known)}
    edges, dropped = without_cycles(kept, places.__getitem__)
    problems += tuple(f"an edge from {e.source} to {e.target} closed a cycle" for e in dropped)
    return replace(graph, nodes=tuple(known.values()), edges=tuple(edges), problems=problems)


def _graph(head: SpanRecord, own: Iterable[SpanRecord]) -> Graph:
    nodes = [_json(s.attributes[names.NODE]) for s in own if names.NODE in s.attributes]
    # not by time: some that store spans round it
    nodes.sort(key=lambda node: cast("int", node.pop(_POSITION)))
    return graph_from_json({**_json(head.attributes[names.GRAPH]), "nodes": nodes})


def _is_sound(node: GraphNode) -> bool:
    """Whether what must be text is text: a file may claim anything."""
    told = (node.id, node.name, node.description, node.operation, *node.spans)
    return all(map(_is_text, told)) and all(
        text is None or _is_text(text) for text in (node.agent, node.error)
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _json(value: object) -> dict[str, object]:
    # MLflow stores JSON text as what it says
    return cast("dict[str, object]", json.loads(value) if isinstance(value, str) else value)


def _span_id(trace_id: str, node: str) -> str:
    return hashlib.sha256(f"{trace_id}/{node}".encode()).hexdigest()[:16]
