"""Tools for a model that knows none: what it may write is a call or an answer, by a schema."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

Json: TypeAlias = dict[str, Any]

ANSWER = "answer"
"""The name under which a model speaks instead of calling."""

_LONGEST = 400
"""Characters of one text: small models do not find an end."""

_TOLD = """\
You can use these tools:
{tools}

Write one JSON object: {{"tool": "<name>", "input": {{...}}}}\
"""
_OR_SPEAK = """
If a tool's result already holds what was asked, or no tool fits, write this instead:
{"tool": "answer", "input": {"text": "<what you say>"}}\
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """The tools of one request."""

    tools: tuple[Json, ...]
    """The functions, each with name, description and parameters."""
    may_speak: bool
    """Whether the model may answer instead of calling."""

    def words(self) -> str:
        """Return what the model is told."""
        shown = "\n".join(
            f"- {tool['name']}: {tool.get('description', '')}\n"
            f"  input: {json.dumps(_parameters(tool))}"
            for tool in self.tools
        )
        return _TOLD.format(tools=shown) + (_OR_SPEAK if self.may_speak else "")

    def schema(self) -> Json:
        """Return the schema of all that may be written."""
        forms = [_form(tool["name"], _parameters(tool)) for tool in self.tools]
        if self.may_speak:
            text = {"type": "string", "maxLength": _LONGEST}
            forms.append(_form(ANSWER, {"properties": {"text": text}, "required": ["text"]}))
        return {"anyOf": forms}

    def message(self, written: str) -> Json:
        """Return what the model wrote as a message of the protocol.

        What was cut before its end stays text.
        """
        try:
            said = json.loads(written)
        except ValueError:
            return {"role": "assistant", "content": written}
        if said["tool"] == ANSWER:
            return {"role": "assistant", "content": said["input"]["text"]}
        function = {"name": said["tool"], "arguments": json.dumps(said["input"])}
        call = {"id": f"call_{uuid.uuid4().hex[:12]}", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}


def offer_of(request: Mapping[str, Any]) -> Offer | None:
    """Return the tools that a request offers; None where there are none."""
    choice = request.get("tool_choice") or "auto"
    tools = [tool["function"] for tool in request.get("tools") or ()]
    if not tools or choice == "none":
        return None
    if isinstance(choice, dict):
        tools = [tool for tool in tools if tool["name"] == choice["function"]["name"]]
    return Offer(tuple(tools), choice == "auto")


def plain(messages: Iterable[Mapping[str, Any]]) -> list[Json]:
    """Return the messages in the three roles that every chat template knows.

    Neighbours of one role are joined: some templates refuse them.
    """
    told: list[Json] = []
    for message in messages:
        role, text = _spoken(message)
        if told and told[-1]["role"] == role:
            told[-1]["content"] += f"\n\n{text}"
        else:
            told.append({"role": role, "content": text})
    return told


def _spoken(message: Mapping[str, Any]) -> tuple[str, str]:
    role, text = str(message["role"]), _text(message.get("content"))
    if role == "developer":
        return "system", text
    if role in ("tool", "function"):
        return "user", f"The tool's result: {text}"
    calls = [
        json.dumps({"tool": c["function"]["name"], "input": _arguments(c["function"])})
        for c in message.get("tool_calls") or ()
    ]
    return role, "\n".join(part for part in (text, *calls) if part)


def _text(content: object) -> str:
    if isinstance(content, list):
        parts = cast("list[Json]", content)
        return "".join(str(part.get("text", "")) for part in parts)
    return "" if content is None else str(content)


def _arguments(function: Mapping[str, Any]) -> object:
    return json.loads(function["arguments"] or "{}")


def _parameters(tool: Json) -> Json:
    return dict(tool.get("parameters") or {"properties": {}})


def _form(name: str, parameters: Json) -> Json:
    about = {**parameters, "type": "object", "additionalProperties": False}
    return {
        "type": "object",
        "properties": {"tool": {"const": name}, "input": about},
        "required": ["tool", "input"],
        "additionalProperties": False,
    }
