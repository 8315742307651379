"""A span as plain data: what the SDK ended, or what a trace file tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

from opentelemetry.sdk.trace import ReadableSpan

Status: TypeAlias = Literal["unset", "ok", "error"]
Link: TypeAlias = tuple[str, str]
"""Trace id and span id, in hex."""


def _nothing() -> Mapping[str, object]:
    return MappingProxyType({})


_STATUS: tuple[Status, ...] = ("unset", "ok", "error")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one moment of a span, such as an exception."""

    name: str
    time: int
    attributes: Mapping[str, object] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One span. Ids are lower-case hex; times are nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    name: str = ""
    kind: str = "internal"
    """internal, server, client, producer or consumer."""
    start: int = 0
    end: int | None = None
    """None: the span was never ended."""
    attributes: Mapping[str, object] = field(default_factory=_nothing)
    """Text, numbers, booleans, bytes, and lists and mappings of them."""
    status: Status = "unset"
    message: str = ""
    """The status's description."""
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    scope: str = ""
    """The name of the instrumentation that made the span."""
    resource: Mapping[str, object] = field(default_factory=_nothing, compare=False)

    def text(self, key: str) -> str | None:
        """Return an attribute that is text and not empty, else None."""
        value = self.attributes.get(key)
        return value if isinstance(value, str) and value else None


def from_sdk(span: ReadableSpan) -> SpanRecord:
    """Return the record of a span of the SDK, ended or not."""
    context = span.get_span_context()
    scope = span.instrumentation_scope
    return SpanRecord(
        trace_id=f"{context.trace_id:032x}" if context else "",
        span_id=f"{context.span_id:016x}" if context else "",
        parent_id=f"{span.parent.span_id:016x}" if span.parent else None,
        name=span.name,
        kind=span.kind.name.lower(),
        start=span.start_time or 0,
        end=span.end_time,
        attributes=_plain_mapping(span.attributes),
        status=_STATUS[span.status.status_code.value],
        message=span.status.description or "",
        events=tuple(Event(e.name, e.timestamp, _plain_mapping(e.attributes)) for e in span.events),
        links=tuple(
            (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") for link in span.links
        ),
        scope=scope.name if scope else "",
        resource=_plain_mapping(span.resource.attributes),
    )


def _plain_mapping(attributes: Mapping[str, object] | None) -> dict[str, object]:
    return {key: plain(value) for key, value in (attributes or {}).items()}


def plain(value: object) -> object:
    """Return `value` with its sequences as lists and its mappings as dicts, all the way down."""
    if isinstance(value, Mapping):
        return _plain_mapping(cast("Mapping[str, object]", value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in cast("Sequence[object]", value)]
    return value
