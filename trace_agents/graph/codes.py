"""The source of one function as a parameter."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import ClassVar

from trace_agents.errors import InvalidValue
from trace_agents.graph.examples import Examples, Runner
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
    imports: tuple[str, ...] | None = None
    """The modules that the code may import; None for whatever its sandbox has."""
    examples: Examples = field(default_factory=Examples)
    """Calls that new code must answer right, in the sandbox, before it is stored."""

    @classmethod
    def of(
        cls,
        source: str,
        projections: Iterable[Projection] = (),
        *,
        imports: Iterable[str] | None = None,
        examples: Iterable[tuple[Sequence[object], object]] = (),
        run: Runner | None = None,
    ) -> Code:
        """Return the type of which `source` is a value.

        Args:
            source: the function as it is; what it imports stays allowed, and it need not pass
                the examples.
            projections: what new code goes through.
            imports: modules that new code may import.
            examples: pairs of arguments and result.
            run: runs code on the examples.
        """
        function = _one_function(source)
        through = tuple(projections)
        stored = reduce(lambda value, projection: projection(value), through, source)
        allowed = None if imports is None else sorted({*imports, *_imported(function)})
        return cls(
            _signature(function),
            ast.get_docstring(function),
            through,
            None if allowed is None else tuple(allowed),
            Examples.of(examples, run, (source, stored)),
        )

    def check(self, value: object) -> str:
        """Return the source as it is stored, or raise `InvalidValue`.

        The code is run where there are examples, in the sandbox, once for each source.
        """
        if not isinstance(value, str):
            raise InvalidValue(f"expected Python source, got {type(value).__name__}")
        function = self._fitting(value)
        for projection in self.projections:
            value = projection(value)
            function = self._fitting(value)
        self.examples.check(value, function.name)
        return value

    def _fitting(self, value: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
        function = _one_function(value)
        if _signature(function) != self.signature:
            raise InvalidValue(
                f"the function must start with {self.signature!r}, not {_signature(function)!r}"
            )
        if self.docstring is not None and ast.get_docstring(function) != self.docstring:
            raise InvalidValue("the function's docstring must stay as it is")
        if self.imports is not None:
            _check_imports(function, self.imports)
        return function

    def parse(self, text: str) -> str:
        """Return the source without the fence that a model may have put around it."""
        return self.check(_without_fence(text))

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        said = f"one Python function that starts with `{self.signature}`; only its body may change"
        if self.imports is not None:
            modules = ", ".join(self.imports)
            said += f"; it may import only {modules}" if modules else "; it may import nothing"
        return said + self.examples.describe(_name(self.signature))

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object; of projections, the names."""
        return {
            "kind": self.kind,
            "signature": self.signature,
            "docstring": self.docstring,
            "projections": [projection.name for projection in self.projections],
            **({} if self.imports is None else {"imports": list(self.imports)}),
            **({"examples": self.examples.to_json()} if self.examples.each else {}),
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


def _imported(function: ast.AST) -> list[str]:
    """Return the modules that code imports; a relative import begins with a dot."""
    found: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append("." * node.level + (node.module or ""))
    return found


def _check_imports(function: ast.AST, allowed: Sequence[str]) -> None:
    for name in _imported(function):
        if not any(name == module or name.startswith(f"{module}.") for module in allowed):
            listed = ", ".join(allowed) or "none"
            raise InvalidValue(f"{name!r} may not be imported; the modules allowed are: {listed}")


def _name(signature: str) -> str:
    return signature.partition("(")[0].rpartition(" ")[2]


def _signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    word = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    result = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"{word} {function.name}({ast.unparse(function.args)}){result}:"


def _without_fence(text: str) -> str:
    lines = text.strip("\n").splitlines()
    if len(lines) >= 2 and lines[0].startswith("```") and lines[-1].strip() == "```":
        lines = lines[1:-1]
    return "\n".join(lines)
