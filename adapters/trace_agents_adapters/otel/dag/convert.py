"""Spans become DAGs: one graph an episode, whatever the order in which the spans arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trace_agents.graph import Graph
from trace_agents_adapters.otel.conventions import EPISODE, VERSION
from trace_agents_adapters.otel.dag.beside import merge_beside
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.episodes import group, read_calls
from trace_agents_adapters.otel.dag.flow import Flow
from trace_agents_adapters.otel.dag.merging import fold_inner_runs, merge_twins
from trace_agents_adapters.otel.dag.scene import Scene
from trace_agents_adapters.otel.dag.tree import Forest, Spans, causes, parents, unique
from trace_agents_adapters.otel.exporting.export import exported
from trace_agents_adapters.otel.records import SpanRecord


def spans_to_graphs(records: Iterable[SpanRecord]) -> list[Graph]:
    """Return one graph for each episode in `records`, by the time at which it began.

    A span's episode is the one that it is stamped with, else that of its causal root: the
    target of its link where it has one, else its parent. Spans may come in any order, twice,
    or without their parents; nothing is raised. A fragment without any data is left out.
    """
    spans = unique(records)
    calls = read_calls(spans)
    episodes, adopted = group(spans, calls)
    return [
        _graph(_by_id(members), calls, name, _version(members), adopted)
        for name, members in episodes.items()
        if any(EPISODE in span.attributes or _has_data(calls.get(span.span_id)) for span in members)
    ]


def build_graph(
    records: Iterable[SpanRecord],
    episode: str = "",
    version: int | None = None,
    *,
    problems: tuple[str, ...] = (),
) -> Graph:
    """Return the graph of the spans of one episode."""
    spans = unique(records)
    return _graph(spans, read_calls(spans), episode, version, {}, problems)


def _by_id(members: Iterable[SpanRecord]) -> dict[str, SpanRecord]:
    return {span.span_id: span for span in members}


def _has_data(call: Call | None) -> bool:
    return call is not None and (
        not call.is_structure or call.given is not None or call.gave is not None
    )


def _graph(
    spans: Spans,
    known: Mapping[str, Call],
    episode: str,
    version: int | None,
    adopted: Mapping[str, str],
    problems: tuple[str, ...] = (),
) -> Graph:
    whole = exported(spans.values())
    if whole is not None:
        return whole
    calls = {span_id: known[span_id] for span_id in spans if span_id in known}
    holding = Forest(spans, parents(spans))
    mine = {span: tool for span, tool in adopted.items() if span in spans}
    causing = Forest(spans, {**causes(spans), **mine})
    fold_inner_runs(calls, holding)
    told_by = merge_twins(calls, holding)
    beside = merge_beside(calls)
    told_by = {span: beside.get(main, main) for span, main in told_by.items()} | beside
    scene = Scene(calls, holding, causing, told_by)
    flow = Flow(scene)
    nodes, edges = flow.build()
    holders, contained = scene.structure()
    found = (*problems, *_problems(spans, calls.values(), causing), *flow.problems)
    return Graph((*nodes, *holders), (*edges, *contained), episode, version, found)


def _problems(spans: Spans, calls: Iterable[Call], causing: Forest) -> Iterator[str]:
    for span in spans.values():
        if span.parent_id and span.parent_id not in spans:
            yield f"the parent of span {span.name!r} ({span.span_id}) is missing"
        if span.end is None:
            yield f"span {span.name!r} ({span.span_id}) never ended"
    for span_id in causing.cut:
        yield f"the parents of span {spans[span_id].name!r} ({span_id}) lead back to itself"
    for call in calls:
        yield from call.problems


def _version(spans: Iterable[SpanRecord]) -> int | None:
    for span in spans:
        version = span.attributes.get(VERSION)
        if isinstance(version, int):
            return version
    return None


__all__ = ["build_graph", "spans_to_graphs"]
