"""What a problem is: a space of values, how good each is, and perhaps words that say why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

import trace_agents as ta
from trace_agents.graph import Values
from trace_agents.optimizers.space import Space

Nodes: TypeAlias = Mapping[str, ta.ParameterNode]
GOAL = 0.95
"""The part of the optimum that has to be reached."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Values to find; the best that there is scores 1, by construction or by trying all."""

    parameters: ta.Parameters
    """Their values are where every optimizer starts."""
    truth: Callable[[Values], float]
    """How good values are, without noise."""
    noise: float = 0.0
    """Standard deviation of what an evaluation adds."""
    words: Callable[[Values], str] | None = None
    """What an evaluation says beside the score; None where there is only the score."""
    program: Callable[[Nodes], ta.Node] | None = None
    """The traced program, where a graph helps."""
    moved: Callable[[Values], float] | None = None
    """The truth of the second half, where the optimum moves."""


Make: TypeAlias = Callable[[int], Problem]
"""`make(seed)`: the problem of that seed, another optimum and another start for each."""


def started_anywhere(parameters: ta.Parameters, rng: Random) -> ta.Parameters:
    """Return the parameters with values from anywhere in their space."""
    point = Space.of(parameters).sample(rng)
    return ta.Parameters(
        ta.Parameter(name, point[name], parameter.type) for name, parameter in parameters.items()
    )


def number(values: Values, name: str) -> float:
    """Return a number among values."""
    found = values[name]
    if not isinstance(found, int | float):
        raise TypeError(f"{name} is no number: {found!r}")
    return found
