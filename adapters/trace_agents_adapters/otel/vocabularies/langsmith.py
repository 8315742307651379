"""LangSmith's OpenTelemetry export: `langsmith.span.kind`, inputs and outputs as LangChain JSON.

Its `gen_ai.operation.name` says "chat" of prompt templates too, so that the kind comes first.
"""

from __future__ import annotations

from trace_agents.graph import Kind
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.messages import parts_of
from trace_agents_adapters.otel.dag.values import mapping, parsed
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.vocabularies.fields import (
    Attribute,
    definitions,
    first_text,
    named_values,
    tool_answer,
)

MARKS = ("langsmith.span.kind",)

_INPUT = "gen_ai.prompt"
_OUTPUT = "gen_ai.completion"
_AGENT = ("langsmith.metadata.lc_agent_name", "langsmith.metadata.langgraph_node")


def read(span: SpanRecord) -> Call | None:
    """Return what a span tells, by its kind."""
    kind = span.text("langsmith.span.kind")
    if kind == "llm":
        return _llm(span)
    if kind in ("tool", "retriever"):
        return _tool(span)
    filled = kind == "prompt"
    given = span.attributes.get(_INPUT)
    return Call(
        span,
        Kind.CHAIN,
        span.name,
        given=given,
        gave=span.attributes.get(_OUTPUT),
        template=filled,
        variables=tuple(named_values(given)) if filled else (),
    )


def _llm(span: SpanRecord) -> Call:
    attribute = Attribute(span)
    return Call(
        span,
        Kind.LLM_CALL,
        first_text(span.attributes, names.REQUEST_MODEL) or span.name,
        first_text(span.attributes, *_AGENT),
        inputs=tuple(parts_of(attribute(_INPUT))),
        outputs=tuple(parts_of(_generations(attribute(_OUTPUT)), "assistant")),
        definitions=definitions(span.attributes.get(names.TOOL_DEFINITIONS)),
        problems=attribute.problems,
    )


def _generations(value: object) -> object:
    """Return the generated messages; of a plain completion, its text."""
    found = mapping(value).get("generations")
    if not isinstance(found, list):
        return value
    return [
        fields.get("message", fields.get("text"))
        for fields in _flat(found)  # pyright: ignore[reportUnknownArgumentType]
    ]


def _flat(value: list[object]) -> list[dict[str, object]]:
    flat: list[dict[str, object]] = []
    for item in value:
        if isinstance(item, list):
            flat.extend(_flat(item))  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(item, dict):
            flat.append(item)  # pyright: ignore[reportUnknownArgumentType]
    return flat


def _tool(span: SpanRecord) -> Call:
    attributes = span.attributes
    answer = tool_answer(attributes.get(_OUTPUT))
    return Call(
        span,
        Kind.TOOL_CALL,
        first_text(attributes, names.TOOL_NAME) or span.name,
        first_text(attributes, *_AGENT),
        call_id=first_text(attributes, names.TOOL_CALL_ID) or answer.id,
        arguments=parsed(attributes.get(_INPUT)),
        result=answer.text,
        failed=answer.failed,
    )
