"""What the JSON schema of a tool's arguments tells of them, and the same with other words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

Schema = Mapping[str, object]


def described(schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield name and description of each argument that is described."""
    for name, about in _properties(schema).items():
        # a schema may also be a plain True
        text = cast("Schema", about).get("description") if isinstance(about, Mapping) else None
        if isinstance(text, str) and text.strip():
            yield name, text


def redescribed(schema: Schema, told: Mapping[str, str]) -> dict[str, object]:
    """Return a schema with other descriptions of some arguments; the one given stays as it is."""
    properties = {
        name: {**cast("Schema", about), "description": told[name]} if name in told else about
        for name, about in _properties(schema).items()
    }
    return {**schema, "properties": properties}


def _properties(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return cast("Schema", properties) if isinstance(properties, Mapping) else {}
