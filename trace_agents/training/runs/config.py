"""What a run writes down at its start, so that it can go on without being told again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trace_agents.training.budgets.budget import Budget
from trace_agents.training.proposals.choosing import Maker
from trace_agents.training.runs.options import Options, budget_from
from trace_agents.training.tasks.lists import Tasks


@dataclass(frozen=True, slots=True)
class Config:
    """How a run was started."""

    options: Options
    budget: Budget
    maker: Maker
    head: int
    """Id of the live version at the start."""
    first: int
    """Index of the first train episode."""
    counts: tuple[int, int]
    """Train and gate tasks."""
    held_out: bool
    tasks: Tasks | None
    """None where JSON does not give the tasks back as they were."""
    constrained: bool = False
    """Whether its gate has a constraint, which nobody else can make again."""
    reports: int = 0
    """Report tasks."""

    def to_json(self) -> dict[str, object]:
        """Return the configuration as a JSON object."""
        return {
            "options": self.options.to_json(),
            "budget": asdict(self.budget),
            "maker": asdict(self.maker),
            "head": self.head,
            "first": self.first,
            "counts": list(self.counts),
            "held_out": self.held_out,
            "train": None if self.tasks is None else list(self.tasks.train),
            "gate": None if self.tasks is None else list(self.tasks.gate),
            "report": None if self.tasks is None else list(self.tasks.report),
            "reports": self.reports,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Config:
        """Return what `to_json` wrote."""
        tasks = None
        if data["train"] is not None:
            report = tuple(data.get("report", ()))
            tasks = Tasks(tuple(data["train"]), tuple(data["gate"]), data["held_out"], report)
        train, gate = data["counts"]
        return cls(
            Options.from_json(data["options"]),
            budget_from(data["budget"]),
            Maker(**data["maker"]),
            data["head"],
            data["first"],
            (train, gate),
            data["held_out"],
            tasks,
            data["options"]["gate"].get("constrained", False),
            data.get("reports", 0),
        )


def as_json(tasks: Tasks) -> Tasks | None:
    """Return the tasks if they are the same after a way through JSON."""
    every = (tasks.train, tasks.gate, tasks.report)
    return tasks if all(map(_same, every)) else None


def _same(tasks: Sequence[object]) -> bool:
    try:
        return bool(json.loads(json.dumps(tasks)) == list(tasks))
    except (TypeError, ValueError, RecursionError):
        return False
