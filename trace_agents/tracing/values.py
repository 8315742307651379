"""Values in and out of nodes: copies of what can change, plain data for what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, cast

from trace_agents.tracing.operators import Operators

Items: TypeAlias = "dict[object, object] | list[object] | tuple[object, ...] | set[object]"

CHANGEABLE = frozenset({list, dict, set, bytearray})
"""Built-in types whose values change in place: a node keeps a copy of them."""
_NESTED = frozenset({*CHANGEABLE, tuple})
_PLAIN = (str, int, float, bool, type(None))
_DEPTH = 100
"""Levels of nesting that are copied; what lies deeper, or in itself, is kept as it is."""


def copied(value: object, depth: int = _DEPTH) -> object:
    """Return `value` with every built-in container in it copied; other objects are shared."""
    kind = type(value)
    if kind not in _NESTED or not depth:
        return value
    if kind is dict:
        items = cast("dict[object, object]", value).items()
        return {key: copied(inner, depth - 1) for key, inner in items}
    if kind is list:
        return [copied(inner, depth - 1) for inner in cast("list[object]", value)]
    if kind is tuple:
        parts = cast("tuple[object, ...]", value)
        return tuple(copied(inner, depth - 1) for inner in parts)
    return cast("set[object] | bytearray", value).copy()


def unwrapped(value: object) -> object:
    """Return `value` with every node in it replaced by that node's value, containers copied."""
    if isinstance(value, Operators):
        return copied(value.use().raw)
    kind = type(value)
    if kind not in _NESTED or not has_nodes(value):
        return value
    if kind is dict:
        items = cast("dict[object, object]", value).items()
        return {unwrapped(key): unwrapped(inner) for key, inner in items}
    made = [unwrapped(inner) for inner in cast("list[object]", value)]
    return made if kind is list else tuple(made) if kind is tuple else set(made)


def has_nodes(value: object) -> bool:
    """Return whether a node lies in `value`."""
    return next(nodes_in("", value), None) is not None


def nodes_in(path: str, value: object, depth: int = _DEPTH) -> Iterator[tuple[str, Operators]]:
    """Yield the nodes in `value` with the path to each: `items.0`, `settings.name`."""
    if isinstance(value, Operators):
        yield path, value
        return
    kind = type(value)
    if kind not in _NESTED or kind is bytearray or not depth:
        return
    if kind is dict:
        given = cast("dict[object, object]", value)
        yield from ((f"{path}.key", key) for key in given if isinstance(key, Operators))
        pairs: list[tuple[object, object]] = list(given.items())
    else:
        pairs = list(enumerate(cast("list[object]", value)))
    for key, inner in pairs:
        yield from nodes_in(f"{path}.{_word(key)}", inner, depth - 1)


def _word(key: object) -> str:
    return str(key.raw) if isinstance(key, Operators) else str(key)


def is_plain(value: object, depth: int = 4) -> bool:
    """Return whether `value` is JSON-like data without a node in it."""
    if isinstance(value, _PLAIN):
        return True
    if not depth:
        return False
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return all(isinstance(k, str) and is_plain(v, depth - 1) for k, v in items)
    if isinstance(value, list | tuple):
        return all(is_plain(inner, depth - 1) for inner in cast("list[object]", value))
    return False


def jsonable(value: object, depth: int = 4) -> object:
    """Return `value` as JSON-like data; what JSON has no form for becomes its text."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Operators):
        return jsonable(value.raw, depth)
    if depth and isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return {str(k): jsonable(v, depth - 1) for k, v in items}
    if depth and isinstance(value, list | tuple):
        return [jsonable(v, depth - 1) for v in cast("list[object]", value)]
    return repr(value)
