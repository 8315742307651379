"""Calls with known results that code must reproduce before it is accepted."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from trace_agents.errors import InvalidValue, SandboxError

Runner: TypeAlias = Callable[[str, str, tuple[object, ...]], object]
"""Calls the function of a source, by its name, with these arguments: where it cannot do harm."""
KEPT = 256
"""Sources that are remembered to have passed."""


@dataclass(frozen=True, slots=True)
class Example:
    """One call and what it must return."""

    args: tuple[object, ...]
    result: object

    def holds(self, result: object) -> bool:
        """Return whether `result` is the one expected; floats may differ in the last digits."""
        expected = self.result
        if isinstance(expected, float) and isinstance(result, int | float):
            return math.isclose(result, expected, rel_tol=1e-9, abs_tol=1e-12)
        return type(result) is type(expected) and result == expected

    def call(self, name: str) -> str:
        """Return the call as Python writes it."""
        return f"{name}({', '.join(repr(arg) for arg in self.args)})"

    def to_json(self) -> list[str]:
        """Return arguments and result as Python literals."""
        return [repr(self.args), repr(self.result)]


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples, and what runs code on them; without that, they are words only."""

    each: tuple[Example, ...] = ()
    run: Runner | None = field(default=None, compare=False, repr=False)
    _passed: dict[str, None] = field(default_factory=dict[str, None], compare=False, repr=False)

    @classmethod
    def of(
        cls,
        pairs: Iterable[tuple[Sequence[object], object]],
        run: Runner | None = None,
        accepted: Iterable[str] = (),
    ) -> Examples:
        """Return pairs of arguments and result as examples; `accepted` need not pass them."""
        return cls(
            tuple(_example(args, result) for args, result in pairs), run, dict.fromkeys(accepted)
        )

    def check(self, source: str, name: str) -> None:
        """Return if the code passes; it is run once for each source.

        Raises:
            InvalidValue: an example gives something else, or fails.
        """
        if not self.each or self.run is None or source in self._passed:
            return
        for example in self.each:
            self._check(example, source, name, self.run)
        while len(self._passed) >= KEPT:
            self._passed.pop(next(iter(self._passed)), None)
        self._passed[source] = None

    def describe(self, name: str) -> str:
        """Return the examples as the end of a sentence; empty where there are none."""
        said = [f"`{each.call(name)}` must return `{each.result!r}`" for each in self.each]
        return "".join(f"; {each}" for each in said)

    def to_json(self) -> list[list[str]]:
        """Return the examples as data."""
        return [example.to_json() for example in self.each]

    @classmethod
    def from_json(cls, data: object) -> Examples:
        """Return what `to_json` wrote; nothing runs code on them."""
        pairs = cast("list[list[str]]", data) if isinstance(data, list) else []
        return cls.of((ast.literal_eval(args), ast.literal_eval(result)) for args, result in pairs)

    def _check(self, example: Example, source: str, name: str, run: Runner) -> None:
        try:
            result = run(source, name, example.args)
        except SandboxError as error:
            raise InvalidValue(f"the example {example.call(name)} fails: {error}") from None
        if not example.holds(result):
            shown = repr(result)
            shown = shown if len(shown) <= 500 else f"{shown[:500]} [...]"
            raise InvalidValue(
                f"the example {example.call(name)} must return {example.result!r}, not {shown}"
            )


def _example(args: Sequence[object], result: object) -> Example:
    made = Example(tuple(args), result)
    try:
        for text in made.to_json():
            ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise InvalidValue(
            f"an example must consist of Python literals, not {made.to_json()}"
        ) from None
    return made
