"""Two crossings of a main road that share a cycle: when shall each light be green?"""

from __future__ import annotations

from functools import cache
from itertools import product
from random import Random

import trace_agents as ta
from benchmarks.problems.problem import Problem, number, started_anywhere
from trace_agents.graph import Values

SECONDS = 300
TRAVEL = 15
"""Seconds from the first crossing to the second."""
LOST = 3
"""Seconds at the start of a green that nobody uses."""
NAMES = ("cycle", "main1", "main2", "offset")
GRID = (
    tuple(range(20, 90, 10)),
    tuple(k / 10 for k in range(2, 9)),
    tuple(k / 10 for k in range(2, 9)),
    tuple(k / 10 for k in range(10)),
)
"""The cycle in seconds; the part of it in which the main road has green, at each crossing; by how
much of a cycle the second light is behind."""


def traffic(seed: int) -> Problem:
    """Return the lights for one pattern of arrivals; the seed is of the start alone."""
    waits = all_waits()
    least = min(waits.values())
    space = ta.Parameters(
        [
            ta.Parameter("cycle", 20, ta.Number(20, 80, integer=True, step=10)),
            ta.Parameter("main1", 0.5, ta.Number(0.2, 0.8, step=0.1)),
            ta.Parameter("main2", 0.5, ta.Number(0.2, 0.8, step=0.1)),
            ta.Parameter("offset", 0.0, ta.Number(0, 0.9, step=0.1)),
        ]
    )

    def truth(values: Values) -> float:
        point = tuple(round(number(values, name), 1) for name in NAMES)
        return least / waits[point]

    return Problem(started_anywhere(space, Random(f"traffic/{seed}")), truth)


@cache
def all_waits() -> dict[tuple[float, ...], float]:
    """Return the seconds that cars wait in all, for every setting of the lights."""
    return {point: wait(*point) for point in product(*GRID)}


def wait(cycle: float, main1: float, main2: float, offset: float) -> float:
    """Return the seconds that all cars together wait."""
    shares, shifts = (main1, main2), (0, round(offset * cycle))
    queues = [[0.0, 0.0], [0.0, 0.0]]
    under_way = [0.0] * (SECONDS + TRAVEL)
    waited = 0.0
    for second in range(SECONDS):
        for crossing, queue in enumerate(queues):
            queue[0] += 0.28 if crossing == 0 else under_way[second]
            queue[1] += (0.14, 0.2)[crossing]
            place = (second - shifts[crossing]) % cycle
            green = shares[crossing] * cycle
            side = 0 if place < green else 1
            if place - side * green >= LOST:
                leaving = min(queue[side], 0.5)
                queue[side] -= leaving
                if crossing == 0 and side == 0:
                    under_way[second + TRAVEL] += leaving
            waited += queue[0] + queue[1]
    return waited
