"""traceloop (OpenLLMetry): the newest, which speaks GenAI with wrapped values, and up to 0.47.

The old one writes its messages flattened: `gen_ai.prompt.0.role`, `gen_ai.completion.0.content`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from trace_agents.graph import Kind
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.dag.calls import Call, Definition
from trace_agents_adapters.otel.dag.messages import Part, message_parts, role_of, tool_call
from trace_agents_adapters.otel.dag.values import Wrapped, items, mapping, parsed
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.vocabularies import genai
from trace_agents_adapters.otel.vocabularies.fields import (
    Attributes,
    definition,
    first_text,
    flattened,
    named_values,
    tool_answer,
    tool_arguments,
)

MARKS = (
    "traceloop.span.kind",
    "llm.request.type",
    "traceloop.workflow.name",
    "traceloop.entity.path",
)

_INPUT = "traceloop.entity.input"
_OUTPUT = "traceloop.entity.output"
_AGENT = (
    names.AGENT_NAME,
    "traceloop.association.properties.lc_agent_name",
    "traceloop.association.properties.langgraph_node",
)
_PROMPT_RUN = '"run_type": "prompt"'
_NO_INPUT: tuple[object, ...] = (None, "", {"input": ""})


def read(span: SpanRecord) -> Call | None:
    """Return what a span tells, by its kind and its operation."""
    kind, operation = span.text("traceloop.span.kind"), span.text(names.OPERATION)
    if kind == "tool" or operation == "execute_tool":
        return _tool(span)
    if "llm.request.type" in span.attributes:
        return _old_chat(span)
    if operation in names.CHAT_OPERATIONS:
        return _chat(span)
    if operation == "create_agent" or (kind is None and operation is None):
        return None
    return _structure(span, kind, operation)


def leaked(span: SpanRecord, above: SpanRecord) -> bool:
    """Whether a span has its parent only because that one's context was still set.

    A batch starts its runs one after another, each in the context of the one before; every run is
    a workflow of its own, and outlives its parent.
    """
    kind = "traceloop.span.kind"
    if span.attributes.get(kind) != "workflow" or above.attributes.get(kind) != "workflow":
        return False
    return above.end is not None and (span.end is None or span.end > above.end)


def _chat(span: SpanRecord) -> Call:
    call = genai.chat(span)
    return replace(call, agent=first_text(span.attributes, *_AGENT))


def _structure(span: SpanRecord, kind: str | None, operation: str | None) -> Call:
    given = span.attributes.get(_INPUT)
    filled = isinstance(given, str) and _PROMPT_RUN in given
    inputs = _given(span)
    agent = span.text(names.AGENT_NAME) if operation == "invoke_agent" else None
    is_agent = kind == "agent" or (operation == "invoke_agent" and kind != "workflow")
    return Call(
        span,
        Kind.AGENT if is_agent else Kind.CHAIN,
        agent or span.text("traceloop.entity.name") or span.name,
        agent if is_agent else None,
        given=inputs,
        gave=Wrapped(span.attributes.get(_OUTPUT), "outputs")
        if _OUTPUT in span.attributes
        else None,
        template=filled,
        variables=tuple(named_values(parsed(inputs))) if filled else (),
    )


def _given(span: SpanRecord) -> object:
    """Return the recorded input; of a streamed run it stands beside the output."""
    if _INPUT not in span.attributes:
        return None
    given = Wrapped(span.attributes[_INPUT], "inputs")
    if len(str(given.text)) < 400 and parsed(given) in _NO_INPUT:
        after = mapping(mapping(parsed(span.attributes.get(_OUTPUT))).get("kwargs"))
        return after.get("inputs")
    return given


def _tool(span: SpanRecord) -> Call:
    attributes = span.attributes
    given = attributes.get(names.TOOL_ARGUMENTS, attributes.get(_INPUT))
    answer = tool_answer(attributes.get(names.TOOL_RESULT, attributes.get(_OUTPUT)))
    return Call(
        span,
        Kind.TOOL_CALL,
        first_text(attributes, names.TOOL_NAME, "traceloop.entity.name") or span.name,
        first_text(attributes, *_AGENT),
        call_id=first_text(attributes, names.TOOL_CALL_ID) or answer.id,
        arguments=tool_arguments(given),
        result=answer.text,
        failed=answer.failed,
        description=first_text(attributes, names.TOOL_DESCRIPTION) or "",
    )


def _old_chat(span: SpanRecord) -> Call:
    attributes = span.attributes
    outputs = tuple(_flat_messages(attributes, "gen_ai.completion", "assistant"))
    if not outputs and "gen_ai.completion.0.content" in attributes:
        outputs = (Part("assistant", "text"),)  # with LangChain 1 it loses the tools asked for
    return Call(
        span,
        Kind.LLM_CALL,
        first_text(attributes, names.REQUEST_MODEL) or span.name,
        first_text(attributes, *_AGENT),
        inputs=tuple(_flat_messages(attributes, "gen_ai.prompt", "user")),
        outputs=outputs,
        definitions=tuple(_old_definitions(attributes)),
    )


def _flat_messages(attributes: Attributes, prefix: str, role: str) -> Iterator[Part]:
    for _, fields in flattened(attributes, prefix):
        spoken = role_of(fields.get("role"), role)
        message: dict[str, object] = {**fields, "role": spoken, "content": _content(fields)}
        yield from message_parts(message, spoken)
        for _, call in flattened(fields, "tool_calls"):
            yield tool_call(call, spoken)


def _content(fields: Mapping[str, object]) -> object:
    content = parsed(fields.get("content"))
    return content if isinstance(content, str) or items(content) else fields.get("content")


def _old_definitions(attributes: Attributes) -> Iterator[Definition]:
    for _, fields in flattened(attributes, "llm.request.functions"):
        found = definition({**fields, "parameters": parsed(fields.get("parameters"))})
        if found is not None:
            yield found
