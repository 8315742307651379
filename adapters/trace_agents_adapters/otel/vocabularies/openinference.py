"""OpenInference: `openinference.span.kind`, flattened messages, `input.value` and `output.value`.

https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md. Where it also
writes the GenAI attributes, what one of the two does not know is taken from the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from trace_agents.graph import Kind
from trace_agents_adapters.otel.dag.calls import Call, Definition, union
from trace_agents_adapters.otel.dag.messages import Part, parts_of, role_of, tool_call
from trace_agents_adapters.otel.dag.values import items, mapping, parsed
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.vocabularies import genai
from trace_agents_adapters.otel.vocabularies.fields import (
    Attribute,
    Attributes,
    agent_in,
    definition,
    first_text,
    flattened,
    named_values,
    tool_answer,
)

MARKS = ("openinference.span.kind",)

_STRUCTURE = {"AGENT": Kind.AGENT}
_FETCHES = frozenset({"RETRIEVER", "RERANKER"})


def read(span: SpanRecord) -> Call | None:
    """Return what a span tells, by its kind."""
    kind = span.text("openinference.span.kind")
    if kind == "LLM":
        return _llm(span)
    if kind == "TOOL":
        return _tool(span)
    if kind in _FETCHES:
        return _fetched(span)
    if kind == "EMBEDDING":
        return None
    return _structure(span, kind or "")


def _agent(attributes: Attributes) -> str | None:
    named = first_text(attributes, "graph.node.id", "agent.name", "gen_ai.agent.name")
    return named or agent_in(attributes.get("metadata"))


def _structure(span: SpanRecord, kind: str) -> Call:
    attributes = span.attributes
    agent = first_text(attributes, "graph.node.id", "agent.name") if kind == "AGENT" else None
    filled = kind == "PROMPT" or "llm.prompt_template.template" in attributes
    variables = attributes.get("llm.prompt_template.variables")
    if filled and variables is None:
        variables = attributes.get("input.value")
    return Call(
        span,
        _STRUCTURE.get(kind, Kind.CHAIN),
        agent or span.name,
        agent,
        given=attributes.get("input.value"),
        gave=attributes.get("output.value"),
        template=filled,
        variables=tuple(named_values(variables)) if filled else (),
    )


def _llm(span: SpanRecord) -> Call:
    attributes, attribute = span.attributes, Attribute(span)
    inputs = tuple(_messages(attributes, "llm.input_messages", "user"))
    outputs = tuple(_messages(attributes, "llm.output_messages", "assistant"))
    if not inputs:
        inputs = tuple(parts_of(attribute("input.value")))
    if not outputs:
        outputs = tuple(parts_of(_answered(attribute("output.value")), "assistant"))
    call = Call(
        span,
        Kind.LLM_CALL,
        first_text(attributes, "llm.model_name") or span.name,
        _agent(attributes),
        inputs=inputs,
        outputs=outputs,
        definitions=tuple(_definitions(attributes)),
        problems=attribute.problems + tuple(_dropped(span)),
    )
    return union(call, genai.chat(span))


def _answered(value: object) -> object:
    fields = mapping(value)
    blocks = items(fields.get("content"))
    return (
        {"role": "assistant", "content": blocks} if "finish_reason" in fields and blocks else value
    )


def _dropped(span: SpanRecord) -> Iterator[str]:
    """Report messages that a limit on the number of attributes threw away."""
    numbers = [n for n, _ in flattened(span.attributes, "llm.input_messages")]
    if numbers and numbers[0] > 0:
        yield (
            f"span {span.name!r} ({span.span_id}) lost its first {numbers[0]} messages; raise "
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT where it is recorded"
        )


def _messages(attributes: Attributes, prefix: str, role: str) -> Iterator[Part]:
    for _, fields in flattened(attributes, prefix):
        yield from _message(fields, role)


def _message(fields: Attributes, role: str) -> Iterator[Part]:
    role = role_of(fields.get("message.role"), role)
    content = fields.get("message.content")
    text = content if isinstance(content, str) else "\n".join(_blocks(fields))
    answered = fields.get("message.tool_call_id")
    if role == "tool" and (answered or text):
        named = first_text(fields, "message.name") or ""
        yield Part(role, "tool_call_response", text, str(answered or ""), named)
    elif text.strip():
        yield Part(role, "text", text)
    for _, call in flattened(fields, "message.tool_calls"):
        yield _tool_call(call, role)
    for key, value in fields.items():
        if key.startswith("function."):  # how the AutoGen instrumentation writes results of tools
            yield from parts_of([parsed(value)], "tool") if isinstance(value, str) else ()


def _tool_call(call: Attributes, role: str) -> Part:
    fields = {key.removeprefix("tool_call."): value for key, value in call.items()}
    function = {"name": fields.get("function.name"), "arguments": fields.get("function.arguments")}
    return tool_call({"id": fields.get("id"), "function": function}, role)


def _blocks(fields: Attributes) -> Iterator[str]:
    for _, block in flattened(fields, "message.contents"):
        text = block.get("message_content.text")
        if isinstance(text, str):
            yield text


def _definitions(attributes: Attributes) -> Iterator[Definition]:
    for _, fields in flattened(attributes, "llm.tools"):
        found = definition(parsed(fields.get("tool.json_schema")))
        if found is not None:
            yield found


def _tool(span: SpanRecord) -> Call:
    attributes = span.attributes
    answer = tool_answer(attributes.get("output.value"))
    name = first_text(attributes, "tool.name") or span.name
    call = Call(
        span,
        Kind.TOOL_CALL,
        name,
        _agent(attributes),
        call_id=first_text(attributes, "tool_call.id", "tool.id") or answer.id,
        arguments=parsed(attributes.get("input.value")),
        result=answer.text,
        failed=answer.failed,
        description=first_text(attributes, "tool.description") or "",
    )
    return union(call, genai.tool(span))


def _fetched(span: SpanRecord) -> Call:
    """Return a retriever as a tool call whose documents may be found again in a prompt."""
    prefix = (
        "retrieval.documents"
        if "RETRIEVER" in str(span.attributes)
        else "reranker.output_documents"
    )
    found = flattened(span.attributes, prefix)
    texts = [str(f["document.content"]) for _, f in found if "document.content" in f]
    return Call(
        span,
        Kind.TOOL_CALL,
        span.name,
        outputs=tuple(Part("tool", "text", text) for text in texts),
        arguments=parsed(span.attributes.get("input.value")),
        result="\n".join(texts),
    )
