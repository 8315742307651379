"""Spans as JSON objects with a `context`: exports of Phoenix, and what the SDK's console prints.

Phoenix gives three shapes: its REST interface `{"data": [span, ...]}`, the same with OTLP's names
(`/spans/otlpv1`), and its data frames as records, where nested names are columns such as
`context.span_id` and `attributes.llm.model_name`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from trace_agents_adapters.otel.conventions import OPERATION, TOOL_ARGUMENTS
from trace_agents_adapters.otel.records import Event, Link, SpanRecord, Status
from trace_agents_adapters.otel.sources.loose import Json, is_list, items, mapping, objects
from trace_agents_adapters.otel.sources.otlp_decode import (
    KINDS,
    MISTAKES,
    STATUS,
    hex_id,
    named,
    read_request,
    said,
)
from trace_agents_adapters.otel.sources.telemetry import Telemetry

_SPAN_KIND = "openinference.span.kind"
_JSON_TEXTS = ("metadata", "tool.parameters", "llm.prompt_template.variables")
"""Attributes that hold JSON text, which Phoenix takes apart."""


def is_export(document: object) -> bool:
    """Tell whether a JSON document is one such span, or a list or page of them."""
    first = next(_spans(document), None)
    return first is not None and (_is_span(first) or _is_otlp(first))


def read_export(document: object, into: Telemetry) -> None:
    """Add the spans of an export."""
    spans = list(_spans(document))
    if spans and _is_otlp(spans[0]):
        found = Telemetry()
        read_request({"resource_spans": [{"scope_spans": [{"spans": spans}]}]}, found)
        found.spans = [replace(s, attributes=_own_kind(dict(s.attributes))) for s in found.spans]
        into.extend(found)
        return
    for span in spans:
        try:
            into.spans.append(_record(span))
        except MISTAKES as error:
            into.problems.append(f"a span was left out ({span.get('name', '')!r}): {said(error)}")


def _spans(document: object) -> Iterator[Json]:
    held = mapping(document).get("data", document)
    yield from objects(held if is_list(held) else [held])


def _is_span(span: Json) -> bool:
    context = span.get("context")
    nested = isinstance(context, dict) and "span_id" in context
    return (nested or "context.span_id" in span) and "name" in span


def _is_otlp(span: Json) -> bool:
    return "span_id" in span and "start_time_unix_nano" in span and "kind" in span


def _record(span: Json) -> SpanRecord:
    context = mapping(span.get("context")) or _below(span, "context")
    status = mapping(span.get("status"))
    parent = span.get("parent_id")
    resource = mapping(span.get("resource")).get("attributes")
    return SpanRecord(
        _id(context["trace_id"]),
        _id(context["span_id"]),
        _id(parent) if parent else None,
        str(span.get("name", "")),
        named(str(span.get("kind", "internal")), KINDS, "SpanKind."),
        nanoseconds(span.get("start_time")),
        nanoseconds(span["end_time"]) if span.get("end_time") else None,
        _attributes(span),
        _status(span.get("status_code", status.get("status_code"))),
        str(span.get("status_message") or status.get("description") or ""),
        tuple(_event(event) for event in objects(span.get("events"))),
        tuple(_link(link) for link in objects(span.get("links"))),
        resource=mapping(resource),
    )


def _status(code: object) -> Status:
    return cast("Status", named(str(code or "unset"), STATUS, "STATUS_CODE_"))


def _attributes(span: Json) -> dict[str, object]:
    nested = mapping(span.get("attributes")) or _below(span, "attributes")
    flat: Json = dict(_flattened(nested))
    for name in _JSON_TEXTS:
        parts = _below(flat, name)
        if parts and name not in flat:
            flat = {key: value for key, value in flat.items() if not key.startswith(f"{name}.")}
            flat[name] = json.dumps(parts)
    flat.setdefault(_SPAN_KIND, span.get("span_kind"))
    return _own_kind(flat)


def _own_kind(attributes: Json) -> Json:
    """Return attributes without a kind that is Phoenix's translation of the GenAI names.

    Some instrumentations emit both, and a tool's arguments in OpenInference's names alone.
    """
    kind = attributes.pop(_SPAN_KIND, None)
    bare_tool = kind == "TOOL" and TOOL_ARGUMENTS not in attributes
    if kind not in (None, "", "UNKNOWN") and (OPERATION not in attributes or bare_tool):
        attributes[_SPAN_KIND] = kind
    return attributes


def _below(holder: Json, name: str) -> dict[str, object]:
    """Return the members whose names begin with `name` and a dot, without that."""
    start = f"{name}."
    found = {k.removeprefix(start): v for k, v in holder.items() if k.startswith(start)}
    # a data frame has every column in every row
    return {key: value for key, value in found.items() if value is not None}


def _flattened(nested: Json, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield nested members under dotted names; lists of objects count their items."""
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if name in _JSON_TEXTS and isinstance(value, dict):
            yield name, json.dumps(value)
        elif isinstance(value, dict):
            yield from _flattened(cast("Json", value), f"{name}.")
        elif objects := _all_objects(value):
            for number, item in enumerate(objects):
                yield from _flattened(item, f"{name}.{number}.")
        else:
            yield name, value


def _event(event: Json) -> Event:
    return Event(
        str(event.get("name", "")),
        nanoseconds(event.get("timestamp")),
        mapping(event.get("attributes")),
    )


def _link(link: Json) -> Link:
    context = mapping(link.get("context"))
    return _id(context["trace_id"]), _id(context["span_id"])


def _all_objects(value: object) -> list[Json]:
    """Return a list of nothing but objects; an empty list where the value is anything else."""
    found = objects(value)
    return found if len(found) == len(items(value)) else []


def nanoseconds(value: object) -> int:
    """Return a time, written in ISO 8601 or as milliseconds since 1970, as nanoseconds; 0 for none.

    Raises:
        ValueError: text that is no time.
    """
    if isinstance(value, str):
        # datetime knows microseconds, which is what those who write such times know
        moment = datetime.fromisoformat(value)
        since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
        return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    return int(value) * 10**6 if isinstance(value, int | float) else 0


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _id(value: object) -> str:
    found = hex_id(str(value))
    if found is None:
        raise ValueError("an id is all zeros")
    return found
