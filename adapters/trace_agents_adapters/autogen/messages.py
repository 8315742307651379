"""AutoGen's messages and tools in the shapes of the GenAI conventions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from autogen_core import FunctionCall
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
)
from autogen_core.tools import Tool, ToolSchema

from trace_agents_adapters.boundary import Json


def message_json(message: LLMMessage) -> Json:
    """Return one message as role and parts."""
    match message:
        case SystemMessage():
            return {"role": "system", "parts": [_text(message.content)]}
        case AssistantMessage():
            return {"role": "assistant", "parts": _content(message.content)}
        case FunctionExecutionResultMessage():
            results = [
                {"type": "tool_call_response", "id": result.call_id, "response": result.content}
                for result in message.content
            ]
            return {"role": "tool", "parts": results}
        case _:
            content = message.content
            texts = [content] if isinstance(content, str) else content
            parts = [_text(t) if isinstance(t, str) else {"type": "blob"} for t in texts]
            return {"role": "user", "name": message.source, "parts": parts}


def result_json(result: CreateResult) -> Json:
    """Return a model's answer as a message."""
    return {
        "role": "assistant",
        "parts": _content(result.content),
        "finish_reason": result.finish_reason,
    }


def _text(text: str) -> Json:
    return {"type": "text", "content": text}


def _content(content: str | list[FunctionCall]) -> list[Json]:
    if isinstance(content, str):
        return [_text(content)]
    return [
        {"type": "tool_call", "id": c.id, "name": c.name, "arguments": arguments(c.arguments)}
        for c in content
    ]


def arguments(text: str) -> object:
    """Return a call's arguments as data; text that is no JSON stays text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def schema_of(tool: Tool | ToolSchema) -> ToolSchema:
    """Return a tool's schema, which is offered to the model."""
    return tool if isinstance(tool, Mapping) else tool.schema


def tool_json(schema: ToolSchema) -> Json:
    """Return a tool's definition."""
    return {
        "type": "function",
        "name": schema["name"],
        "description": schema.get("description", ""),
        "parameters": schema.get("parameters", {}),
    }


def system_texts(messages: Sequence[LLMMessage]) -> tuple[str, ...]:
    """Return the texts of the system messages."""
    return tuple(m.content for m in messages if isinstance(m, SystemMessage))
