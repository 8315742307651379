"""One of a few values as a parameter: named options, or true and false."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, cast

from trace_agents.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `options`."""

    kind: ClassVar[str] = "choice"
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given: object = self.options  # which may be anything where no type checker looked
        listed = cast("Iterable[object]", () if isinstance(given, str) else given)
        if isinstance(given, str) or not all(isinstance(each, str) for each in listed):
            raise InvalidValue(f"a choice takes a list of texts, as in ('a', 'b'), not {given!r}")
        if not self.options:
            raise InvalidValue("a choice needs at least one option")

    def check(self, value: object) -> str:
        """Return the option, or raise `InvalidValue`."""
        if isinstance(value, str) and value in self.options:
            return value
        raise InvalidValue(f"expected one of {list(self.options)}, got {value!r}")

    def parse(self, text: str) -> str:
        """Return the option that `text` names, white space around it aside."""
        return self.check(text.strip())

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        return "one of: " + ", ".join(repr(option) for option in self.options)

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object."""
        return {"kind": self.kind, "options": list(self.options)}


@dataclass(frozen=True, slots=True)
class Bool:
    """True or false."""

    kind: ClassVar[str] = "bool"

    def check(self, value: object) -> bool:
        """Return the value, or raise `InvalidValue`; 0, 1 and words are no truth values."""
        if isinstance(value, bool):
            return value
        raise InvalidValue(f"expected true or false, got {type(value).__name__}: {value!r}")

    def parse(self, text: str) -> bool:
        """Return the truth value that `text` names, in any case."""
        word = text.strip().casefold()
        if word not in ("true", "false"):
            raise InvalidValue(f"expected true or false, got {text.strip()[:80]!r}")
        return word == "true"

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        return "true or false"

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object."""
        return {"kind": self.kind}
