"""Attribute values as data: JSON text parsed, cut JSON as far as it goes, and the texts inside."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

_DEEPEST = 40
"""Levels of nesting that are looked into; below lies nothing that a program wrote as a message."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """JSON text of which only one field counts; parsed when it is looked at, if ever."""

    text: object
    key: str


def parsed(value: object) -> object:
    """Return JSON text as data; text that is no JSON, and anything else, as it is."""
    if isinstance(value, Wrapped):
        return mapping(parsed_or_cut(value.text)[0]).get(value.key)
    return parsed_or_cut(value)[0]


def parsed_or_cut(value: object) -> tuple[object, bool]:
    """Return JSON text as data, and whether the text had been cut off before its end."""
    if not isinstance(value, str) or not value or value[0] not in '[{"':
        return value, False
    try:
        return json.loads(value), False
    except (ValueError, RecursionError):
        repaired = _repaired(value)
        return (value, False) if repaired is None else (repaired, True)


def _repaired(text: str) -> object | None:
    """Return what can be read of JSON that was cut off; None where nothing can."""
    if text[0] not in "[{":
        return None
    closers, in_string = _open_ends(text)
    if not closers:
        return None
    ending = "".join(reversed(closers))
    body = text.removesuffix("\\") if in_string else text
    quoted = body + '"' if in_string else body
    for attempt in (quoted, quoted + ":null", _before_last_comma(body), body + "null"):
        try:
            return cast("object", json.loads(attempt.rstrip().rstrip(",") + ending))
        except (ValueError, RecursionError):
            continue
    return None


def _open_ends(text: str) -> tuple[list[str], bool]:
    """Return the closing brackets that are missing, outermost first, and if a string is open."""
    closers: list[str] = []
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            closers.append("]" if char == "[" else "}")
        elif char in "]}" and closers:
            closers.pop()
    return closers, in_string


def _before_last_comma(text: str) -> str:
    return text[: max(text.rfind(","), text.rfind("["), text.rfind("{") + 1, 1)]


def as_text(value: object) -> str:
    """Return a value as the text that a prompt would hold."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError, TypeError):
        return str(type(value).__name__)


def storable(value: object, depth: int = 0) -> object:
    """Return a value as JSON data that can be written: bytes as base64, and nothing too deep."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if not isinstance(value, (dict, list)):
        return value
    if depth >= _DEEPEST:
        return "(nested too deeply)"
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in cast("list[object]", value)]
    members = cast("dict[str, object]", value).items()
    return {name: storable(item, depth + 1) for name, item in members}


def mapping(value: object) -> Mapping[str, object]:
    """Return a mapping as it is, and an empty one for anything else."""
    if isinstance(value, dict):  # the common case, and quicker to tell
        return cast("dict[str, object]", value)
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value)
    return {}


def items(value: object) -> list[object]:
    """Return a list as it is, and an empty one for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text_leaves(value: object, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the texts anywhere inside a value, each with the key under which it stands."""
    if isinstance(value, str):
        if value.strip():
            yield key, value
    elif depth < _DEEPEST:
        if isinstance(value, Mapping):
            for name, inner in cast("Mapping[str, object]", value).items():
                yield from text_leaves(inner, str(name), depth + 1)
        elif isinstance(value, list):
            for inner in cast("list[object]", value):
                yield from text_leaves(inner, key, depth + 1)
