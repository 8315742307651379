"""What a parameter's value may be: text, a number, a choice, or code."""

from __future__ import annotations

import ast
import json
import math
import string
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, cast, runtime_checkable

from trace_agents.errors import InvalidValue
from trace_agents.graph.projections import PROJECTIONS, Projection


@runtime_checkable
class ValueType(Protocol):
    """The type of a parameter: what is checked before a value is run or stored."""

    kind: ClassVar[str]

    def check(self, value: object) -> object:
        """Return `value` in its stored form, or raise `InvalidValue`."""
        ...

    def parse(self, text: str) -> object:
        """Return the value that a model wrote as `text`, or raise `InvalidValue`."""
        ...

    def describe(self) -> str:
        """Return the constraint as one sentence for a model."""
        ...

    def to_json(self) -> dict[str, object]:
        """Return a JSON object from which `type_from_json` makes an equal type."""
        ...


def dump(value: object) -> str:
    """Return `value` as a model reads and writes it: text as it is, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


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


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number between `low` and `high`, both included; whole if `integer`."""

    kind: ClassVar[str] = "number"
    low: float = -math.inf
    high: float = math.inf
    integer: bool = False

    def check(self, value: object) -> int | float:
        """Return the number, or raise `InvalidValue`; a bool is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidValue(f"expected a number, got {type(value).__name__}: {value!r}")
        if not math.isfinite(value):
            raise InvalidValue(f"expected a finite number, got {value!r}")
        if self.integer and value != int(value):
            raise InvalidValue(f"expected a whole number, got {value!r}")
        if not self.low <= value <= self.high:
            raise InvalidValue(f"expected a number in [{self.low:g}, {self.high:g}], got {value!r}")
        return int(value) if self.integer else value

    def parse(self, text: str) -> int | float:
        """Return the number that `text` is."""
        try:
            return self.check(int(text.strip()))
        except InvalidValue:
            raise
        except ValueError:
            pass
        try:
            return self.check(float(text.strip()))
        except InvalidValue:
            raise
        except ValueError:
            raise InvalidValue(f"expected a number, got {text.strip()[:80]!r}") from None

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        sort = "a whole number" if self.integer else "a number"
        return f"{sort} in [{self.low:g}, {self.high:g}]"

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object; an open end is null."""
        low = self.low if math.isfinite(self.low) else None
        high = self.high if math.isfinite(self.high) else None
        return {"kind": self.kind, "low": low, "high": high, "integer": self.integer}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `options`."""

    kind: ClassVar[str] = "choice"
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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
class Code:
    """Source of one Python function whose name, arguments and docstring are fixed.

    `signature` is the line `def name(args) -> result:` (or `async def`), as `ast` writes it.
    """

    kind: ClassVar[str] = "code"
    signature: str = ""
    docstring: str | None = None
    projections: tuple[Projection, ...] = ()
    """What new code goes through, in order, before it is stored."""

    @classmethod
    def of(cls, source: str, projections: Iterable[Projection] = ()) -> Code:
        """Return the type of which `source` is a value."""
        function = _one_function(source)
        return cls(_signature(function), ast.get_docstring(function), tuple(projections))

    def check(self, value: object) -> str:
        """Return the source as it is stored, or raise `InvalidValue`; the code is not run."""
        if not isinstance(value, str):
            raise InvalidValue(f"expected Python source, got {type(value).__name__}")
        self._fits(value)
        for projection in self.projections:
            value = projection(value)
            self._fits(value)
        return value

    def _fits(self, value: str) -> None:
        function = _one_function(value)
        if _signature(function) != self.signature:
            raise InvalidValue(
                f"the function must start with {self.signature!r}, not {_signature(function)!r}"
            )
        if self.docstring is not None and ast.get_docstring(function) != self.docstring:
            raise InvalidValue("the function's docstring must stay as it is")

    def parse(self, text: str) -> str:
        """Return the source without the fence that a model may have put around it."""
        return self.check(_without_fence(text))

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        return f"one Python function that starts with `{self.signature}`; only its body may change"

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object; of projections, the names."""
        return {
            "kind": self.kind,
            "signature": self.signature,
            "docstring": self.docstring,
            "projections": [projection.name for projection in self.projections],
        }


_PARSING = threading.Lock()
"""Python 3.11 may fail with a SystemError where several threads parse at once."""


def _one_function(source: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    try:
        with _PARSING:
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidValue(f"the code does not parse: {error}") from None
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef):
        raise InvalidValue("expected exactly one function and nothing beside it")
    if body[0].decorator_list:
        raise InvalidValue("the function must have no decorators")
    return body[0]


def _signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    word = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    result = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"{word} {function.name}({ast.unparse(function.args)}){result}:"


def _without_fence(text: str) -> str:
    lines = text.strip("\n").splitlines()
    if len(lines) >= 2 and lines[0].startswith("```") and lines[-1].strip() == "```":
        lines = lines[1:-1]
    return "\n".join(lines)


def type_of(value: object) -> ValueType:
    """Return the widest type that `value` belongs to: `Text` for text, `Number` for numbers.

    Raises:
        InvalidValue: no type fits; declare one.
    """
    if isinstance(value, bool):
        raise InvalidValue("a bool needs a declared type, for example Choice(('yes', 'no'))")
    if isinstance(value, int):
        return Number(integer=True)
    if isinstance(value, float):
        return Number()
    if isinstance(value, str):
        return Text()
    raise InvalidValue(f"no parameter type fits {type(value).__name__}; declare one")


def type_from_json(data: Mapping[str, object]) -> ValueType:
    """Return the type that `to_json` wrote.

    Raises:
        InvalidValue: `data` describes no known type.
    """
    match data.get("kind"):
        case "text":
            length = data.get("max_length")
            fields = cast("list[str]", data.get("placeholders") or [])
            return Text(length if isinstance(length, int) else None, tuple(fields))
        case "number":
            low, high = data.get("low"), data.get("high")
            return Number(
                low if isinstance(low, int | float) else -math.inf,
                high if isinstance(high, int | float) else math.inf,
                bool(data.get("integer")),
            )
        case "choice":
            return Choice(tuple(cast("list[str]", data.get("options") or [])))
        case "code":
            doc = data.get("docstring")
            names = cast("list[str]", data.get("projections") or [])
            return Code(
                str(data.get("signature", "")),
                doc if isinstance(doc, str) else None,
                tuple(PROJECTIONS[name] for name in names if name in PROJECTIONS),
            )
        case kind:
            raise InvalidValue(f"unknown parameter type {kind!r}")
