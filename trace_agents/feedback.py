"""Feedback: a score, and words that say what went well or badly."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from numbers import Real
from typing import TypeAlias, cast

from trace_agents.errors import InvalidValue


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


Said: TypeAlias = str | Feedback | float | tuple[float, str]
"""What can be said of one output: words, a score, or both."""


def in_words(said: Said) -> str:
    """Return what is said of an output as optimizers read it: the score, then the words.

    Raises:
        InvalidValue: it is neither words nor a score.
    """
    given: object = said
    if isinstance(given, str):
        return given
    if isinstance(given, Feedback):
        return f"score {given.score:g}\n{given.text}".rstrip()
    if isinstance(given, Real):
        return in_words(Feedback(float(given)))
    pair = cast("tuple[object, ...]", given) if isinstance(given, tuple) else ()
    if len(pair) == 2 and isinstance(pair[0], Real) and isinstance(pair[1], str):
        return in_words(Feedback(float(pair[0]), pair[1]))
    raise InvalidValue(
        f"feedback about an output is words, a score, (score, words) or a Feedback; got {given!r}"
    )


_SCORE = re.compile(
    r"(?<!no )\bscore\s*(?:is|of|[:=])?\s*(?P<score>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)",
    re.IGNORECASE | re.ASCII,
)


def score_in(text: str) -> float | None:
    """Return the score that feedback names (`score 0.7 …`, or a bare number), if it does."""
    found = _SCORE.search(text)
    try:
        score = float(found["score"] if found else text)
    except ValueError:
        return None
    return score if math.isfinite(score) else None
