"""What a parameter's value may be; the type of a value, and of what `to_json` wrote."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import cast

from trace_agents.errors import InvalidValue
from trace_agents.graph.bullets import Bullets, Editable, is_playbook
from trace_agents.graph.choices import Bool, Choice
from trace_agents.graph.codes import Code
from trace_agents.graph.examples import Examples
from trace_agents.graph.numbers import Number
from trace_agents.graph.projections import PROJECTIONS
from trace_agents.graph.structures import JsonList, JsonObject
from trace_agents.graph.texts import Text
from trace_agents.graph.valuetype import ValueType, dump

__all__ = [
    "Bool",
    "Bullets",
    "Choice",
    "Code",
    "Editable",
    "JsonList",
    "JsonObject",
    "Number",
    "Text",
    "ValueType",
    "dump",
    "type_from_json",
    "type_of",
]

_WIDEST: tuple[tuple[type, ValueType], ...] = (
    (bool, Bool()),
    (int, Number(integer=True)),
    (float, Number()),
    (str, Text()),
    (list, JsonList()),
    (dict, JsonObject()),
)
"""The widest type of each Python type; a bool is also an int, so it comes first."""


def type_of(value: object) -> ValueType:
    """Return the widest type that `value` belongs to: `Text` for text, `Number` for numbers.

    A list that `Bullets.of` made is a playbook.

    Raises:
        InvalidValue: no type fits; declare one.
    """
    if is_playbook(value):
        return Bullets()
    for python_type, kind in _WIDEST:
        if isinstance(value, python_type):
            return kind
    raise InvalidValue(f"no parameter type fits {type(value).__name__}; declare one")


def type_from_json(data: Mapping[str, object]) -> ValueType:
    """Return the type that `to_json` wrote.

    Raises:
        InvalidValue: `data` describes no known type.
    """
    read = _READERS.get(str(data.get("kind")))
    if read is None:
        raise InvalidValue(f"unknown parameter type {data.get('kind')!r}")
    return read(data)


def _text(data: Mapping[str, object]) -> ValueType:
    length = data.get("max_length")
    fields = cast("list[str]", data.get("placeholders") or [])
    return Text(length if isinstance(length, int) else None, tuple(fields))


def _number(data: Mapping[str, object]) -> ValueType:
    low, high, step = (data.get(word) for word in ("low", "high", "step"))
    return Number(
        low if isinstance(low, int | float) else -math.inf,
        high if isinstance(high, int | float) else math.inf,
        bool(data.get("integer")),
        step if isinstance(step, int | float) else None,
    )


def _choice(data: Mapping[str, object]) -> ValueType:
    return Choice(tuple(cast("list[str]", data.get("options") or [])))


def _code(data: Mapping[str, object]) -> ValueType:
    doc = data.get("docstring")
    names = cast("list[str]", data.get("projections") or [])
    return Code(
        str(data.get("signature", "")),
        doc if isinstance(doc, str) else None,
        tuple(PROJECTIONS[name] for name in names if name in PROJECTIONS),
        tuple(cast("list[str]", data["imports"])) if "imports" in data else None,
        Examples.from_json(data.get("examples")),
    )


def _bullets(data: Mapping[str, object]) -> ValueType:
    items, length = data.get("max_items"), data.get("max_length")
    widest = Bullets()
    return Bullets(
        items if isinstance(items, int) else widest.max_items,
        length if isinstance(length, int) else widest.max_length,
    )


def _schema(data: Mapping[str, object]) -> Mapping[str, object]:
    schema = data.get("schema")
    return cast("Mapping[str, object]", schema) if isinstance(schema, Mapping) else {}


_READERS: Mapping[str, Callable[[Mapping[str, object]], ValueType]] = {
    "text": _text,
    "number": _number,
    "bool": lambda _: Bool(),
    "bullets": _bullets,
    "choice": _choice,
    "list": lambda data: JsonList(_schema(data)),
    "object": lambda data: JsonObject(_schema(data)),
    "code": _code,
}
