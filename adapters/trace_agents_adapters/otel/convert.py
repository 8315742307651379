"""Spans become DAGs: one graph an episode, whatever the order in which the spans arrive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from trace_agents.graph import Edge, Graph, Kind, Reason
from trace_agents_adapters.otel.calls import Call, read_call
from trace_agents_adapters.otel.conventions import EPISODE, VERSION
from trace_agents_adapters.otel.export import exported
from trace_agents_adapters.otel.flow import Flow
from trace_agents_adapters.otel.records import SpanRecord

Spans = Mapping[str, SpanRecord]


def spans_to_graphs(records: Iterable[SpanRecord]) -> list[Graph]:
    """Return one graph for each episode in `records`, by the time at which it began.

    A span's episode is the one that it is stamped with, else that of its causal root: the
    target of its link where it has one, else its parent. Spans may come in any order, twice,
    or without their parents; nothing is raised. A fragment without any data is left out.
    """
    spans = _unique(records)
    episodes: dict[str, list[SpanRecord]] = {}
    for span in spans.values():
        episodes.setdefault(_episode(span, spans), []).append(span)
    return [
        build_graph(group, name, _version(group))
        for name, group in episodes.items()
        if any(EPISODE in span.attributes or _has_data(span) for span in group)
    ]


def _has_data(span: SpanRecord) -> bool:
    call = read_call(span)
    return call is not None and call.kind is not Kind.AGENT


def build_graph(
    records: Iterable[SpanRecord],
    episode: str = "",
    version: int | None = None,
    *,
    problems: tuple[str, ...] = (),
) -> Graph:
    """Return the graph of the spans of one episode."""
    spans = _unique(records)
    whole = exported(spans.values())
    if whole is not None:
        return whole
    calls = {i: call for i, span in spans.items() if (call := read_call(span)) is not None}
    _fold_inner_runs(calls, spans)
    told_by = _merge_twins(calls, spans)
    flow = Flow(calls.values(), told_by)
    nodes, edges = flow.build()
    edges += _containment(calls, spans)
    missing = [s for s in spans.values() if s.parent_id and s.parent_id not in spans]
    found = [f"the parent of span {s.name!r} ({s.span_id}) is missing" for s in missing]
    found += [f"span {s.name!r} ({s.span_id}) never ended" for s in spans.values() if s.end is None]
    return Graph(tuple(nodes), tuple(edges), episode, version, (*problems, *found))


def _unique(records: Iterable[SpanRecord]) -> dict[str, SpanRecord]:
    """Return the spans by id, by their start; of two with one id, the one that ended."""
    spans: dict[str, SpanRecord] = {}
    for record in records:
        known = spans.get(record.span_id)
        if known is None or (known.end is None and record.end is not None):
            spans[record.span_id] = record
    return dict(sorted(spans.items(), key=lambda item: (item[1].start, item[0])))


def _episode(span: SpanRecord, spans: Spans) -> str:
    seen: set[str] = set()
    current, span_id = span, span.span_id
    while span_id not in seen:
        seen.add(span_id)
        stamp = current.text(EPISODE)
        if stamp is not None:
            return stamp
        above = current.links[0][1] if current.links else current.parent_id
        if above is None or above not in spans:
            return above or span_id
        span_id, current = above, spans[above]
    return min(seen)


def _version(spans: Iterable[SpanRecord]) -> int | None:
    for span in spans:
        version = span.attributes.get(VERSION)
        if isinstance(version, int):
            return version
    return None


def _fold_inner_runs(calls: dict[str, Call], spans: Spans) -> None:
    """Take each output that lies inside another run for that agent's part, not the episode's."""
    inside: dict[str, bool] = {}
    for span_id, span in spans.items():
        above = span.parent_id or ""
        run = above in calls and calls[above].kind in (Kind.AGENT, Kind.OUTPUT)
        inside[span_id] = run or inside.get(above, False)
        call = calls.get(span_id)
        if call is not None and call.kind is Kind.OUTPUT and inside[span_id]:
            calls[span_id] = replace(call, kind=Kind.AGENT)


def _merge_twins(calls: dict[str, Call], spans: Spans) -> dict[str, str]:
    """Fold each call into its parent where both tell one event; return who tells whom.

    AutoGen tells a tool call inside the span that our boundary opens around it.
    """
    told_by: dict[str, str] = {}
    for span_id, call in list(calls.items()):
        above = spans[span_id].parent_id or ""
        above = told_by.get(above, above)
        outer = calls.get(above)
        if outer is None or call.kind is not outer.kind or call.name != outer.name:
            continue
        if call.kind in (Kind.TOOL_CALL, Kind.LLM_CALL):
            calls[above] = replace(
                outer,
                call_id=outer.call_id or call.call_id,
                arguments=outer.arguments if outer.arguments is not None else call.arguments,
                result=outer.result if outer.result is not None else call.result,
                inputs=outer.inputs or call.inputs,
                outputs=outer.outputs or call.outputs,
                agent=outer.agent or call.agent,
            )
            del calls[span_id]
            told_by[span_id] = above
    return told_by


def _containment(calls: Mapping[str, Call], spans: Spans) -> list[Edge]:
    """Return the edges from each call's nearest agent to the call."""
    holder: dict[str, str | None] = {}
    edges: list[Edge] = []
    for span_id, span in spans.items():
        above = span.parent_id or ""
        in_agent = above in calls and calls[above].kind is Kind.AGENT
        holder[span_id] = above if in_agent else holder.get(above)
        agent = holder[span_id]
        if span_id in calls and agent is not None:
            edges.append(Edge(agent, span_id, Reason.CONTAINMENT))
    return edges
