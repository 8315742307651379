"""Feedback: a score, and words that say what went well or badly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a guide says of one output. Higher scores are better; `text` says why."""

    score: float
    text: str = ""


Guide: TypeAlias = Callable[
    [object, object],
    "Feedback | float | tuple[float, str] | Awaitable[Feedback | float | tuple[float, str]]",
]
"""`guide(task, output)`: judges the output of one episode; sync or async."""


def as_feedback(verdict: Feedback | float | tuple[float, str]) -> Feedback:
    """Return a guide's verdict in full: a bare number is a score without words."""
    if isinstance(verdict, Feedback):
        return verdict
    if isinstance(verdict, tuple):
        return Feedback(float(verdict[0]), verdict[1])
    return Feedback(float(verdict))
