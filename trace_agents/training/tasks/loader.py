"""Batches of tasks: seeded, weighted, easy ones first, and resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from trace_agents.errors import InvalidValue
from trace_agents.training.tasks.lists import TaskOrder
from trace_agents.training.tasks.plan import Plan


class DataLoader:
    """Batches of tasks, without end, in an order that the seed fixes.

    `train` takes one in place of its tasks. By itself it is an iterator of lists; `position` is
    all of its state: set it to go on where another one stopped.

    Args:
        tasks: at least one.
        batch_size: tasks of one batch. `train` uses its own.
        seed: fixes the order. `train` uses its own.
        weight: how often a task comes, relative to the others; it may be 0.
        difficulty: easy tasks first: the first epoch draws from the easiest ones alone, and
            after `pace` epochs all are in.
        pace: epochs until the hardest tasks are in.

    Raises:
        InvalidValue: no tasks, no batch size, or figures that cannot be used.
    """

    def __init__(
        self,
        tasks: Sequence[object],
        *,
        batch_size: int = 8,
        seed: int = 0,
        weight: Callable[[object], float] | None = None,
        difficulty: Callable[[object], float] | None = None,
        pace: int = 4,
    ) -> None:
        if not tasks:
            raise InvalidValue("the loader has no tasks; give at least one")
        if batch_size < 1:
            raise InvalidValue(f"batch_size must be at least 1, got {batch_size}")
        self.tasks = tuple(tasks)
        self.batch_size = batch_size
        self.position = 0
        """Tasks that were given out."""
        self._weight, self._difficulty, self._pace = weight, difficulty, pace
        self._order = TaskOrder(self.tasks, seed, self.plan(self.tasks))

    def plan(self, tasks: Sequence[object]) -> Plan:
        """Return the loader's plan for some of its tasks."""
        return Plan.of(tasks, self._weight, self._difficulty, self._pace)

    def __iter__(self) -> Iterator[list[object]]:
        return self

    def __next__(self) -> list[object]:
        begin, self.position = self.position, self.position + self.batch_size
        return [self._order.task(index) for index in range(begin, self.position)]


def tasks_of(tasks: Sequence[object] | DataLoader) -> Sequence[object]:
    """Return the tasks of a loader, or the tasks themselves."""
    return tasks.tasks if isinstance(tasks, DataLoader) else tasks


def plan_of(tasks: Sequence[object] | DataLoader, part: Sequence[object]) -> Plan:
    """Return what orders a part of the tasks: the loader's plan, or a plain shuffle."""
    return tasks.plan(part) if isinstance(tasks, DataLoader) else Plan()
