"""Messages in any of the shapes that instrumentations write them, as one list of parts.

GenAI `{role, parts}`, LangChain's three serialised forms, OpenAI's `{role, content, tool_calls}`
with Anthropic's content blocks, AutoGen's `{source, content, type}`, and `[role, text]` pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from trace_agents_adapters.otel.dag.values import as_text, items, mapping, parsed, text_leaves

PartType: TypeAlias = Literal["text", "tool_call", "tool_call_response"]

_ROLES: Mapping[str, str] = {
    "human": "user",
    "humanmessage": "user",
    "humanmessagechunk": "user",
    "user": "user",
    "ai": "assistant",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "system": "system",
    "systemmessage": "system",
    "developer": "system",
    "tool": "tool",
    "toolmessage": "tool",
    "function": "tool",
    "functionmessage": "tool",
}
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message: text, a tool call, or a tool's result."""

    role: str
    type: PartType
    text: str = ""
    """The text, or the result of a tool."""
    id: str = ""
    name: str = ""
    arguments: object = None
    failed: bool = False
    """The result is an error."""


def role_of(name: object, otherwise: str = "user") -> str:
    """Return the role that a framework's word for it means."""
    return _ROLES.get(str(name).lower(), otherwise) if name else otherwise


def parts_of(value: object, role: str = "user", depth: int = 0) -> Iterator[Part]:
    """Yield the parts of a message, of messages in a list, or of messages anywhere below.

    A text that stands alone is a message of the given role.
    """
    if value is None:
        return
    if isinstance(value, str):
        if value.strip():
            yield Part(role, "text", value)
    elif isinstance(value, list):
        pair = _pair(cast("list[object]", value))
        if pair is not None:
            yield pair
        elif depth < _DEEPEST:
            for item in cast("list[object]", value):
                if isinstance(item, dict):  # the common case, in one step
                    yield from _of_mapping(cast("dict[str, object]", item), role, depth + 1)
                else:
                    yield from parts_of(item, role, depth + 1)
    elif isinstance(value, Mapping):
        yield from _of_mapping(cast("Mapping[str, object]", value), role, depth)


def _pair(value: list[object]) -> Part | None:
    if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str):
        role = role_of(value[0], "")
        if role:
            return Part(role, "text", value[1])
    return None


def _of_mapping(value: Mapping[str, object], role: str, depth: int) -> Iterator[Part]:
    message = unwrapped(value)
    if message is not None:
        yield from message_parts(message, role)
    elif depth < _DEEPEST:
        for inner in value.values():
            if isinstance(inner, list | Mapping):
                yield from parts_of(cast("object", inner), role, depth + 1)


def unwrapped(value: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the fields of a message without its wrapper; None where it is no message."""
    kind = value.get("type")
    if "lc" in value and isinstance(value.get("kwargs"), Mapping):
        inner = mapping(value["kwargs"])
        names = items(value.get("id"))
        if "content" in inner:
            return {"type": names[-1] if names else None, **inner}
        return None
    if isinstance(value.get("data"), Mapping) and role_of(kind, ""):
        return {"type": kind, **mapping(value["data"])}
    if "parts" in value or ("role" in value and ("content" in value or "tool_calls" in value)):
        return value
    is_message = "content" in value and ("source" in value or role_of(kind, "") or not kind)
    return value if is_message else None


def message_parts(message: Mapping[str, object], role: str = "user") -> Iterator[Part]:
    """Yield the parts of one message without wrapper."""
    role = role_of(message.get("role") or message.get("type"), role)
    if "parts" in message:
        for part in items(message["parts"]):
            fields = mapping(part)
            content = fields.get("content")
            if fields.get("type") == "text" and isinstance(content, str):
                yield Part(role, "text", content)  # the common case, in one step
            else:
                yield from _genai_part(fields, role)
        return
    answered = message.get("tool_call_id") or message.get("call_id")
    if role == "tool":
        text = content_text(message.get("content"))
        failed = _failed(message)
        name = _name(message)
        yield Part(role, "tool_call_response", text, str(answered or ""), name, failed=failed)
        return
    yield from _content(message.get("content"), role)
    for call in items(message.get("tool_calls")):
        yield tool_call(mapping(call), role)


def _failed(message: Mapping[str, object]) -> bool:
    return message.get("is_error") is True or message.get("status") == "error"


def _name(message: Mapping[str, object]) -> str:
    name = message.get("name")
    return name if isinstance(name, str) else ""


def _genai_part(part: Mapping[str, object], role: str) -> Iterator[Part]:
    match part.get("type"):
        case "text":
            yield Part(role, "text", content_text(part.get("content")))
        case "tool_call":
            yield tool_call(part, role)
        case "tool_call_response":
            answer = part.get("response", part.get("result", part.get("content", "")))
            yield Part(
                "tool", "tool_call_response", content_text(answer), str(part.get("id") or "")
            )
        case _:
            pass


def _content(content: object, role: str) -> Iterator[Part]:
    if isinstance(content, str):
        if content.strip():
            yield Part(role, "text", content)
        return
    for block in items(content):
        if isinstance(block, str):
            yield Part(role, "text", block)
            continue
        fields = mapping(block)
        match fields.get("type"):
            case "tool_use":
                yield tool_call(fields, role)
            case "tool_result":
                answered = str(fields.get("tool_use_id") or "")
                yield Part("tool", "tool_call_response", content_text(block), answered)
            case _:
                yield from _block(fields, role)


def _block(fields: Mapping[str, object], role: str) -> Iterator[Part]:
    """Yield the parts of an OpenAI block, or of a call or result in an event of AutoGen."""
    if "call_id" in fields:
        text, answered = content_text(fields.get("content")), str(fields["call_id"])
        failed = _failed(fields)
        yield Part("tool", "tool_call_response", text, answered, _name(fields), failed=failed)
    elif "name" in fields and "arguments" in fields:
        yield tool_call(fields, role)
    elif isinstance(fields.get("text"), str):
        yield Part(role, "text", str(fields["text"]))


def tool_call(call: Mapping[str, object], role: str = "assistant") -> Part:
    """Return a request for a tool, as OpenAI, LangChain, Anthropic and GenAI write it."""
    function = mapping(call.get("function"))
    name = function.get("name") or call.get("name") or ""
    arguments = next(
        (source[key] for source, key in _arguments(call, function) if source.get(key) is not None),
        None,
    )
    return Part(role, "tool_call", "", str(call.get("id") or ""), str(name), parsed(arguments))


def _arguments(
    call: Mapping[str, object], function: Mapping[str, object]
) -> tuple[tuple[Mapping[str, object], str], ...]:
    return (function, "arguments"), (call, "arguments"), (call, "args"), (call, "input")


def content_text(content: object) -> str:
    """Return the content of a message as one text."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    blocks = [str(mapping(b).get("text")) for b in items(content) if "text" in mapping(b)]
    return "\n".join(blocks) if blocks else as_text(content)


def texts_of(value: object) -> Iterator[tuple[str, str]]:
    """Yield every text of a run's input or output, with its key: of messages their text alone."""
    data = parsed(value)
    fields = mapping(data)
    if fields and unwrapped(fields) is None:
        for key, inner in fields.items():
            yield from _keyed(str(key), inner)
    else:
        yield from _keyed("", data)


def _keyed(key: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        inner = parsed(value)
        yield from text_leaves(value, key) if isinstance(inner, str) else texts_of(inner)
        return
    found = False
    for part in parts_of(value):
        found = True
        inner = parsed(part.text)
        if mapping(inner):
            yield from texts_of(inner)
        elif part.text.strip():
            yield key, part.text
    if not found:
        yield from text_leaves(value, key)
