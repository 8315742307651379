"""OTLP/JSON export requests become records; what is broken in one spoils nothing beside it.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids are hex, 64-bit integers
are text, and each attribute value is wrapped in an object that names its type. Writers that take
protobuf's own JSON mapping write ids as base64 and, some of them, names in snake case.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from trace_agents_adapters.otel.records import Event, Link, SpanRecord, Status
from trace_agents_adapters.otel.sources.loose import Json, is_list, items
from trace_agents_adapters.otel.sources.telemetry import LogRecord, Telemetry

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUS: tuple[Status, ...] = ("unset", "ok", "error")
SIGNALS = ("resourceSpans", "resourceLogs", "resourceMetrics")
MISTAKES = (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading a value of the wrong shape raises."""

_HEX = re.compile(r"(0x)?[0-9a-fA-F]+")
_BASE64_LENGTHS = frozenset({11, 12, 22, 24})
_SNAKE = re.compile(r"_([a-z])")


def is_request(document: object) -> bool:
    """Tell whether a JSON document is an export request of some signal."""
    if not isinstance(document, dict):
        return False
    return any(key in document or _snake(key) in document for key in SIGNALS)


def read_request(document: object, into: Telemetry) -> None:
    """Add the spans and log records of a request; metrics are passed over."""
    request = cast("Json", document)
    if not any(key in request for key in SIGNALS):
        request = cast("Json", _camel(request))
    for group in _listed(request, "resourceSpans", into):
        resource = _resource(group, into)
        scopes = "scopeSpans" if "scopeSpans" in group else "instrumentationLibrarySpans"
        for part in _listed(group, scopes, into):
            scope = _scope(part)
            for span in _listed(part, "spans", into):
                _add_span(span, scope, resource, into)
    for group in _listed(request, "resourceLogs", into):
        resource = _resource(group, into)
        for part in _listed(group, "scopeLogs", into):
            scope = _scope(part)
            for record in _listed(part, "logRecords", into):
                _add_log(record, scope, resource, into)


def _add_span(span: Json, scope: str, resource: Mapping[str, object], into: Telemetry) -> None:
    try:
        into.spans.append(_record(span, scope, resource))
    except MISTAKES as error:
        into.problems.append(f"a span was left out ({span.get('name', '')!r}): {said(error)}")
        return
    lost = _count(span.get("droppedAttributesCount"))
    if lost > 0:
        into.notes.append(dropped(str(span.get("name", "")), lost))


def _count(value: object) -> int:
    try:
        return integer(value)
    except MISTAKES:  # the span itself is read
        return 0


def dropped(name: str, count: int) -> str:
    """Return the sentence for a span that lost attributes where it was made."""
    return f"span {name!r} lost {count} attributes to its writer's limit on attributes"


def said(error: Exception) -> str:
    """Return an error as words of a sentence."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error) or type(error).__name__


def _add_log(record: Json, scope: str, resource: Mapping[str, object], into: Telemetry) -> None:
    try:
        attributes = _attributes(record)
        name = record.get("eventName") or attributes.get("event.name") or ""
        time = integer(record.get("timeUnixNano")) or integer(record.get("observedTimeUnixNano"))
        into.logs.append(
            LogRecord(
                str(name),
                time,
                _optional_id(record, "traceId") or "",
                _optional_id(record, "spanId") or "",
                unwrapped(cast("Json", record.get("body") or {})),
                attributes,
                scope,
                resource,
            )
        )
    except MISTAKES as error:
        into.problems.append(f"a log record was left out: {said(error)}")


def _record(span: Json, scope: str, resource: Mapping[str, object]) -> SpanRecord:
    status = _object(span, "status")
    return SpanRecord(
        trace_id=_id(span, "traceId"),
        span_id=_id(span, "spanId"),
        parent_id=_optional_id(span, "parentSpanId"),
        name=str(span.get("name", "")),
        kind=named(span.get("kind"), KINDS, "SPAN_KIND_"),
        start=integer(span.get("startTimeUnixNano")),
        end=integer(span.get("endTimeUnixNano")) or None,
        attributes=_attributes(span),
        status=cast("Status", named(status.get("code"), STATUS, "STATUS_CODE_")),
        message=str(status.get("message", "")),
        events=tuple(
            Event(str(e.get("name", "")), integer(e.get("timeUnixNano")), _attributes(e))
            for e in _objects(span, "events")
        ),
        links=tuple(_link(link) for link in _objects(span, "links")),
        scope=scope,
        resource=resource,
    )


def _link(link: Json) -> Link:
    return _id(link, "traceId"), _id(link, "spanId")


def _id(holder: Json, key: str) -> str:
    found = hex_id(str(holder[key]))
    if found is None:
        raise ValueError(f"{key!r} is all zeros")
    return found


def _optional_id(holder: Json, key: str) -> str | None:
    value = holder.get(key)
    return hex_id(str(value)) if value else None


def hex_id(text: str) -> str | None:
    """Return an id that was written as hex or base64 as lower-case hex; None if it is all zeros.

    Raises:
        ValueError: it is neither.
    """
    if len(text) in _BASE64_LENGTHS:
        found = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).hex()
    elif _HEX.fullmatch(text):
        found = text.lower().removeprefix("0x")
    else:
        raise ValueError(f"{text!r} is no id: neither hex nor base64")
    return found if found.strip("0") else None


def named(value: object, names: Sequence[str], prefix: str) -> str:
    """Return the name of an enum's value, which files write as a number or as its full name."""
    if isinstance(value, str) and not value.isdigit():
        name = value.removeprefix(prefix).lower()
        return name if name in names else names[0]
    number = integer(value)
    return names[number] if 0 <= number < len(names) else names[0]


def integer(value: object) -> int:
    """Return a whole number that may be written as text; 0 for anything else."""
    if isinstance(value, float):
        return int(value)
    return int(value) if isinstance(value, int | str) and value != "" else 0


def _listed(parent: Json, key: str, into: Telemetry) -> Iterator[Json]:
    value = parent.get(key)
    if value is not None and not is_list(value):
        into.problems.append(f"{key!r} is no list")
    for item in items(value):
        if isinstance(item, dict):
            yield cast("Json", item)
        else:
            into.problems.append(f"{key!r} holds {item!r:.60} where an object belongs")


def _resource(group: Json, into: Telemetry) -> Mapping[str, object]:
    try:
        return _attributes(_object(group, "resource"))
    except MISTAKES as error:
        into.problems.append(f"a resource was left out: {said(error)}")
        return {}


def _scope(part: Json) -> str:
    scope = part.get("scope") or part.get("instrumentationLibrary")
    return str(cast("Json", scope).get("name", "")) if isinstance(scope, dict) else ""


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


def _attributes(holder: Json) -> dict[str, object]:
    return _unwrapped_list(_objects(holder, "attributes"))


def _unwrapped_list(attributes: Iterable[Json]) -> dict[str, object]:
    return {str(a["key"]): unwrapped(cast("Json", a.get("value") or {})) for a in attributes}


def unwrapped(value: Json) -> object:
    """Return an attribute's value without the object that names its type."""
    for kind, content in value.items():
        match kind:
            case _ if content is None:
                continue
            case "intValue":
                return integer(content)
            case "doubleValue":
                return float(cast("float | str", content))
            case "bytesValue":
                return base64.b64decode(str(content))
            case "arrayValue":
                return [unwrapped(item) for item in _objects(cast("Json", content), "values")]
            case "kvlistValue":
                return _unwrapped_list(_objects(cast("Json", content), "values"))
            case _:
                return content
    return None


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)


def _camel(value: object) -> object:
    """Return a request with its names in camel case; attributes' keys are values, and stay."""
    if isinstance(value, list):
        return [_camel(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast("Json", value).items()
        return {_SNAKE.sub(lambda m: m[1].upper(), key): _camel(item) for key, item in members}
    return value
