"""Which spans belong to one episode: by our stamp, else by the span that caused them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trace_agents.graph import Kind
from trace_agents_adapters.otel.conventions import EPISODE
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.messages import texts_of
from trace_agents_adapters.otel.dag.tree import Forest, Spans, causes
from trace_agents_adapters.otel.dag.values import text_leaves
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.vocabularies import read_call

Calls = Mapping[str, Call]
_DATA = frozenset({Kind.LLM_CALL, Kind.TOOL_CALL})
_COMMON = 16
"""Tool calls with the same argument that are looked at, to find the one around a run."""


def group(spans: Spans, calls: Calls) -> tuple[dict[str, list[SpanRecord]], dict[str, str]]:
    """Return the spans of each episode, and the spans that a tool call adopted, with that call.

    A run that was started inside a tool without its context has a trace of its own. It is adopted
    where it lies within the tool call's time and was given one of the call's arguments.
    """
    forest = Forest(spans, causes(spans))
    names = _names(spans, forest)
    adopted = dict(_adopted(spans, calls, names, forest))
    if adopted:
        names = _names(spans, Forest(spans, {**forest.above, **adopted}))
    episodes: dict[str, list[SpanRecord]] = {}
    for span_id, span in spans.items():
        episodes.setdefault(names[span_id], []).append(span)
    return episodes, adopted


def _names(spans: Spans, forest: Forest) -> dict[str, str]:
    names: dict[str, str] = {}
    for span_id in forest.order:
        span, above = spans[span_id], forest.above[span_id]
        stamp = span.text(EPISODE)
        if stamp is not None:
            names[span_id] = stamp
        elif above is not None:
            names[span_id] = names[above]
        else:
            names[span_id] = _lost_parent(span, spans) or span_id
    return names


def _lost_parent(span: SpanRecord, spans: Spans) -> str | None:
    above = span.links[0][1] if span.links else span.parent_id
    return above if above not in spans else None


def _adopted(
    spans: Spans, calls: Calls, names: Mapping[str, str], forest: Forest
) -> Iterator[tuple[str, str]]:
    """Yield each root whose run a tool call started, with that tool call."""
    tools = _by_argument(calls, names)
    if not tools:
        return
    runs: dict[str, list[str]] = {}
    for span_id in spans:
        runs.setdefault(names[span_id], []).append(span_id)
    for ids in runs.values():
        if any(EPISODE in spans[i].attributes for i in ids):
            continue
        start = min(spans[i].start for i in ids)
        holder = _holder(_first_texts(ids, calls), tools, start, ids, spans)
        if holder is not None:
            yield from ((i, holder) for i in ids if forest.above[i] is None)


def _by_argument(calls: Calls, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the tool calls by the texts in their arguments, as they or their askers tell them."""
    asked = {
        (names[span_id], part.id): part.arguments
        for span_id, call in calls.items()
        for part in call.outputs
        if part.type == "tool_call" and part.id
    }
    tools: dict[str, list[str]] = {}
    for span_id, call in calls.items():
        if call.kind is Kind.TOOL_CALL:
            given = call.arguments
            if given is None:
                given = asked.get((names[span_id], call.call_id))
            for _, text in text_leaves(given):
                tools.setdefault(text.strip(), []).append(span_id)
    return tools


def _first_texts(ids: Iterable[str], calls: Calls) -> Iterator[str]:
    """Yield what the first call or run of a group that was given any text was given."""
    for span_id in ids:
        call = calls.get(span_id)
        if call is None:
            continue
        if call.kind is Kind.LLM_CALL:
            yield from (p.text for p in call.inputs if p.type == "text")
            return
        found = False
        for _, text in texts_of(call.given):
            found = True
            yield text
        if found:
            return


def _holder(
    texts: Iterable[str], tools: Mapping[str, list[str]], start: int, ids: list[str], spans: Spans
) -> str | None:
    """Return the innermost tool call around a run; None where two could be it."""
    own = set(ids)
    around = {
        tool
        for text in texts
        for tool in tools.get(text.strip(), ())[-_COMMON:]
        if tool not in own and spans[tool].start <= start <= (spans[tool].end or start)
    }
    if not around:
        return None
    latest = max(spans[tool].start for tool in around)
    inner = [tool for tool in around if spans[tool].start == latest]
    return inner[0] if len(inner) == 1 and (len(around) == 1 or _nested(around, spans)) else None


def _nested(around: Iterable[str], spans: Spans) -> bool:
    """Whether tool calls lie one inside another in one trace, so that the innermost is meant."""
    return len({spans[tool].trace_id for tool in around}) == 1


def read_calls(spans: Spans) -> dict[str, Call]:
    """Return what each span tells, by its id."""
    return {i: call for i, span in spans.items() if (call := read_call(span)) is not None}
