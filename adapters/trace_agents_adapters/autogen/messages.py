"""AutoGen's messages and tools in the shapes of the GenAI conventions."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping, Sequence
from typing import cast

from autogen_core import FunctionCall
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
)
from autogen_core.tools import ParametersSchema, Tool, ToolSchema

from trace_agents_adapters.boundary import Json
from trace_agents_adapters.sites import Offer
from trace_agents_adapters.toolschemas import Schema, described, redescribed


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


def offer(agent: str, system: tuple[str, ...], schemas: Sequence[ToolSchema]) -> Offer:
    """Return what a model was offered, as far as it can be a parameter."""
    told = tuple((schema["name"], schema.get("description", "")) for schema in schemas)
    arguments = tuple(
        (schema["name"], name, text)
        for schema in schemas
        for name, text in described_arguments(schema)
    )
    return Offer(agent, system, told, arguments)


def described_arguments(schema: ToolSchema) -> Generator[tuple[str, str]]:
    """Yield name and description of each argument that is described by more than its name."""
    for name, text in described(cast("Schema", schema.get("parameters", {}))):
        if text != name:
            yield name, text


def with_texts(schema: ToolSchema, text: str, arguments: Mapping[str, str]) -> ToolSchema:
    """Return a tool's schema with another description, and others of its arguments."""
    new = schema.copy()
    if "description" in schema or text:
        new["description"] = text
    if arguments and "parameters" in schema:
        told = redescribed(cast("Schema", schema["parameters"]), arguments)
        new["parameters"] = cast("ParametersSchema", told)
    return new


def one_line(text: str) -> str:
    """Return a text as AutoGen writes it into a list of agents."""
    return re.sub(r"\s+", " ", text).strip()
