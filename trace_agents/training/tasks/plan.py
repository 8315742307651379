"""What shapes the order of a run's tasks: how often each comes, and which come first."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trace_agents.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Plan:
    """What shapes the order of tasks, as plain data: one figure for each task."""

    weights: tuple[float, ...] | None = None
    difficulty: tuple[float, ...] | None = None
    pace: int = 4
    """Epochs until the hardest tasks are in."""

    @classmethod
    def of(
        cls,
        tasks: Sequence[object],
        weight: Callable[[object], float] | None = None,
        difficulty: Callable[[object], float] | None = None,
        pace: int = 4,
    ) -> Plan:
        """Return the plan for these tasks.

        Raises:
            InvalidValue: a figure is not finite, a weight is below 0, all are 0, or no pace.
        """
        weights = None if weight is None else tuple(float(weight(task)) for task in tasks)
        hard = None if difficulty is None else tuple(float(difficulty(task)) for task in tasks)
        for name, figures in (("weight", weights), ("difficulty", hard)):
            for task, figure in zip(tasks, figures or (), strict=False):
                if not math.isfinite(figure) or (name == "weight" and figure < 0):
                    raise InvalidValue(
                        f"the {name} of task {task!r:.200} is {figure}; give a "
                        "finite number, for a weight 0 or more"
                    )
        if weights is not None and not any(weights):
            raise InvalidValue("the weight of every task is 0, so that none would ever be drawn")
        if pace < 1:
            raise InvalidValue(f"pace must be at least 1 epoch, got {pace}")
        return cls(weights, hard, pace)

    def to_json(self) -> dict[str, object]:
        """Return the plan as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Return what `to_json` wrote."""
        weights, hard = data["weights"], data["difficulty"]
        return cls(
            None if weights is None else tuple(weights),
            None if hard is None else tuple(hard),
            data["pace"],
        )

    def epoch(self, number: int, count: int, draw: random.Random) -> list[int]:
        """Return the places of `count` tasks in the order of one epoch, `count` of them."""
        window = self._window(number, count)
        if self.weights is None:
            return _around(window, count, draw)
        return _weighted(window, self.weights, count, draw)

    def _window(self, number: int, count: int) -> list[int]:
        """Return the places that are in by this epoch: the easiest part, which grows to all."""
        if self.difficulty is None or number + 1 >= self.pace:
            return list(range(count))
        hard = self.difficulty
        easiest = sorted(range(count), key=lambda place: (hard[place], place))
        return easiest[: math.ceil(count * (number + 1) / self.pace)]


def _around(window: Sequence[int], count: int, draw: random.Random) -> list[int]:
    """Return `count` places: all of the window, shuffled, as often as there is room."""
    found: list[int] = []
    while len(found) < count:
        turn = list(window)
        draw.shuffle(turn)
        found += turn
    return found[:count]


def _weighted(
    window: Sequence[int], weights: Sequence[float], count: int, draw: random.Random
) -> list[int]:
    """Return `count` places, each as often as its weight says, rounded up or down by chance.

    Systematic sampling: one random offset and equal steps, so that an epoch is as even as it
    can be.
    """
    inside = [place for place in window if weights[place] > 0] or list(window)
    total = math.fsum(weights[place] for place in inside)
    if total == 0:  # the easiest tasks all weigh nothing
        return _around(inside, count, draw)
    found: list[int] = []
    reached, mark = 0.0, draw.random()
    for place in inside:
        reached += weights[place] / total * count
        while mark < reached and len(found) < count:
            found.append(place)
            mark += 1
    found += [inside[-1]] * (count - len(found))  # what rounding left over
    draw.shuffle(found)
    return found
