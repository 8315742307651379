"""Tasks: files of them, their order in a run, and whether two lists share any."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from trace_agents.errors import InvalidValue, TaskFileError
from trace_agents.store import canonical
from trace_agents.training.tasks.plan import Plan


def read_tasks(path: str | Path) -> list[object]:
    """Return the tasks of a JSON list, or of a file with one JSON value per line.

    Raises:
        TaskFileError: the file cannot be read, does not parse (the sentence names the line), or
            holds no task.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskFileError(f"{path}: cannot be read: {error}") from None
    as_list = Path(path).suffix != ".jsonl" and text.lstrip().startswith("[")
    tasks = _list(path, text) if as_list else _lines(path, text)
    if not tasks:
        raise TaskFileError(f"{path}: holds no task; write a JSON list or one JSON value per line")
    return tasks


def _list(path: str | Path, text: str) -> list[object]:
    try:
        return cast("list[object]", json.loads(text))
    except json.JSONDecodeError as error:
        raise TaskFileError(f"{path}, line {error.lineno}: {error.msg}") from None


def _lines(path: str | Path, text: str) -> list[object]:
    tasks: list[object] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                tasks.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise TaskFileError(f"{path}, line {number}: {error.msg}") from None
    return tasks


class TaskOrder:
    """An endless order of tasks, epoch after epoch, which the seed and the plan fix."""

    def __init__(self, tasks: Sequence[object], seed: int, plan: Plan | None = None) -> None:
        self._tasks = tasks
        self._seed = seed
        self._plan = plan or Plan()
        self._epoch = -1
        self._order: list[int] = []

    def task(self, index: int) -> object:
        """Return the task of the episode with this index."""
        epoch, place = divmod(index, len(self._tasks))
        if epoch != self._epoch:
            draw = random.Random(f"{self._seed}/{epoch}")
            self._order = self._plan.epoch(epoch, len(self._tasks), draw)
            self._epoch = epoch
        return self._tasks[self._order[place]]


def shuffled(count: int, seed: str) -> list[int]:
    """Return the numbers below `count` in an order that the seed fixes."""
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order


HELD_OUT = 0.25
"""The part of the tasks that judges candidates, where none were given for that."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks that a run learns from, and those that judge what it learnt."""

    train: tuple[object, ...]
    gate: tuple[object, ...]
    held_out: bool = False
    """Whether the gate tasks were split off by the run itself."""
    report: tuple[object, ...] = ()
    """The tasks that only the finished run is measured on."""


def split_tasks(tasks: Sequence[object], gate: Sequence[object] | None, seed: int) -> Tasks:
    """Return tasks that share none; without gate tasks a seeded quarter, two at least, judges.

    Raises:
        InvalidValue: a list is empty, they share a task, or there are too few to split.
    """
    if gate is not None:
        check_disjoint(tasks, gate)
        return Tasks(tuple(tasks), tuple(gate))
    # equal tasks stay on one side
    places: dict[str, list[int]] = {}
    for place, task in enumerate(tasks):
        places.setdefault(canonical(task), []).append(place)
    groups = list(places.values())
    if len(groups) < 4:
        raise InvalidValue(
            f"{len(groups)} different tasks are too few to hold some out as judges: give at "
            "least 4 tasks, or gate_tasks= of your own"
        )
    order = shuffled(len(groups), f"{seed}/held out")
    judging = order[: max(2, math.ceil(len(groups) * HELD_OUT))]
    held = {place for group in judging for place in groups[group]}
    return Tasks(
        tuple(task for place, task in enumerate(tasks) if place not in held),
        tuple(task for place, task in enumerate(tasks) if place in held),
        held_out=True,
    )


def check_disjoint(train: Sequence[object], gate: Sequence[object]) -> None:
    """Refuse lists of which one is empty or that share a task.

    Raises:
        InvalidValue: naming the first task that is in both.
    """
    for name, tasks in (("tasks", train), ("gate_tasks", gate)):
        if not tasks:
            raise InvalidValue(f"{name} is empty; give at least one task")
    seen = {canonical(task) for task in train}
    shared = [task for task in gate if canonical(task) in seen]
    if shared:
        raise InvalidValue(
            f"{len(shared)} of the gate tasks are also train tasks, the first is "
            f"{canonical(shared[0])[:200]}; a gate must judge on tasks that were not learned from"
        )


def with_report(tasks: Tasks, report: Sequence[object] | None) -> Tasks:
    """Return the tasks with those of the report.

    Raises:
        InvalidValue: one of them is a train or a gate task.
    """
    known = {canonical(task) for task in (*tasks.train, *tasks.gate)}
    shared = [task for task in report or () if canonical(task) in known]
    if shared:
        raise InvalidValue(
            f"{len(shared)} of the report tasks are also train or gate tasks, the first is "
            f"{canonical(shared[0])[:200]}; a report must be of tasks that played no part"
        )
    return replace(tasks, report=tuple(report or ()))
