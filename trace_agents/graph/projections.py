"""Projections: what new code goes through before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from trace_agents.errors import ExtraNotInstalled, InvalidValue


class Projection(Protocol):
    """A function from code to code, with a name that says what holds of its results."""

    @property
    def name(self) -> str:
        """What the stored form of the type calls it."""
        ...

    def __call__(self, source: str) -> str:
        """Return the nearest source that satisfies the constraint; `InvalidValue` if none does."""
        ...


@dataclass(frozen=True, slots=True)
class BlackCodeFormatter:
    """Code as `black` formats it (extra `black`)."""

    name: str = "black"
    line_length: int = 88
    """Characters."""

    def __call__(self, source: str) -> str:
        """Return the source, formatted."""
        try:
            import black
        except ImportError:
            raise ExtraNotInstalled("black", "black") from None
        try:
            return black.format_str(source, mode=black.Mode(line_length=self.line_length)).rstrip()
        except ValueError as error:  # what black raises for code that does not parse
            raise InvalidValue(f"black cannot format the code: {error}") from None


PROJECTIONS: Mapping[str, Projection] = {"black": BlackCodeFormatter()}
"""Those that a stored type can name."""
