"""Free text as a parameter."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import ClassVar

from trace_agents.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Text:
    """Free text; `placeholders` are the `{fields}` that every value must keep."""

    kind: ClassVar[str] = "text"
    max_length: int | None = None
    """Characters."""
    placeholders: tuple[str, ...] = ()

    def check(self, value: object) -> str:
        """Return the text unchanged, or raise `InvalidValue`."""
        if not isinstance(value, str):
            raise InvalidValue(f"expected text, got {type(value).__name__}: {value!r}")
        if not value.strip():
            raise InvalidValue("expected text, got nothing but white space")
        if self.max_length is not None and len(value) > self.max_length:
            raise InvalidValue(f"expected at most {self.max_length} characters, got {len(value)}")
        missing = [name for name in self.placeholders if name not in _fields(value)]
        if missing:
            raise InvalidValue(f"the text lost its placeholders {missing}; keep them in braces")
        return value

    def parse(self, text: str) -> str:
        """Return the text as it was written."""
        return self.check(text)

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        parts = ["any text"]
        if self.max_length is not None:
            parts.append(f"at most {self.max_length} characters")
        if self.placeholders:
            parts.append("keeps the fields " + ", ".join(f"{{{p}}}" for p in self.placeholders))
        return "; ".join(parts)

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object."""
        return {
            "kind": self.kind,
            "max_length": self.max_length,
            "placeholders": list(self.placeholders),
        }


def _fields(template: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}
    except ValueError:
        return set()
