"""Log records that belong to spans: instrumentations may write messages there and not on spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.records import Event, SpanRecord
from trace_agents_adapters.otel.sources.telemetry import LogRecord


def with_logs(spans: Iterable[SpanRecord], logs: Iterable[LogRecord]) -> list[SpanRecord]:
    """Return the spans with their log records as events; a record of no known span is dropped.

    Some instrumentations log in the context of the step around a model call. What such a record
    tells belongs to the call in that step which is nearest to it in time.
    """
    spans = list(spans)
    logs = [log for log in logs if log.span_id]
    if not logs:
        return spans
    known = {span.span_id: span for span in spans}
    inside = _model_calls(spans)
    told: dict[str, list[Event]] = {}
    for log in logs:
        event = _event(log)
        owner = _owner(log, known, inside)
        if event is not None and owner is not None:
            told.setdefault(owner, []).append(event)
    return [
        replace(span, events=(*span.events, *told[span.span_id])) if span.span_id in told else span
        for span in spans
    ]


def _event(log: LogRecord) -> Event | None:
    name = log.name or str(log.attributes.get("event.name") or "")
    attributes = dict(log.attributes)
    if log.body is not None and log.body != {}:
        attributes.setdefault("body", log.body)
    return Event(name, log.time, attributes) if name else None


def _is_model_call(span: SpanRecord) -> bool:
    return span.text(names.OPERATION) in names.CHAT_OPERATIONS


def _model_calls(spans: Sequence[SpanRecord]) -> dict[str, list[SpanRecord]]:
    found: dict[str, list[SpanRecord]] = {}
    for span in spans:
        if span.parent_id and _is_model_call(span):
            found.setdefault(span.parent_id, []).append(span)
    return found


def _owner(
    log: LogRecord, known: Mapping[str, SpanRecord], inside: Mapping[str, list[SpanRecord]]
) -> str | None:
    span = known.get(log.span_id)
    if span is None or _is_model_call(span) or log.span_id not in inside:
        return None if span is None else log.span_id
    return min(inside[log.span_id], key=lambda call: _distance(call, log.time)).span_id


def _distance(call: SpanRecord, time: int) -> int:
    end = call.start if call.end is None else call.end
    return max(call.start - time, time - end, 0)
