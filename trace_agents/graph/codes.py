"""The source of one function as a parameter."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trace_agents.errors import InvalidValue
from trace_agents.graph.projections import Projection


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
