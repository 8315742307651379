"""The part of JSON Schema that a parameter may be held to, and the check against it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TypeAlias, cast

from trace_agents.errors import InvalidValue

Schema: TypeAlias = Mapping[str, object]
"""A JSON Schema with the words of `WORDS` only."""

_DEEPEST = 32
"""Levels of a value; deeper ones are no parameters but attacks."""
_ANNOTATIONS = frozenset({"title", "description", "default", "examples"})
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_NUMBERS = (int, float)
_SORTS: Mapping[str, tuple[type, ...]] = {
    "type": (str,),
    "enum": (list,),
    "properties": (dict,),
    "required": (list,),
    "additionalProperties": (bool, dict),
    "items": (dict,),
    "minItems": _NUMBERS,
    "maxItems": _NUMBERS,
    "minLength": _NUMBERS,
    "maxLength": _NUMBERS,
    "minimum": _NUMBERS,
    "maximum": _NUMBERS,
}
"""The words that are held, and what each may say."""


def check_schema(schema: object, where: str = "the schema") -> None:
    """Refuse a schema that says what this check cannot hold a value to.

    Raises:
        InvalidValue: an unknown word or type; the sentence says where.
    """
    if not isinstance(schema, dict):
        raise InvalidValue(f"{where} must be an object, not {type(schema).__name__}")
    words = cast("dict[str, object]", schema)
    # an unknown word is refused, because it would hold nothing
    unknown = sorted(set(words) - _SORTS.keys() - _ANNOTATIONS)
    if unknown:
        raise InvalidValue(f"{where} has the words {unknown}; known are {list(_SORTS)}")
    for word in words.keys() - _ANNOTATIONS:
        if not isinstance(words[word], _SORTS[word]):
            raise InvalidValue(f"{where}: {word!r} cannot be {words[word]!r}")
    if "type" in words and words["type"] not in _TYPES:
        raise InvalidValue(f"{where} has the type {words['type']!r}; known are {list(_TYPES)}")
    for name, inner in _mapping(words.get("properties")).items():
        check_schema(inner, f"{where}, property {name!r}")
    for word in ("items", "additionalProperties"):
        if isinstance(words.get(word), dict):
            check_schema(words[word], f"{where}, {word}")


def check_json(value: object, schema: Schema, path: str = "the value", depth: int = 0) -> object:
    """Return a copy of `value` that shares nothing with it, or raise `InvalidValue`."""
    if depth > _DEEPEST:
        raise InvalidValue(f"{path} lies deeper than {_DEEPEST} levels")
    _check_type(value, schema, path)
    if "enum" in schema and not any(_same(value, o) for o in cast("list[object]", schema["enum"])):
        raise InvalidValue(f"{path}: expected one of {schema['enum']}, got {value!r}")
    if isinstance(value, dict):
        return _object(cast("dict[object, object]", value), schema, path, depth)
    if isinstance(value, list):
        return _array(cast("list[object]", value), schema, path, depth)
    if isinstance(value, str):
        _bounded(len(value), schema, ("minLength", "maxLength"), f"{path}: the length")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _number(value, schema, path)
    return value


def read_json(text: str) -> object:
    """Return the JSON value that `text` is; a key given twice is an error, as is NaN.

    Raises:
        InvalidValue: the text is no JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except InvalidValue:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"expected JSON: {error}") from None


def _check_type(value: object, schema: Schema, path: str) -> None:
    wanted = str(schema.get("type", ""))
    if not _is_of(value, wanted):
        raise InvalidValue(f"{path}: expected {wanted or 'JSON'}, got {_shown(value)}")


def _is_of(value: object, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted in ("", "boolean")
    json_like = value is None or isinstance(value, int | float | str | list | dict)
    return json_like and isinstance(value, _TYPES.get(wanted, (object,)))


def _shown(value: object) -> str:
    return f"{type(value).__name__}: {str(value)[:80]}"


def _object(value: dict[object, object], schema: Schema, path: str, depth: int) -> object:
    known = _mapping(schema.get("properties"))
    missing = [n for n in cast("list[str]", schema.get("required", [])) if n not in value]
    if missing:
        raise InvalidValue(f"{path}: the keys {missing} are missing")
    checked: dict[str, object] = {}
    for key, inner in value.items():
        if not isinstance(key, str):
            raise InvalidValue(f"{path}: the key {key!r} is no text")
        extra = schema.get("additionalProperties", True)
        if key not in known and extra is False:
            raise InvalidValue(f"{path}: the key {key!r} is unknown; known are {list(known)}")
        rule = _mapping(known.get(key, extra))
        checked[key] = check_json(inner, rule, f"{path}[{key!r}]", depth + 1)
    return checked


def _array(value: list[object], schema: Schema, path: str, depth: int) -> object:
    _bounded(len(value), schema, ("minItems", "maxItems"), f"{path}: the number of items")
    rule = _mapping(schema.get("items"))
    return [check_json(v, rule, f"{path}[{i}]", depth + 1) for i, v in enumerate(value)]


def _number(value: float, schema: Schema, path: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidValue(f"{path}: expected a finite number, got {value!r}")
    _bounded(value, schema, ("minimum", "maximum"), path)


def _bounded(value: float, schema: Schema, words: tuple[str, str], what: str) -> None:
    low, high = (cast("float | None", schema.get(word)) for word in words)
    if low is not None and value < low:
        raise InvalidValue(f"{what}: expected at least {low}, got {str(value)[:80]}")
    if high is not None and value > high:
        raise InvalidValue(f"{what}: expected at most {high}, got {str(value)[:80]}")


def _same(one: object, other: object) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _mapping(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, Mapping) else {}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidValue("a key stands there twice; give each once")
    return found


def _no_constant(name: str) -> object:
    raise InvalidValue(f"{name} is no JSON; write a finite number")
