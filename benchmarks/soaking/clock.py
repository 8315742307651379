"""A wall clock that jumps: for the processes that the soak starts, and for nothing else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

DAY = 86_400.0
RARELY = 40
"""One call in so many, on average, finds the clock set to another time."""


def jump(draw: random.Random, jumped: Callable[[], None]) -> None:
    """Let `time.time` of this process jump by up to a day, forth and back.

    Like a clock that somebody sets; the monotonic clock goes on, as it does then.
    """
    real, offset = time.time, [draw.uniform(-DAY, DAY)]

    def moved() -> float:
        if draw.randrange(RARELY) == 0:
            offset[0] = draw.uniform(-DAY, DAY)
            jumped()
        return real() + offset[0]

    time.time = moved
