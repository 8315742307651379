"""The space that a search without a model moves in: one axis for each parameter."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from trace_agents.graph import Choice, Number, Parameter, Parameters
from trace_agents.graph.types import Bool

Point: TypeAlias = dict[str, object]
"""A value for every axis."""


@dataclass(frozen=True, slots=True)
class Options:
    """An axis of a few values without an order."""

    values: tuple[object, ...]

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.values)

    def sample(self, rng: Random) -> object:
        """Return any value."""
        return rng.choice(self.values)

    def near(self, value: object, _scale: float, rng: Random) -> object:
        """Return another value, where there is one."""
        others = [other for other in self.values if other != value]
        return rng.choice(others or self.values)


@dataclass(frozen=True, slots=True)
class Line:
    """An axis of numbers, looked at as the way from 0 to 1."""

    low: float
    high: float
    step: float
    """The distance between two values; 0 where they lie close."""
    integer: bool

    @classmethod
    def of(cls, number: Number) -> Line:
        """Return the axis of a number with two ends."""
        step = number.step or (1 if number.integer else 0)
        low, high = number.low, number.high
        if number.integer:
            low, high = math.ceil(low), math.floor(high)
        return cls(low, high, step, number.integer)

    @property
    def count(self) -> int | None:
        """How many values there are; None where there is no step between them."""
        return math.floor((self.high - self.low) / self.step + 1e-9) + 1 if self.step else None

    @property
    def values(self) -> tuple[object, ...]:
        """All values of an axis that has steps."""
        return tuple(self.numbered(k) for k in range(self.count or 0))

    def sample(self, rng: Random) -> object:
        """Return any value."""
        return (
            self.at(rng.random())
            if self.count is None
            else self.numbered(rng.randrange(self.count))
        )

    def near(self, value: object, scale: float, rng: Random) -> object:
        """Return another value about `scale` of the axis away."""
        moved = self.place(value) + rng.gauss(0, scale)
        new = self.at(-moved if moved < 0 else 2 - moved if moved > 1 else moved)
        if new != value or self.count is None:
            return new
        number = self.number_of(value) + rng.choice((-1, 1))
        return self.numbered(min(self.count - 1, max(0, number)))

    def place(self, value: object) -> float:
        """Return where a value lies between 0 and 1."""
        if not isinstance(value, int | float) or self.high == self.low:
            return 0.0
        return (value - self.low) / (self.high - self.low)

    def at(self, place: float) -> int | float:
        """Return the value at a place between 0 and 1, on the grid."""
        value = self.low + min(1.0, max(0.0, place)) * (self.high - self.low)
        return self._written(value) if self.count is None else self.numbered(self.number_of(value))

    def number_of(self, value: object) -> int:
        """Return the number of the nearest value on the grid."""
        if not isinstance(value, int | float) or self.count is None:
            return 0
        return min(self.count - 1, max(0, round((value - self.low) / self.step)))

    def numbered(self, number: int) -> int | float:
        """Return a value of the grid."""
        return self._written(self.low + number * self.step)

    def _written(self, value: float) -> int | float:
        if self.integer:
            return round(value)
        # without the noise of binary fractions, as a person would write it
        return min(self.high, max(self.low, float(f"{value:.15g}")))


Axis: TypeAlias = Options | Line


@dataclass(frozen=True, slots=True)
class Space:
    """The axes by parameter name, and why other parameters have none."""

    axes: Mapping[str, Axis]
    frozen: tuple[str, ...] = ()
    """One sentence for every trainable parameter that a search cannot change."""

    @classmethod
    def of(cls, parameters: Parameters) -> Space:
        """Return the space of the trainable parameters."""
        axes = {name: _axis(parameter) for name, parameter in parameters.trainable.items()}
        return cls(
            {name: axis for name, axis in axes.items() if axis is not None},
            tuple(_why_not(parameters[name]) for name, axis in axes.items() if axis is None),
        )

    @property
    def size(self) -> int | None:
        """How many points there are; None where they cannot be counted."""
        counts = [axis.count for axis in self.axes.values()]
        return None if None in counts else math.prod(count or 1 for count in counts)

    def sample(self, rng: Random) -> Point:
        """Return any point."""
        return {name: axis.sample(rng) for name, axis in self.axes.items()}

    def points(self) -> Iterator[Point]:
        """Yield every point of a space that can be counted."""
        for values in itertools.product(*(axis.values for axis in self.axes.values())):
            yield dict(zip(self.axes, values, strict=True))


def _axis(parameter: Parameter) -> Axis | None:
    kind = parameter.type
    if isinstance(kind, Choice):
        return Options(kind.options)
    if isinstance(kind, Bool):
        return Options((False, True))
    if isinstance(kind, Number) and math.isfinite(kind.low) and math.isfinite(kind.high):
        return Line.of(kind)
    return None


def _why_not(parameter: Parameter) -> str:
    if isinstance(parameter.type, Number):
        how = "give it a lower and an upper end, as in Number(0, 1)"
    else:
        how = "declare a Choice of values, or use an optimizer with a model, such as OptoPrime"
    return (
        f"{parameter.name!r} stays as it is: a search without a model cannot change "
        f"{parameter.type.describe()}; {how}"
    )
