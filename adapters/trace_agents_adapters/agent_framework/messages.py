"""Agent Framework's messages in the shapes of the GenAI conventions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias, cast

from agent_framework import ChatResponse, Content, Message

from trace_agents_adapters.boundary import Json

Response: TypeAlias = ChatResponse[Any]


def conversation(instructions: object, messages: Iterable[Message]) -> list[Json]:
    """Return what a model is given: its instructions, then the messages."""
    given = [message_json(message) for message in messages]
    if not instructions:
        return given
    texts = cast("list[object]", instructions) if isinstance(instructions, list) else [instructions]
    return [{"role": "system", "parts": [_text(str(text)) for text in texts]}, *given]


def message_json(message: Message) -> Json:
    """Return one message as role and parts."""
    parts = [part for content in message.contents if (part := _part(content)) is not None]
    found: Json = {"role": str(message.role), "parts": parts}
    return found | {"name": message.author_name} if message.author_name else found


def answers(response: Response) -> list[Json]:
    """Return a model's answer as messages."""
    return [message_json(message) for message in response.messages]


def tokens_of(response: Response) -> tuple[int, int]:
    """Return the tokens in and out that a model reported."""
    usage = response.usage_details or {}
    return usage.get("input_token_count") or 0, usage.get("output_token_count") or 0


def text_of(result: object) -> str:
    """Return what a tool gave as text."""
    if not isinstance(result, list):
        return str(result)
    contents = cast("list[object]", result)
    return "\n".join(
        (each.text or "") if isinstance(each, Content) else str(each) for each in contents
    )


def _text(text: str) -> Json:
    return {"type": "text", "content": text}


def _part(content: Content) -> Json | None:
    match content.type:
        case "text":
            return _text(content.text or "")
        case "text_reasoning":
            return {"type": "reasoning", "content": content.text or ""}
        case "function_call":
            told = content.parse_arguments()
            about = {"id": content.call_id, "name": content.name, "arguments": told}
            return {"type": "tool_call", **about}
        case "function_result":
            gave = content.result if content.exception is None else content.exception
            return {"type": "tool_call_response", "id": content.call_id, "response": str(gave)}
        case "usage":
            return None
        case _:
            return {"type": "blob"}
