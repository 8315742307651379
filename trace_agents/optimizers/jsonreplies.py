"""Replies in the JSON form: one object with the reasoning and the new values by name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from trace_agents.graph import (
    Bool,
    Bullets,
    Choice,
    JsonList,
    JsonObject,
    Number,
    Parameters,
    Text,
    Values,
    ValueType,
)
from trace_agents.optimizers.reading import Parsed, Written, typed
from trace_agents.optimizers.replies import split_thoughts

CHANGES = "suggestion"
"""The key of the new values."""
_TRIES = 200
"""Opening braces that are looked at: more are no answer."""
_LONGEST_TEXT = 8_000
_LONGEST_REASONING = 2_000
"""Characters in a schema: a small model that is not held to an end finds none."""


@dataclass(frozen=True, slots=True)
class _Twice:
    """The pairs of an object that says a key twice."""

    pairs: tuple[tuple[str, object], ...]


def parse_json_reply(text: str, parameters: Parameters, current: Values) -> Parsed:
    """Return the changes that a JSON reply asks for; never raises for what a model wrote."""
    thoughts, body = split_thoughts(text)
    values: dict[str, list[object]] = {}
    broken: dict[str, str] = {}
    reasons = [thoughts] if thoughts else []
    found = False
    for answer in _answers(body):
        found = True
        why = _first(answer, "reasoning")
        if isinstance(why, str) and why:
            reasons.append(why)
        _collect(answer, values, broken)
    formless = "" if found else f"the reply holds no whole JSON object with {CHANGES!r}"
    return typed(Written(values, broken, "\n".join(reasons), formless), parameters, current)


def json_schema(parameters: Parameters) -> Mapping[str, object]:
    """Return the JSON Schema of an answer; null leaves a variable as it is."""
    kinds = {name: _schema_of(p.type) for name, p in parameters.trainable.items()}
    return _closed(
        {
            "reasoning": {"type": "string", "maxLength": _LONGEST_REASONING},
            CHANGES: _closed({name: _or_null(kind) for name, kind in kinds.items()}),
        }
    )


def _answers(body: str) -> Iterator[dict[str, object] | _Twice]:
    """Yield the objects of the reply that have the key of the changes, outermost first."""
    # strict=False: models end lines inside texts
    decoder = json.JSONDecoder(object_pairs_hook=_object, strict=False)
    start = body.find("{")
    for _ in range(_TRIES):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(body, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if isinstance(_first(value, CHANGES), dict | _Twice):
                yield value
        start = body.find("{", end)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object] | _Twice:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(tuple(pairs))


def _pairs(value: object) -> tuple[tuple[str, object], ...]:
    if isinstance(value, _Twice):
        return value.pairs
    return tuple(cast("dict[str, object]", value).items()) if isinstance(value, dict) else ()


def _first(value: object, key: str) -> object:
    return next((inner for name, inner in _pairs(value) if name == key), None)


def _collect(
    answer: dict[str, object] | _Twice, values: dict[str, list[object]], broken: dict[str, str]
) -> None:
    for key, changes in _pairs(answer):
        for written, value in _pairs(changes) if key == CHANGES else ():
            name = written.strip(" `:")
            if _has_twice(value):
                broken[name] = "a key stands there twice; give each once"
            else:
                values.setdefault(name, []).append(value)


def _has_twice(value: object) -> bool:
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, _Twice):
            return True
        if isinstance(inner, dict):
            waiting.extend(cast("dict[str, object]", inner).values())
        elif isinstance(inner, list):
            waiting.extend(cast("list[object]", inner))
    return False


def _closed(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema: Mapping[str, object]) -> dict[str, object]:
    return {"anyOf": [dict(schema), {"type": "null"}]}


def _schema_of(kind: ValueType) -> dict[str, object]:
    match kind:
        case Number():
            return _number(kind)
        case Bool():
            return {"type": "boolean"}
        case Choice():
            return {"type": "string", "enum": list(kind.options)}
        case JsonList():
            return {**kind.schema, "type": "array"}
        case JsonObject():
            return {**kind.schema, "type": "object"}
        case Text():
            return {"type": "string", "maxLength": kind.max_length or _LONGEST_TEXT}
        case Bullets():
            line = {"type": "string", "maxLength": _LONGEST_REASONING}
            return {"type": "array", "items": line, "maxItems": 100}
        case _:
            return {"type": "string", "maxLength": _LONGEST_TEXT}


def _number(kind: Number) -> dict[str, object]:
    schema: dict[str, object] = {"type": "integer" if kind.integer else "number"}
    if math.isfinite(kind.low):
        schema["minimum"] = kind.low
    if math.isfinite(kind.high):
        schema["maximum"] = kind.high
    return schema
