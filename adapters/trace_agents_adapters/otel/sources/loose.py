"""JSON of unknown shape, read without trust: what is not as expected counts as empty."""

from __future__ import annotations

import json
from typing import TypeAlias, cast

Json: TypeAlias = dict[str, object]


def is_list(value: object) -> bool:
    """Tell whether a value is a list; of what, is still unknown."""
    return isinstance(value, list)


def items(value: object) -> list[object]:
    """Return a list; an empty one where the value is no list."""
    return cast("list[object]", value) if isinstance(value, list) else []


def mapping(value: object) -> Json:
    """Return an object; an empty one where the value is no object."""
    return cast("Json", value) if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """Return the objects of a list; whatever else is in it is passed over."""
    return [cast("Json", item) for item in items(value) if isinstance(item, dict)]


def parsed(value: object) -> object:
    """Return the value of JSON text; other text, and other values, as they are."""
    if not isinstance(value, str):
        return value
    try:
        return cast("object", json.loads(value))
    except (ValueError, RecursionError):
        return value
