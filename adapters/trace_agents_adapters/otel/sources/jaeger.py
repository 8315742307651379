"""Exports of Jaeger: what its page downloads, and what its second query interface answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from trace_agents_adapters.otel.records import Event, Link, SpanRecord, Status
from trace_agents_adapters.otel.sources.loose import Json, is_list, mapping, objects
from trace_agents_adapters.otel.sources.otlp_decode import (
    KINDS,
    MISTAKES,
    STATUS,
    hex_id,
    integer,
    named,
    read_request,
    said,
)
from trace_agents_adapters.otel.sources.telemetry import Telemetry

_MICRO = 1000
_ABOUT_THE_SPAN = frozenset(
    {
        "span.kind",
        "otel.status_code",
        "otel.status_description",
        "otel.scope.name",
        "otel.library.name",
        "error",
        "internal.span.format",
    }
)
"""Tags in which Jaeger keeps what OpenTelemetry has fields for."""


def is_export(document: object) -> bool:
    """Tell whether a JSON document holds traces as Jaeger writes them."""
    held = mapping(document)
    return "resourceSpans" in _result(held) or any(_is_trace(trace) for trace in _traces(held))


def read_export(document: object, into: Telemetry) -> None:
    """Add the spans of an export."""
    held = mapping(document)
    if "resourceSpans" in _result(held):
        read_request(_result(held), into)
        return
    for trace in _traces(held):
        if not _is_trace(trace):
            continue
        processes = mapping(trace.get("processes"))
        for span in objects(trace["spans"]):
            try:
                into.spans.append(_record(span, processes))
            except MISTAKES as error:
                into.problems.append(f"a span was left out: {said(error)}")


def _result(document: Json) -> Json:
    return mapping(document.get("result"))


def _traces(document: Json) -> list[Json]:
    """Return the traces of an export: those of `data`, or the document as one trace."""
    data = document.get("data")
    return objects(data) if is_list(data) else [document]


def _is_trace(trace: Json) -> bool:
    spans = objects(trace.get("spans"))
    return bool(spans) and "traceID" in spans[0]


def _record(span: Json, processes: Json) -> SpanRecord:
    tags = _values(span.get("tags"))
    trace_id = _id(span["traceID"], 32)
    parent, links = _references(span)
    start = integer(span.get("startTime")) * _MICRO
    process = mapping(span.get("process") or processes.get(str(span.get("processID"))))
    return SpanRecord(
        trace_id,
        _id(span["spanID"], 16),
        parent,
        str(span.get("operationName", "")),
        named(tags.get("span.kind", "internal"), KINDS, "SPAN_KIND_"),
        start,
        start + integer(span.get("duration")) * _MICRO,
        {key: value for key, value in tags.items() if key not in _ABOUT_THE_SPAN},
        _status(tags),
        str(tags.get("otel.status_description", "")),
        tuple(_event(log) for log in objects(span.get("logs"))),
        links,
        str(tags.get("otel.scope.name") or tags.get("otel.library.name") or ""),
        {"service.name": process.get("serviceName", ""), **_values(process.get("tags"))},
    )


def _status(tags: Mapping[str, object]) -> Status:
    if "otel.status_code" in tags:
        return cast("Status", named(tags["otel.status_code"], STATUS, "STATUS_CODE_"))
    return "error" if tags.get("error") in (True, "true") else "unset"


def _references(span: Json) -> tuple[str | None, tuple[Link, ...]]:
    """Return the parent, and the links: every reference but the first `CHILD_OF` in the trace."""
    parent = span.get("parentSpanID")
    found = _id(parent, 16) if parent else None
    links: list[Link] = []
    for reference in objects(span.get("references")):
        above = _id(reference["spanID"], 16)
        if reference.get("refType") == "CHILD_OF" and found in (None, above):
            found = above
        else:
            links.append((_id(reference["traceID"], 32), above))
    return found, tuple(links)


def _event(log: Json) -> Event:
    fields = _values(log.get("fields"))
    name = str(fields.pop("event", ""))
    return Event(name, integer(log.get("timestamp")) * _MICRO, fields)


def _values(tags: object) -> dict[str, object]:
    return {str(tag["key"]): _value(tag) for tag in objects(tags)}


def _value(tag: Json) -> object:
    value = tag.get("value")
    return integer(value) if tag.get("type") == "int64" else value


def _id(value: object, digits: int) -> str:
    # Jaeger leaves out leading zeros
    found = hex_id(str(value).rjust(digits, "0"))
    if found is None:
        raise ValueError("an id is all zeros")
    return found
