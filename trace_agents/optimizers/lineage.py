"""What GEPA read and did for one proposal, as JSON and back: enough to build its pool again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trace_agents.graph import Values
from trace_agents.propagate import TraceGraph


@dataclass(frozen=True, slots=True)
class Read:
    """Episodes with the values that they ran with, and the current values."""

    runs: tuple[tuple[dict[str, object], TraceGraph], ...]
    current: Values

    def to_json(self) -> dict[str, object]:
        """Return it as a JSON object."""
        runs = [[values, part.to_json()] for values, part in self.runs]
        return {"runs": runs, "current": dict(self.current)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Read:
        """Return what `to_json` wrote."""
        runs = ((values, TraceGraph.from_json(part)) for values, part in data["runs"])
        return cls(tuple(runs), data["current"])


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was read since the last proposal, and the state after this one."""

    read: tuple[Read, ...]
    count: int
    merges_left: int
    turns: Mapping[int, int]
    """How often each candidate was a parent, by its number."""
    point: Values | None
    """The proposed values; None where nothing was proposed."""
    parents: tuple[int, ...]

    def to_json(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "read": [read.to_json() for read in self.read],
            "count": self.count,
            "merges": self.merges_left,
            "turns": [[number, turn] for number, turn in self.turns.items()],
            "point": None if self.point is None else dict(self.point),
            "parents": list(self.parents),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Remembered:
        """Return what `to_json` wrote."""
        return cls(
            tuple(Read.from_json(read) for read in data["read"]),
            data["count"],
            data["merges"],
            dict(data["turns"]),
            data["point"],
            tuple(data["parents"]),
        )
