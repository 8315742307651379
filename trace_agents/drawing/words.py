"""Words for nodes and values: short names, calls as code, long text with its middle left out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from trace_agents.graph import GraphNode, Kind, dump

Remarks: TypeAlias = Mapping[str, Sequence[str]]
"""What was said of nodes, by their id: the feedback."""


def clip(text: str, limit: int) -> str:
    """Return `text` with its middle left out where it has more than `limit` characters."""
    if len(text) <= limit:
        return text
    mark = f" …[{len(text) - limit} characters left out]… "
    side = max(limit - len(mark), 2) // 2
    return text[:side] + mark + text[len(text) - side :]


def short(text: str, limit: int) -> str:
    """Return the beginning of `text` on one line; `…` stands for what is left out."""
    line = one_line(text[: limit * 4])
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1] + "…"


def one_line(text: str) -> str:
    """Return `text` with every run of white space as one space."""
    return " ".join(text.split())


def printable(text: str) -> str:
    """Return `text` without characters that an SVG file cannot hold."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def word(name: str) -> str:
    """Return `name` as an identifier without a number at its end."""
    return re.sub(r"\W+", "_", name).strip("_0123456789")[:40] or "value"


def operation(node: GraphNode) -> str:
    """Return what a node's operation is called, with its agent where there is one."""
    name = bare_operation(node)
    if node.agent and not name.startswith(f"{node.agent}."):
        return f"{node.agent}.{name}"
    return name


def bare_operation(node: GraphNode) -> str:
    """Return what a node's operation is called: its name without the number at its end."""
    return node.name.rstrip("0123456789") or node.kind.value


def title(node: GraphNode) -> str:
    """Return a node's own name, with its agent where there is one."""
    name = node.name or node.kind.value
    named = not node.agent or name == node.agent or name.startswith(f"{node.agent}.")
    return name if named else f"{node.agent}.{name}"


def value_text(node: GraphNode) -> str:
    """Return a node's value as text; calls read as code, without their ids."""
    value = node.value
    if value is None:
        return ""
    return _call_text(node.kind, value) or dump(value)


def _call_text(kind: Kind, content: object) -> str:
    """Return a call as code; nothing for a value that is no call."""
    if not isinstance(content, dict):
        return ""
    value = cast("dict[str, Any]", content)
    if kind is Kind.LLM_CALL and isinstance(value.get("tool_calls"), list):
        found = cast("list[object]", value["tool_calls"])
        calls = [cast("dict[str, Any]", call) for call in found if isinstance(call, dict)]
        asked = [f"{call.get('name')}({_arguments(call.get('arguments'))})" for call in calls]
        return "; ".join(filter(None, [str(value.get("text") or ""), *asked]))
    if kind is Kind.TOOL_CALL and "arguments" in value:
        return f"({_arguments(value['arguments'])}) -> {value.get('result')}"
    return ""


def _arguments(value: object) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    if isinstance(value, dict):
        given = cast("dict[str, object]", value).items()
        return ", ".join(f"{name}={json.dumps(v, ensure_ascii=False)}" for name, v in given)
    return dump(value)
