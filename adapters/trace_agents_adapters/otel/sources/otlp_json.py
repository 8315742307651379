"""OTLP/JSON, as everything here writes it: one ExportTraceServiceRequest a line.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids are hex, 64-bit integers
are text, and each attribute value is wrapped in an object that names its type.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.sources.loose import Json
from trace_agents_adapters.otel.sources.otlp_decode import KINDS, STATUS
from trace_agents_adapters.otel.sources.telemetry import LogRecord

__all__ = ["logs_to_line", "to_line"]


def to_line(records: Sequence[SpanRecord]) -> str:
    """Return one ExportTraceServiceRequest as a line of JSON, without the line's end."""
    told = ((record.resource, record.scope, _span(record)) for record in records)
    return _request("resourceSpans", "scopeSpans", "spans", told)


def logs_to_line(records: Sequence[LogRecord]) -> str:
    """Return one ExportLogsServiceRequest as a line of JSON, without the line's end."""
    told = ((record.resource, record.scope, _log(record)) for record in records)
    return _request("resourceLogs", "scopeLogs", "logRecords", told)


def _request(
    by_resource: str,
    by_scope: str,
    name: str,
    told: Iterable[tuple[Mapping[str, object], str, Json]],
) -> str:
    groups: dict[str, dict[str, list[Json]]] = {}
    # records of one source share one mapping: it is written once
    written: dict[int, tuple[Mapping[str, object], str]] = {}
    for resource, scope, record in told:
        if id(resource) not in written:
            written[id(resource)] = (resource, _compact(_attributes(resource)))
        scopes = groups.setdefault(written[id(resource)][1], {})
        scopes.setdefault(scope, []).append(record)
    # resources are text already, and stand in a text of their own
    parts = [
        f'{{"resource":{{"attributes":{resource}}},"{by_scope}":'
        + _compact([{"scope": {"name": scope}, name: found} for scope, found in scopes.items()])
        + "}"
        for resource, scopes in groups.items()
    ]
    return f'{{"{by_resource}":[{",".join(parts)}]}}'


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _log(record: LogRecord) -> Json:
    return {
        "timeUnixNano": str(record.time),
        "eventName": record.name,
        "traceId": record.trace_id,
        "spanId": record.span_id,
        "body": _wrapped(record.body),
        "attributes": _attributes(record.attributes),
    }


def _span(record: SpanRecord) -> Json:
    span: Json = {
        "traceId": record.trace_id,
        "spanId": record.span_id,
        "name": record.name,
        "kind": KINDS.index(record.kind) if record.kind in KINDS else 0,
        "startTimeUnixNano": str(record.start),
        "attributes": _attributes(record.attributes),
        "events": [
            {"timeUnixNano": str(e.time), "name": e.name, "attributes": _attributes(e.attributes)}
            for e in record.events
        ],
        "links": [{"traceId": trace, "spanId": span} for trace, span in record.links],
        "status": {"code": STATUS.index(record.status), "message": record.message},
    }
    if record.parent_id is not None:
        span["parentSpanId"] = record.parent_id
    if record.end is not None:
        span["endTimeUnixNano"] = str(record.end)
    return span


def _attributes(attributes: Mapping[str, object]) -> list[Json]:
    return [{"key": key, "value": _wrapped(value)} for key, value in attributes.items()]


def _wrapped(value: object) -> Json:
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else _special(value)}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case Mapping():
            return {"kvlistValue": {"values": _attributes(cast("Mapping[str, object]", value))}}
        case list() | tuple():
            items = cast("Sequence[object]", value)
            return {"arrayValue": {"values": [_wrapped(item) for item in items]}}
        case _:
            return {"stringValue": str(value)}


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
