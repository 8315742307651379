"""Numbers as parameters: bounded, whole, or on a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from trace_agents.errors import InvalidValue

_NEAR = 1e-9
"""How far from its grid, in steps, a number may lie: what binary fractions cannot help."""


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number between `low` and `high`, both included; whole if `integer`.

    With a `step` it lies on a grid that begins at `low`, or at 0 where there is no lower end.
    """

    kind: ClassVar[str] = "number"
    low: float = -math.inf
    high: float = math.inf
    integer: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if isinstance(end, str):
                raise InvalidValue(f"an end of a range is a number, not the text {end!r}")
        if not self.low <= self.high:
            raise InvalidValue(f"no number lies in [{self.low:g}, {self.high:g}]")
        if self.step is not None and not 0 < self.step < math.inf:
            raise InvalidValue(f"a step must be a finite number above 0, not {self.step!r}")
        if self.step is not None and self.integer and self.step != int(self.step):
            raise InvalidValue(f"the step between whole numbers must be whole, not {self.step!r}")
        if self.step is not None and self.integer and self.origin != int(self.origin):
            raise InvalidValue(f"a grid of whole numbers cannot begin at {self.origin!r}")

    @property
    def origin(self) -> float:
        """Where the grid begins."""
        return self.low if math.isfinite(self.low) else 0

    def check(self, value: object) -> int | float:
        """Return the number, or raise `InvalidValue`; a bool is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidValue(f"expected a number, got {type(value).__name__}: {value!r}")
        if not _finite(value):
            raise InvalidValue(f"expected a finite number, got {str(value)[:80]}")
        if self.integer and value != int(value):
            raise InvalidValue(f"expected a whole number, got {value!r}")
        if not self.low <= value <= self.high:
            raise InvalidValue(f"expected a number in [{self.low:g}, {self.high:g}], got {value!r}")
        self._on_grid(value)
        return int(value) if self.integer else value

    def _on_grid(self, value: float) -> None:
        if self.step is None:
            return
        steps = (value - self.origin) / self.step
        if abs(steps - round(steps)) > _NEAR * max(1.0, abs(steps)):
            nearest = self.origin + round(steps) * self.step
            raise InvalidValue(
                f"expected {self.origin:g} plus a multiple of {self.step:g}, got {value!r}; "
                f"the nearest is {nearest:g}"
            )

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
        grid = "" if self.step is None else f", {self.origin:g} plus a multiple of {self.step:g}"
        return f"{sort} in [{self.low:g}, {self.high:g}]{grid}"

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object; an open end is null."""
        low = self.low if math.isfinite(self.low) else None
        high = self.high if math.isfinite(self.high) else None
        return {
            "kind": self.kind,
            "low": low,
            "high": high,
            "integer": self.integer,
            "step": self.step,
        }


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond every float
        return False
