"""OpenTelemetry's GenAI conventions: attributes, nested or as JSON, events, and log records.

https://github.com/open-telemetry/semantic-conventions-genai. Log records reach this reader as
events of their span (see `otel.sources.logs`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trace_agents.graph import Kind
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.messages import Part, message_parts, parts_of
from trace_agents_adapters.otel.dag.values import items, mapping, parsed
from trace_agents_adapters.otel.records import Event, SpanRecord
from trace_agents_adapters.otel.vocabularies.fields import Attribute, definitions, tool_answer
from trace_agents_adapters.otel.vocabularies.own import bound

MARKS = (names.OPERATION,)

_DETAILS = "gen_ai.client.inference.operation.details"
_SPOKEN = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
"""The older events, one a message."""
_WHOLE = {
    "gen_ai.content.prompt": "gen_ai.prompt",
    "gen_ai.content.completion": "gen_ai.completion",
}
"""The oldest events, one for all messages, by the attribute that holds them."""


def read(span: SpanRecord) -> Call | None:
    """Return the call, tool call, agent or workflow that a span tells."""
    operation = span.text(names.OPERATION)
    if operation in names.CHAT_OPERATIONS:
        return chat(span)
    if operation == "execute_tool":
        return tool(span)
    if operation in names.AGENT_OPERATIONS:
        agent = span.text(names.AGENT_NAME)
        name = agent or span.text(names.WORKFLOW_NAME) or span.name
        given = span.attributes.get(names.INPUT_MESSAGES)
        gave = span.attributes.get(names.OUTPUT_MESSAGES)
        kind = Kind.AGENT if operation == "invoke_agent" else Kind.CHAIN
        return Call(span, kind, name, agent, given=given, gave=gave)
    return None


def chat(span: SpanRecord) -> Call:
    """Return the model call that a span tells."""
    span = _with_details(span)
    attribute = Attribute(span)
    system = tuple(_instructions(attribute(names.SYSTEM_INSTRUCTIONS)))
    inputs = system + tuple(parts_of(attribute(names.INPUT_MESSAGES)))
    outputs = tuple(parts_of(attribute(names.OUTPUT_MESSAGES), "assistant"))
    if span.events and not (inputs and outputs):
        spoken, answered = _of_events(span.events)
        inputs, outputs = inputs or spoken, outputs or answered
    return Call(
        span,
        Kind.LLM_CALL,
        span.text(names.REQUEST_MODEL) or span.name,
        span.text(names.AGENT_NAME),
        inputs=inputs,
        outputs=outputs,
        definitions=definitions(span.attributes.get(names.TOOL_DEFINITIONS)),
        bound=bound(span),
        variables=variables(span),
        links=span.links,
        problems=attribute.problems,
    )


def tool(span: SpanRecord) -> Call:
    """Return the tool call that a span tells."""
    attribute = Attribute(span)
    arguments = attribute(names.TOOL_ARGUMENTS)
    answer = tool_answer(span.attributes.get(names.TOOL_RESULT))
    return Call(
        span,
        Kind.TOOL_CALL,
        span.text(names.TOOL_NAME) or span.name.removeprefix("execute_tool "),
        span.text(names.AGENT_NAME),
        call_id=span.text(names.TOOL_CALL_ID) or answer.id,
        arguments=arguments,
        result=answer.text,
        failed=answer.failed,
        description=span.text(names.TOOL_DESCRIPTION) or "",
        bound=bound(span),
        problems=attribute.problems,
    )


def variables(span: SpanRecord) -> tuple[tuple[str, object], ...]:
    """Return what was filled into the prompt template of a model call."""
    return tuple(
        (key.removeprefix(names.PROMPT_VARIABLE), value)
        for key, value in span.attributes.items()
        if key.startswith(names.PROMPT_VARIABLE)
    )


def _instructions(value: object) -> Iterator[Part]:
    parts = items(value)
    yield from parts_of({"role": "system", "parts": parts} if parts else value, "system")


def _with_details(span: SpanRecord) -> SpanRecord:
    for event in span.events:
        if event.name == _DETAILS:
            attributes = {**event.attributes, **span.attributes}
            return replace(span, attributes=attributes)
    return span


def _of_events(events: tuple[Event, ...]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    spoken: list[Part] = []
    answered: list[Part] = []
    for event in events:
        role = _SPOKEN.get(event.name)
        if role is not None:
            spoken.extend(_event_parts(event, role))
        elif event.name == "gen_ai.choice":
            answered.extend(_event_parts(event, "assistant"))
        elif event.name in _WHOLE:
            side = answered if event.name.endswith("completion") else spoken
            side.extend(parts_of(parsed(event.attributes.get(_WHOLE[event.name])), "user"))
    return tuple(spoken), tuple(answered)


def _event_parts(event: Event, role: str) -> Iterator[Part]:
    written = event.attributes.get("gen_ai.event.content", event.attributes.get("body"))
    body = mapping(parsed(written)) or event.attributes
    message = {**body, **mapping(parsed(body.get("message")))}
    message["role"] = role
    if role == "tool":
        message.setdefault("tool_call_id", body.get("id"))
    yield from message_parts(message, role)
