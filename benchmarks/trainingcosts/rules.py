"""The problem that trace-agents and gepa both train on; the standard library alone.

An agent follows the rules that its prompt names. A task needs three of them and is worth the part
that the prompt has, less a tenth for every rule that only does harm. The agent takes as long as a
model call would: most calls are quick, and a few are four times as slow.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

NAMES = tuple(f"rule{number:02}" for number in range(30))
HARMFUL = tuple(f"habit{number:02}" for number in range(30))
NEEDED = 4
START = "Follow: rule00."
MEDIAN, SPREAD = 0.05, 0.8
"""Median seconds of an episode, and the standard deviation of their logarithm."""
HEEDED, SLIPS = 0.5, 0.5
"""How often the stand-in for the reflecting model heeds a complaint, and how often it slips."""

_NAMED = re.compile(r"Follow: ([\w, ]*)\.")
_COMPLAINT = re.compile(r"(missing|harmed by) (\w+)")


def tasks(seed: int, first: int, count: int) -> list[str]:
    """Return tasks by name, each with the rules that it needs."""
    return [task(seed, number) for number in range(first, first + count)]


def task(seed: int, number: int) -> str:
    """Return one task."""
    draw = random.Random(f"{seed}/task/{number}")
    return f"task {number} needs {' '.join(sorted(draw.sample(NAMES, NEEDED)))}"


def named(prompt: str) -> list[str]:
    """Return the rules that a prompt names first."""
    found = _NAMED.search(prompt)
    return [] if found is None else [name for name in found[1].split(", ") if name]


def judged(given: str, prompt: str) -> tuple[float, str]:
    """Return what following the prompt is worth in a task, and what was missing."""
    has, needs = set(named(prompt)), given.split(" needs ")[1].split()
    missing = [name for name in needs if name not in has]
    harm = sorted(has & set(HARMFUL))
    words = [*(f"missing {name}" for name in missing), *(f"harmed by {name}" for name in harm)]
    return 1 - len(missing) / NEEDED - len(harm) / 10, ", ".join(words) or "all is well"


def seconds(given: str) -> float:
    """Return how long an episode on a task takes."""
    return min(4 * MEDIAN, MEDIAN * random.Random(given).lognormvariate(0, SPREAD))


def reflected(current: str, feedback: str, draw: random.Random) -> str:
    """Return the prompt that the stand-in for a model writes, having read prompt and feedback."""
    has = dict.fromkeys(named(current))
    for kind, name in dict.fromkeys(_COMPLAINT.findall(feedback)):
        if draw.random() < HEEDED:
            if kind == "missing":
                has[name] = None
            else:
                has.pop(name, None)
    if draw.random() < SLIPS:
        has[draw.choice(HARMFUL)] = None
    return f"Follow: {', '.join(has)}."


def mean_score(prompt: str, held_out: Sequence[str]) -> float:
    """Return the mean score of a prompt over tasks that nobody trained on."""
    return sum(judged(given, prompt)[0] for given in held_out) / len(held_out)
