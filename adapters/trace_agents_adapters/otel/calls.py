"""Readers: each turns a span of one vocabulary into what the graph needs to know of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, cast

from trace_agents.graph import Kind
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.records import Link, SpanRecord


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message: text, a tool call, or a tool's result."""

    role: str
    type: str
    text: str = ""
    """The text, or the result of a tool."""
    id: str = ""
    name: str = ""
    arguments: object = None


@dataclass(frozen=True, slots=True)
class Call:
    """What one span tells, whatever its vocabulary."""

    span: SpanRecord
    kind: Kind
    name: str
    agent: str | None = None
    inputs: tuple[Part, ...] = ()
    outputs: tuple[Part, ...] = ()
    call_id: str = ""
    arguments: object = None
    result: str | None = None
    bound: tuple[tuple[str, object], ...] = ()
    """The parameters that were bound into the call."""
    output: object = None
    links: tuple[Link, ...] = ()


Reader: TypeAlias = Callable[[SpanRecord], Call | None]


def read_call(span: SpanRecord) -> Call | None:
    """Return what a span tells; None where it is only structure."""
    for reader in READERS:
        call = reader(span)
        if call is not None:
            return call
    return None


def _own(span: SpanRecord) -> Call | None:
    if span.text(names.NODE_KIND) != Kind.OUTPUT:
        return None
    value = parsed(span.attributes.get(names.OUTPUT))
    agent = span.text(names.AGENT_NAME)
    name = span.text(names.WORKFLOW_NAME) or agent or span.name
    return Call(span, Kind.OUTPUT, name, agent, output=value, links=span.links)


def _genai(span: SpanRecord) -> Call | None:
    operation = span.text(names.OPERATION)
    agent = span.text(names.AGENT_NAME)
    if operation in names.CHAT_OPERATIONS:
        instructions = {"role": "system", "parts": _data(span, names.SYSTEM_INSTRUCTIONS)}
        return Call(
            span,
            Kind.LLM_CALL,
            span.text(names.REQUEST_MODEL) or span.name,
            agent,
            inputs=tuple(_parts([instructions, *_objects(_data(span, names.INPUT_MESSAGES))])),
            outputs=tuple(_parts(_data(span, names.OUTPUT_MESSAGES))),
            bound=_bound(span),
        )
    if operation == "execute_tool":
        result = span.attributes.get(names.TOOL_RESULT)
        return Call(
            span,
            Kind.TOOL_CALL,
            span.text(names.TOOL_NAME) or span.name,
            agent,
            call_id=span.text(names.TOOL_CALL_ID) or "",
            arguments=parsed(span.attributes.get(names.TOOL_ARGUMENTS)),
            result=None if result is None else as_text(result),
        )
    if operation in names.AGENT_OPERATIONS:
        return Call(span, Kind.AGENT, agent or span.name, agent)
    return None


READERS: tuple[Reader, ...] = (_own, _genai)
"""One reader for each vocabulary; the first that knows a span's attributes reads it."""


def _data(span: SpanRecord, key: str) -> object:
    return parsed(span.attributes.get(key))


def parsed(value: object) -> object:
    """Return JSON text as data; other text, such as JSON that was cut, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def as_text(value: object) -> str:
    """Return a value as the text that a prompt would hold."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _objects(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, list):
        for item in cast("list[object]", value):
            if isinstance(item, dict):
                yield cast("dict[str, object]", item)


def _parts(messages: object) -> Iterator[Part]:
    for message in _objects(messages):
        role = str(message.get("role", ""))
        for part in _objects(message.get("parts")):
            match part.get("type"):
                case "text":
                    yield Part(role, "text", as_text(part.get("content") or ""))
                case "tool_call":
                    named, call = str(part.get("name", "")), str(part.get("id") or "")
                    yield Part(role, "tool_call", "", call, named, part.get("arguments"))
                case "tool_call_response":
                    text = as_text(part.get("response", part.get("result", "")))
                    yield Part(role, "tool_call_response", text, str(part.get("id") or ""))
                case _:
                    pass


def _bound(span: SpanRecord) -> tuple[tuple[str, object], ...]:
    stamped = span.attributes.get(names.PARAMETERS)
    if not isinstance(stamped, list):
        return ()
    values = _data(span, names.PARAMETER_VALUES)
    known = cast("dict[str, object]", values) if isinstance(values, dict) else {}
    return tuple((str(name), known.get(str(name))) for name in cast("list[object]", stamped))
