"""Trace files: OTLP/JSON, one ExportTraceServiceRequest a line or one in the whole file.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids are hex, 64-bit integers
are text, and each attribute value is wrapped in an object that names its type.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

from trace_agents.errors import TraceFileError
from trace_agents_adapters.otel.records import Event, Link, SpanRecord, Status

Json: TypeAlias = dict[str, object]

_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUS: tuple[Status, ...] = ("unset", "ok", "error")


def to_line(records: Sequence[SpanRecord]) -> str:
    """Return one ExportTraceServiceRequest as a line of JSON, without the line's end."""
    groups: dict[str, tuple[Mapping[str, object], dict[str, list[Json]]]] = {}
    for record in records:
        resource = json.dumps(_attributes(record.resource))
        scopes = groups.setdefault(resource, (record.resource, {}))[1]
        scopes.setdefault(record.scope, []).append(_span(record))
    request = {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [
                    {"scope": {"name": name}, "spans": spans} for name, spans in scopes.items()
                ],
            }
            for resource, scopes in groups.values()
        ]
    }
    return json.dumps(request, separators=(",", ":"), allow_nan=False)


def _span(record: SpanRecord) -> Json:
    span: Json = {
        "traceId": record.trace_id,
        "spanId": record.span_id,
        "name": record.name,
        "kind": _KINDS.index(record.kind) if record.kind in _KINDS else 0,
        "startTimeUnixNano": str(record.start),
        "attributes": _attributes(record.attributes),
        "events": [
            {"timeUnixNano": str(e.time), "name": e.name, "attributes": _attributes(e.attributes)}
            for e in record.events
        ],
        "links": [{"traceId": trace, "spanId": span} for trace, span in record.links],
        "status": {"code": _STATUS.index(record.status), "message": record.message},
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


def read_spans(path: str | Path) -> list[SpanRecord]:
    """Return the spans of a trace file; a name that ends in `.gz` is unpacked.

    Raises:
        TraceFileError: the file cannot be read, or does not hold OTLP/JSON.
    """
    where = Path(path)
    text = _content(where)
    requests = _whole(text)
    if requests is None:
        requests = _by_line(where, text)
    spans: list[SpanRecord] = []
    for line, request in requests:
        try:
            spans.extend(_spans_of(request))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise _broken(where, line, f"no OTLP/JSON export request: {error}") from None
    return spans


def _content(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise TraceFileError(f"cannot read the trace file {str(path)!r}: {error}") from error


def _whole(text: str) -> list[tuple[int, object]] | None:
    try:
        return [(1, json.loads(text))]
    except ValueError:
        return None


def _by_line(path: Path, text: str) -> list[tuple[int, object]]:
    requests: list[tuple[int, object]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                requests.append((number, json.loads(line)))
            except (ValueError, RecursionError) as error:
                raise _broken(path, number, f"no JSON: {error}") from None
    return requests


def _broken(path: Path, line: int, why: str) -> TraceFileError:
    return TraceFileError(
        f"{str(path)!r}, line {line}: {why}; a trace file holds one OTLP/JSON export request a line"
    )


def _spans_of(request: object) -> Iterator[SpanRecord]:
    if not isinstance(request, dict) or "resourceSpans" not in request:
        raise ValueError("'resourceSpans' is missing")
    for group in _objects(cast("Json", request), "resourceSpans"):
        resource = _unwrapped_list(_objects(_object(group, "resource"), "attributes"))
        for scope_spans in _objects(group, "scopeSpans"):
            scope = str(_object(scope_spans, "scope").get("name", ""))
            for span in _objects(scope_spans, "spans"):
                yield _record(span, scope, resource)


def _record(span: Json, scope: str, resource: Mapping[str, object]) -> SpanRecord:
    status = _object(span, "status")
    end = _int(span.get("endTimeUnixNano"))
    return SpanRecord(
        trace_id=_hex(span, "traceId"),
        span_id=_hex(span, "spanId"),
        parent_id=str(span.get("parentSpanId") or "").lower() or None,
        name=str(span.get("name", "")),
        kind=_named(span.get("kind"), _KINDS, "SPAN_KIND_"),
        start=_int(span.get("startTimeUnixNano")),
        end=end or None,
        attributes=_unwrapped_list(_objects(span, "attributes")),
        status=cast("Status", _named(status.get("code"), _STATUS, "STATUS_CODE_")),
        message=str(status.get("message", "")),
        events=tuple(
            Event(
                str(event.get("name", "")),
                _int(event.get("timeUnixNano")),
                _unwrapped_list(_objects(event, "attributes")),
            )
            for event in _objects(span, "events")
        ),
        links=tuple(_link(link) for link in _objects(span, "links")),
        scope=scope,
        resource=resource,
    )


def _link(link: Json) -> Link:
    return _hex(link, "traceId"), _hex(link, "spanId")


def _hex(span: Json, key: str) -> str:
    value = str(span[key])
    int(value, 16)
    return value.lower()


def _named(value: object, names: Sequence[str], prefix: str) -> str:
    """Return the name of an enum's value, which files write as a number or as its full name."""
    if isinstance(value, str) and not value.isdigit():
        name = value.removeprefix(prefix).lower()
        return name if name in names else names[0]
    number = _int(value)
    return names[number] if number < len(names) else names[0]


def _int(value: object) -> int:
    return int(value) if isinstance(value, int | str) and value != "" else 0


def _object(parent: Json, key: str) -> Json:
    value: object = parent.get(key) or {}
    if not isinstance(value, dict):
        raise ValueError(f"{key!r} is no object")
    return cast("Json", value)


def _objects(parent: Json, key: str) -> list[Json]:
    value: object = parent.get(key) or []
    if not isinstance(value, list) or not all(isinstance(i, dict) for i in cast("Json", value)):
        raise ValueError(f"{key!r} is no list of objects")
    return cast("list[Json]", value)


def _unwrapped_list(attributes: Iterable[Json]) -> dict[str, object]:
    return {str(a["key"]): _unwrapped(cast("Json", a.get("value") or {})) for a in attributes}


def _unwrapped(value: Json) -> object:
    for kind, content in value.items():
        match kind:
            case "intValue":
                return _int(content)
            case "doubleValue":
                return float(cast("float | str", content))
            case "bytesValue":
                return base64.b64decode(str(content))
            case "arrayValue":
                return [_unwrapped(item) for item in _objects(cast("Json", content), "values")]
            case "kvlistValue":
                return _unwrapped_list(_objects(cast("Json", content), "values"))
            case _:
                return content
    return None
