"""Exports of MLflow: its traces as JSON, tables of them, and what its REST interface answers.

MLflow writes every attribute as JSON text, and tells its own spans by `mlflow.spanType`. Spans
that no other vocabulary tells are put into the words of the GenAI conventions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.records import Event, Link, SpanRecord, Status
from trace_agents_adapters.otel.sources.loose import Json, is_list, items, mapping, objects, parsed
from trace_agents_adapters.otel.sources.otlp_decode import (
    MISTAKES,
    STATUS,
    hex_id,
    integer,
    named,
    read_request,
    said,
)
from trace_agents_adapters.otel.sources.telemetry import Telemetry

_OPERATIONS = {
    "TOOL": "execute_tool",
    "LLM": "chat",
    "CHAT_MODEL": "chat",
    "AGENT": "invoke_agent",
}
_TOLD = ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind")
"""Attributes of vocabularies that say more than MLflow's own."""


def is_export(document: object) -> bool:
    """Tell whether a JSON document is a trace of MLflow, or a list or page of them."""
    return any(True for _ in _traces(document))


def read_export(document: object, into: Telemetry) -> None:
    """Add the spans of an export."""
    for trace in _traces(document):
        if trace and is_list(trace[0].get("attributes")):
            _read_otlp(trace, into)
            continue
        for span in trace:
            try:
                into.spans.append(_record(span))
            except MISTAKES as error:
                why = said(error)
                into.problems.append(f"a span was left out ({span.get('name', '')!r}): {why}")


def _read_otlp(spans: list[Json], into: Telemetry) -> None:
    """Add spans that are written as OTLP writes them."""
    found = Telemetry()
    read_request({"resource_spans": [{"scope_spans": [{"spans": spans}]}]}, found)
    found.spans = [
        replace(span, attributes={**span.attributes, **_told(span.name, span.attributes)})
        for span in found.spans
    ]
    into.extend(found)


def _traces(document: object) -> Iterator[list[Json]]:
    """Yield the spans of each trace in a document."""
    for item in items(document):
        yield from _traces(item)
    held = mapping(document)
    data = mapping(held.get("data"))
    if "info" in held and data:
        yield objects(data.get("spans"))
    elif "trace_info" in held:
        yield objects(held.get("spans"))
    elif "traces" in held:
        yield from _traces(held["traces"])
    elif mapping(held.get("trace")):
        yield from _traces(held["trace"])
    elif "request_time" in held or "timestamp_ms" in held:
        yield from _row(held)


def _row(row: Json) -> Iterator[list[Json]]:
    """Yield the spans of a row of `search_traces()`."""
    spans = parsed(row.get("spans"))
    if is_list(spans):
        yield objects(spans)
    else:
        yield from _traces(parsed(row.get("trace")))


def _record(span: Json) -> SpanRecord:
    context = mapping(span.get("context")) or span
    parent = span.get("parent_span_id") or span.get("parent_id")
    status = mapping(span.get("status"))
    code = status.get("code", span.get("status_code"))
    raw = mapping(span.get("attributes"))
    attributes = {key: parsed(value) for key, value in raw.items()}
    end = span.get("end_time_unix_nano") or span.get("end_time")
    return SpanRecord(
        _id(context["trace_id"]),
        _id(context["span_id"]),
        _id(parent) if parent else None,
        str(span.get("name", "")),
        start=integer(span.get("start_time_unix_nano") or span.get("start_time")),
        end=integer(end) or None,
        attributes={**attributes, **_told(str(span.get("name", "")), attributes)},
        status=cast("Status", named(str(code or "unset"), STATUS, "STATUS_CODE_")),
        message=str(status.get("message") or span.get("status_message") or ""),
        events=tuple(_event(event) for event in objects(span.get("events"))),
        links=tuple(_link(link) for link in objects(span.get("links"))),
    )


def _told(name: str, attributes: Mapping[str, object]) -> Json:
    """Return what a span of MLflow's own tells, as attributes of the GenAI conventions."""
    operation = _OPERATIONS.get(str(attributes.get("mlflow.spanType")))
    if operation is None or any(key in attributes for key in _TOLD):
        return {}
    inputs, outputs = attributes.get("mlflow.spanInputs"), attributes.get("mlflow.spanOutputs")
    told: Json = {names.OPERATION: operation}
    match operation:
        case "execute_tool":
            told |= {names.TOOL_NAME: name, names.TOOL_ARGUMENTS: json.dumps(inputs)}
            if outputs is not None:
                told[names.TOOL_RESULT] = _text(outputs)
        case "chat":
            told[names.REQUEST_MODEL] = str(attributes.get("mlflow.llm.model") or name)
            told[names.INPUT_MESSAGES] = json.dumps(_asked(inputs))
            told[names.OUTPUT_MESSAGES] = json.dumps(_answered(outputs))
        case _:
            told[names.AGENT_NAME] = name
    return told


def _asked(inputs: object) -> list[Json]:
    messages = mapping(inputs).get("messages", inputs)
    # some frameworks batch their calls: a list of lists of messages
    batch = items(messages)
    if batch and is_list(batch[0]):
        messages = batch[0]
    found = objects(messages)
    if found:
        return [_message(message, "user") for message in found]
    return [] if inputs is None else [_message({"content": inputs}, "user")]


def _answered(outputs: object) -> list[Json]:
    choices = objects(mapping(outputs).get("choices"))
    messages = [mapping(choice.get("message")) for choice in choices]
    if not messages and mapping(outputs).get("content") is not None:
        messages = [mapping(outputs)]
    if messages:
        return [_message(message, "assistant") for message in messages]
    return [] if outputs is None else [_message({"content": outputs}, "assistant")]


def _message(message: Json, role: str) -> Json:
    """Return a message of a chat interface as the GenAI conventions write it."""
    role = str(
        message.get("role") or {"human": "user", "ai": "assistant"}.get(_kind(message), role)
    )
    content = message.get("content")
    if role == "tool" or _kind(message) == "tool":
        answer = {"id": message.get("tool_call_id"), "response": content}
        return {"role": "tool", "parts": [{"type": "tool_call_response", **answer}]}
    parts: list[Json] = (
        [] if content in (None, "") else [{"type": "text", "content": _text(content)}]
    )
    for call in objects(message.get("tool_calls")):
        function = mapping(call.get("function")) or call
        arguments = parsed(function.get("arguments", function.get("args")))
        named_call = {"id": call.get("id"), "name": function.get("name"), "arguments": arguments}
        parts.append({"type": "tool_call", **named_call})
    return {"role": role, "parts": parts}


def _kind(message: Json) -> str:
    return str(message.get("type", ""))


def _text(content: object) -> str:
    """Return a message's content as text: itself, its text parts, or JSON."""
    if isinstance(content, str):
        return content
    texts = [part["text"] for part in objects(content) if isinstance(part.get("text"), str)]
    return "\n".join(cast("list[str]", texts)) or json.dumps(content, ensure_ascii=False)


def _event(event: Json) -> Event:
    time = integer(event.get("time_unix_nano")) or integer(event.get("timestamp"))
    return Event(str(event.get("name", "")), time, mapping(event.get("attributes")))


def _link(link: Json) -> Link:
    return _id(link["trace_id"]), _id(link["span_id"])


def _id(value: object) -> str:
    # MLflow 3 names a trace "tr-" and its id where it is not OpenTelemetry's
    found = hex_id(str(value).removeprefix("tr-"))
    if found is None:
        raise ValueError("an id is all zeros")
    return found
