"""Records as spans of the SDK, so that any exporter that the user has can send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes

from trace_agents_adapters.otel.records import SpanRecord

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_KINDS = {kind.name.lower(): kind for kind in SpanKind}


def to_sdk(record: SpanRecord) -> ReadableSpan:
    """Return the span of the SDK that `from_sdk` makes this record of."""
    parent = record.parent_id
    return ReadableSpan(
        record.name,
        _context(record.trace_id, record.span_id),
        _context(record.trace_id, parent) if parent else None,
        Resource(_attributes(record.resource) or {}),
        _attributes(record.attributes),
        tuple(Event(e.name, _attributes(e.attributes), e.time) for e in record.events),
        tuple(Link(_context(trace, span)) for trace, span in record.links),
        _KINDS.get(record.kind, SpanKind.INTERNAL),
        status=_status(record),
        start_time=record.start,
        end_time=record.end,
        instrumentation_scope=InstrumentationScope(record.scope),
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=_SAMPLED)


def _status(record: SpanRecord) -> Status:
    code = StatusCode[record.status.upper()]
    # the SDK warns of a description where there is no error
    return Status(code, record.message or None) if code is StatusCode.ERROR else Status(code)


def _attributes(attributes: Mapping[str, object]) -> Attributes:
    return cast("Attributes", {key: v for key, v in attributes.items() if v is not None})
