"""Markers: stand-ins for a prototype's inputs, found again in the prompts that it makes of them."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import (
    Annotated,
    Any,
    Literal,
    SupportsIndex,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

from langchain_core.messages import BaseMessage, HumanMessage
from pydantic import BaseModel

_MARKER = re.compile("⟦([A-Za-z_][A-Za-z0-9_]*)⟧")
_DEPTH = 3
_TEXTS: tuple[object, ...] = (str, Any, object)
_LISTS: tuple[object, ...] = (list, tuple, set)
_EMPTY: Mapping[object, object] = {int: 0, float: 0.0, bool: False, bytes: b"", type(None): None}


def marker(name: str) -> str:
    """Return the text that stands for the value `name`."""
    return f"⟦{name}⟧"


def template_of(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a prompt with `{fields}` for its markers, and the fields' names."""
    names = tuple(dict.fromkeys(_MARKER.findall(text)))
    if not names:
        return text, ()
    escaped = text.replace("{", "{{").replace("}", "}}")
    return _MARKER.sub(lambda m: "{" + m[1] + "}", escaped), names


def says_something(text: str) -> bool:
    """Tell whether a prompt has words of its own beside what was filled in."""
    return any(map(str.isalpha, _MARKER.sub("", text)))


class AnyFields(dict[str, object]):
    """A mapping that has every field, each with its marker: an input of unknown shape."""

    def __missing__(self, key: str) -> str:
        return marker(key) if str(key).isidentifier() else ""


class Several(list[object]):
    """A list with one stand-in for all that it may hold; the first and the last have their own."""

    def __init__(self, make: Callable[[str], object], name: str) -> None:
        super().__init__([make(name)])
        self._ends = {0: make(f"first_of_{name}"), -1: make(f"last_of_{name}")}

    @overload
    def __getitem__(self, at: SupportsIndex) -> object: ...
    @overload
    def __getitem__(self, at: slice) -> list[object]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> object:
        if isinstance(at, slice):
            return super().__getitem__(at)
        known = self._ends.get(at.__index__())
        return super().__getitem__(at) if known is None else known


def state_of(schema: object) -> dict[str, object]:
    """Return a state of a graph, with markers for its texts."""
    return {name: _stand_in(hint, name) for name, hint in fields_of(schema).items()}


def fields_of(schema: object) -> Mapping[str, object]:
    """Return the names and the types of a state's fields; none where it has no such."""
    return _hints(schema) if isinstance(schema, type) else {}


@lru_cache(maxsize=256)
def _hints(schema: type) -> Mapping[str, object]:
    try:
        return get_type_hints(schema)
    except (NameError, TypeError, AttributeError):  # a type that only exists while checking
        return dict.fromkeys(getattr(schema, "__annotations__", {}), str)


def _stand_in(hint: object, name: str, depth: int = 0) -> object:
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _TEXTS or depth > _DEPTH:
        return marker(name)
    if hint in _EMPTY:
        return _EMPTY[hint]
    if origin is Annotated:
        return _stand_in(inner[0], name, depth)
    if origin is Literal:
        return inner[0]
    if origin in (Union, types.UnionType):
        return _one_of(inner, name, depth)
    if origin in _LISTS or hint in _LISTS:
        kind = inner[0] if inner else str
        return Several(lambda known: _stand_in(kind, known, depth + 1), name)
    if origin is dict or hint is dict:
        return AnyFields()
    return _object(hint, name, depth)


def _one_of(options: tuple[object, ...], name: str, depth: int) -> object:
    if all(_is_message(option) for option in options):
        return HumanMessage(marker(name))
    return _stand_in(options[0], name, depth)


def _is_message(hint: object) -> bool:
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return isinstance(kind, type) and issubclass(kind, BaseMessage)


def _object(hint: object, name: str, depth: int) -> object:
    if _is_message(hint):
        return HumanMessage(marker(name))
    if not isinstance(hint, type):
        return marker(name)
    parts = {
        field: _stand_in(kind, f"{name}_{field}", depth + 1)
        for field, kind in fields_of(hint).items()
    }
    if issubclass(hint, BaseModel):
        return cast("object", hint.model_construct(None, **parts))
    return parts if parts else marker(name)
