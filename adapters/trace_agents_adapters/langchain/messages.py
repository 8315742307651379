"""LangChain's messages and tools in the shapes of the GenAI conventions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage

from trace_agents_adapters import toolschemas
from trace_agents_adapters.boundary import Json

_ROLES = {"ai": "assistant", "human": "user"}


def message_json(message: BaseMessage) -> Json:
    """Return one message as role and parts."""
    text = text_of(message)
    if isinstance(message, ToolMessage):
        part: Json = {"type": "tool_call_response", "id": message.tool_call_id, "response": text}
        return {"role": "tool", "parts": [part]}
    parts: list[Json] = [{"type": "text", "content": text}] if text else []
    if isinstance(message, AIMessage):
        parts.extend(
            Json(type="tool_call", id=c["id"], name=c["name"], arguments=c["args"])
            for c in message.tool_calls
        )
    kind = message.type.removesuffix("MessageChunk").lower()
    return {"role": _ROLES.get(kind, kind), "parts": parts}


def text_of(message: BaseMessage) -> str:
    """Return a message's text, without the parts that are none."""
    return str(message.text)


def tokens_of(message: BaseMessage) -> tuple[int, int]:
    """Return the tokens in and out that a model reported."""
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    return (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)


def system_texts(messages: list[BaseMessage]) -> tuple[str, ...]:
    """Return the texts of the system messages."""
    return tuple(text_of(m) for m in messages if isinstance(m, SystemMessage))


def definition(tool: object) -> Json | None:
    """Return the part of an offered tool that has its name and description, if it is known."""
    if not isinstance(tool, Mapping):
        return None
    offered = cast("Mapping[str, object]", tool)
    inner = offered.get("function", offered)
    if not isinstance(inner, Mapping):
        return None
    known = dict(cast("Mapping[str, object]", inner))
    return known if isinstance(known.get("name"), str) else None


def arguments(known: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the name and the description of each argument that is described."""
    return toolschemas.described(_schema(known))


def redescribed(tool: object, description: str, changed: Mapping[str, str]) -> object:
    """Return a copy of an offered tool with other descriptions, its own and its arguments'."""
    offered = dict(cast("Mapping[str, object]", tool))
    inner = offered.get("function")
    if isinstance(inner, Mapping):
        return {**offered, "function": redescribed(cast("object", inner), description, changed)}
    new = {**offered, "description": description} if description else offered
    if changed:
        new[_schema_key(offered)] = toolschemas.redescribed(_schema(offered), changed)
    return new


def _schema(known: Mapping[str, object]) -> toolschemas.Schema:
    found = known.get(_schema_key(known))
    return cast("toolschemas.Schema", found) if isinstance(found, Mapping) else {}


def _schema_key(known: Mapping[str, object]) -> str:
    """Return where a tool keeps its arguments: providers differ."""
    return "input_schema" if "input_schema" in known else "parameters"
