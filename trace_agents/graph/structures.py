"""Lists and objects as parameters, held to a small JSON Schema."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import ClassVar, cast

from trace_agents.errors import InvalidValue
from trace_agents.graph.schema import Schema, check_json, check_schema, read_json


@dataclass(frozen=True, slots=True)
class JsonList:
    """A list of JSON values: `JsonList({"items": {"type": "string"}, "maxItems": 5})`."""

    kind: ClassVar[str] = "list"
    schema: Schema = field(default_factory=dict[str, object], hash=False)
    """JSON Schema of the list; `"type": "array"` goes without saying."""

    def __post_init__(self) -> None:
        _settle(self, self.schema, "array")

    def check(self, value: object) -> list[object]:
        """Return a copy of the list, or raise `InvalidValue`."""
        return cast("list[object]", check_json(value, {**self.schema, "type": "array"}))

    def parse(self, text: str) -> list[object]:
        """Return the list that `text` writes in JSON."""
        return self.check(read_json(text))

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        return f"a JSON list{_held(self.schema)}"

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object."""
        return {"kind": self.kind, "schema": dict(self.schema)}


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object: `JsonObject({"properties": {"k": {"type": "integer"}}, "required": ["k"]})`.

    Keys that the schema does not name are allowed unless `additionalProperties` is false.
    """

    kind: ClassVar[str] = "object"
    schema: Schema = field(default_factory=dict[str, object], hash=False)
    """JSON Schema of the object; `"type": "object"` goes without saying."""

    def __post_init__(self) -> None:
        _settle(self, self.schema, "object")

    def check(self, value: object) -> dict[str, object]:
        """Return a copy of the object, or raise `InvalidValue`."""
        return cast("dict[str, object]", check_json(value, {**self.schema, "type": "object"}))

    def parse(self, text: str) -> dict[str, object]:
        """Return the object that `text` writes in JSON."""
        return self.check(read_json(text))

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        return f"a JSON object{_held(self.schema)}"

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object."""
        return {"kind": self.kind, "schema": dict(self.schema)}


def _settle(kind: JsonList | JsonObject, schema: Schema, expected: str) -> None:
    """Keep a copy of the schema, so that whoever wrote it can change it no more."""
    try:
        copy = cast("dict[str, object]", json.loads(json.dumps(schema)))
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"the schema is no JSON: {error}") from None
    check_schema(copy)
    if copy.get("type", expected) != expected:
        raise InvalidValue(f"{type(kind).__name__} needs a schema of type {expected!r}")
    object.__setattr__(kind, "schema", copy)


def _held(schema: Schema) -> str:
    told = {word: value for word, value in schema.items() if word != "type"}
    return f" that fits the JSON Schema {json.dumps(told)}" if told else ""
