"""OTLP/protobuf export requests become records: one message, or one after another with lengths."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from trace_agents.errors import ExtraNotInstalled
from trace_agents_adapters.otel.records import Event, SpanRecord
from trace_agents_adapters.otel.sources.otlp_decode import KINDS, STATUS, dropped
from trace_agents_adapters.otel.sources.telemetry import LogRecord, Telemetry

Message: TypeAlias = Any
# protobuf's classes are made at run time; they never leave this module

T = TypeVar("T")

_COLLECTOR = "opentelemetry.proto.collector"


def read_traces(data: bytes, into: Telemetry) -> None:
    """Add the spans of an ExportTraceServiceRequest.

    Raises:
        ValueError: the bytes are no such request.
        ExtraNotInstalled: the protobuf classes are missing.
    """
    request = _parsed("trace", "ExportTraceServiceRequest", data)
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for part in group.scope_spans:
            for span in part.spans:
                _add_span(span, part.scope.name, resource, into)


def read_logs(data: bytes, into: Telemetry) -> None:
    """Add the log records of an ExportLogsServiceRequest.

    Raises:
        ValueError: the bytes are no such request.
        ExtraNotInstalled: the protobuf classes are missing.
    """
    request = _parsed("logs", "ExportLogsServiceRequest", data)
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes)
        for part in group.scope_logs:
            for record in part.log_records:
                into.logs.append(_log(record, part.scope.name, resource))


def read_file(data: bytes, into: Telemetry) -> bool:
    """Add what a file of requests holds; False where it is not protobuf of any known sort."""
    return _read_either(data, into) or _read_delimited(data, into)


def response(signal: str, rejected: int, why: str) -> bytes:
    """Return the collector's answer to a request; it names what was rejected, if anything."""
    answer = _class(signal, f"Export{signal.title()}ServiceResponse")()
    if rejected:
        setattr(answer.partial_success, REJECTED[signal], rejected)
        answer.partial_success.error_message = why
    content: bytes = answer.SerializeToString()
    return content


REJECTED = {"trace": "rejected_spans", "logs": "rejected_log_records"}
"""The name of the count of rejected records in a collector's answer, by signal."""


def _read_either(data: bytes, into: Telemetry) -> bool:
    # both requests have one shape at the top; only the right one yields ids or bodies
    for reader in (read_traces, read_logs):
        found = Telemetry()
        try:
            reader(data, found)
        except ValueError:
            continue
        if found.spans or any(r.body or r.attributes for r in found.logs):
            into.extend(found)
            return True
    return False


def _read_delimited(data: bytes, into: Telemetry) -> bool:
    count = 0
    for number, message in enumerate(_messages(data), 1):
        if message is not None and _read_either(message, into):
            count += 1
        elif not count:
            return False
        else:
            into.problems.append(f"message {number} is cut or no export request")
    return count > 0


def _messages(data: bytes) -> Iterator[bytes | None]:
    """Yield the messages behind their varint lengths; None for a last one that is cut."""
    position = 0
    while position < len(data):
        length = shift = 0
        while True:
            if position >= len(data) or shift > 63:
                yield None
                return
            byte = data[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if position + length > len(data):
            yield None
            return
        yield data[position : position + length]
        position += length


def _parsed(signal: str, name: str, data: bytes) -> Message:
    kind = _class(signal, name)
    decode_error = importlib.import_module("google.protobuf.message").DecodeError
    try:
        request = kind.FromString(data)
    except decode_error as error:
        raise ValueError(f"no {name}: {error}") from None
    if data and not request.ListFields():
        # bytes of another message count as unknown fields, and are no mistake to protobuf
        raise ValueError(f"no {name}: none of its fields is set")
    return request


def _class(signal: str, name: str) -> Message:
    try:
        module = importlib.import_module(f"{_COLLECTOR}.{signal}.v1.{signal}_service_pb2")
    except ModuleNotFoundError as error:
        raise ExtraNotInstalled("opentelemetry-proto", "otel") from error
    return getattr(module, name)


def _add_span(span: Message, scope: str, resource: Mapping[str, object], into: Telemetry) -> None:
    if len(span.trace_id) != 16 or len(span.span_id) != 8 or not any(span.span_id):
        into.problems.append(f"a span was left out ({span.name!r}): it has no id")
        return
    into.spans.append(
        SpanRecord(
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex() if any(span.parent_span_id) else None,
            name=span.name,
            kind=_named(KINDS, span.kind),
            start=span.start_time_unix_nano,
            end=span.end_time_unix_nano or None,
            attributes=_attributes(span.attributes),
            status=_named(STATUS, span.status.code),
            message=span.status.message,
            events=tuple(
                Event(event.name, event.time_unix_nano, _attributes(event.attributes))
                for event in span.events
            ),
            links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
            scope=scope,
            resource=resource,
        )
    )
    if span.dropped_attributes_count:
        into.notes.append(dropped(span.name, span.dropped_attributes_count))


def _named(names: Sequence[T], number: int) -> T:
    # an enum of protobuf may hold a number that is newer than its names
    return names[number] if 0 <= number < len(names) else names[0]


def _log(record: Message, scope: str, resource: Mapping[str, object]) -> LogRecord:
    attributes = _attributes(record.attributes)
    # older releases of the protobuf classes do not know the field
    name = getattr(record, "event_name", "") or attributes.get("event.name") or ""
    return LogRecord(
        str(name),
        record.time_unix_nano or record.observed_time_unix_nano,
        record.trace_id.hex() if any(record.trace_id) else "",
        record.span_id.hex() if any(record.span_id) else "",
        _value(record.body),
        attributes,
        scope,
        resource,
    )


def _attributes(attributes: Iterable[Message]) -> dict[str, object]:
    return {attribute.key: _value(attribute.value) for attribute in attributes}


def _value(value: Message) -> object:
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case _:
            found: object = getattr(value, kind)
            return found
