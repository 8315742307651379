"""Plain values as JSON and back, bounded, for whoever does not trust the other side.

Nothing but the standard library: it also runs where this package is not installed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

DEEPEST = 100
"""Containers inside one another."""
NOT_AWAITED = "{} is async: only an async function can await it"
"""What code is told that calls an async function of the host without being async."""
SMALL = 8
"""What a value weighs besides its text, in bytes."""


class NotPlain(ValueError):
    """A value that may not cross, and why."""


def copied(value: Any, limit: int) -> Any:
    """Return plain data equal to `value`, shared with nothing.

    Plain are None, bool, int, float, str, bytes, and list, tuple, set, frozenset and dict of
    them. Arrays and their scalars become lists and numbers.

    Raises:
        NotPlain: the value is none of these, is too deep, or is over `limit` bytes written out.
    """
    return _Copy(limit).of(value, 0)


def dumps(value: Any, limit: int) -> str:
    """Return a plain value as JSON in one line; `NotPlain` as for `copied`."""
    return json.dumps(_tagged(copied(value, limit)))


def loads(text: str) -> Any:
    """Return the value that `dumps` wrote; `NotPlain` if `text` is something else."""
    try:
        return _untagged(json.loads(text))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise NotPlain(f"the answer is malformed ({type(error).__name__})") from None


class _Copy:
    """One copy under way: counts what it would weigh written out, shared parts each time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def of(self, value: Any, depth: int) -> Any:
        kind = type(value)  # pyright: ignore[reportUnknownVariableType]
        if value is None or kind is bool or kind is float:
            self._weigh(SMALL)
            return value
        if kind is int:
            self._weigh(SMALL + value.bit_length() // 8)
            return value
        if kind is str or kind is bytes:
            self._weigh(SMALL + len(value))
            return value
        self._weigh(SMALL)
        if depth >= DEEPEST:
            raise NotPlain(f"the value has more than {DEEPEST} containers inside one another")
        return self._container(value, depth + 1)

    def _container(self, value: Any, depth: int) -> Any:
        kind = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind in _SEQUENCES:
            return kind(self._items(value, depth))
        if kind is dict:
            return {self.of(key, depth): self.of(item, depth) for key, item in value.items()}
        for base, plainly in _PLAINLY:
            if isinstance(value, base):  # a subclass, such as an enumeration's member
                return self.of(plainly(value), depth)
        if hasattr(value, "tolist"):
            return self.of(value.tolist(), depth)
        raise NotPlain(f"a value of type {kind.__name__!r} is not plain data")

    def _items(self, values: Iterable[Any], depth: int) -> list[Any]:
        return [self.of(item, depth) for item in values]

    def _weigh(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise NotPlain(f"the value is larger than {self._limit:,} bytes")


_SEQUENCES = frozenset({list, tuple, set, frozenset})


_PLAINLY: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, int.__pos__),
    (float, float.__pos__),
    (str, lambda value: str.__getnewargs__(value)[0]),
    (bytes, lambda value: bytes.__getnewargs__(value)[0]),
    (list, list),
    (tuple, tuple),
    (set, set),
    (frozenset, frozenset),
    (dict, lambda value: dict(value.items())),
)
"""How a value of a subclass becomes one of the class itself."""


def _tagged(value: Any) -> Any:
    kind = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind is list:
        return [_tagged(item) for item in value]
    if kind is dict:
        return {"dict": [[_tagged(key), _tagged(item)] for key, item in value.items()]}
    if kind is bytes:
        return {"bytes": base64.b64encode(value).decode()}
    if kind in _SEQUENCES:
        return {kind.__name__: [_tagged(item) for item in value]}
    return value


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        ((tag, inner),) = value.items()  # pyright: ignore[reportUnknownVariableType]
        return _TAGS[tag](inner)  # pyright: ignore[reportUnknownArgumentType]
    return value


_TAGS: dict[Any, Callable[[Any], Any]] = {
    "dict": lambda pairs: {_untagged(key): _untagged(item) for key, item in pairs},
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "tuple": lambda items: tuple(_untagged(item) for item in items),
    "set": lambda items: {_untagged(item) for item in items},
    "frozenset": lambda items: frozenset(_untagged(item) for item in items),
}
