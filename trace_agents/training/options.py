"""The options of a run that decide what it does; a run's log keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from trace_agents.errors import InvalidValue
from trace_agents.training.budget import Budget, Spent
from trace_agents.training.gate import Gate


@dataclass(frozen=True, slots=True)
class Options:
    """What `train` was asked for, apart from objects; its arguments explain each."""

    concurrency: int = 16
    batch_size: int = 8
    proposals: int | None = None
    max_staleness: int = 1
    lag: int = 1
    deterministic: bool = False
    seed: int = 0
    deadline: float | None = None
    gate: Gate = field(default_factory=Gate)

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.lag < 0 or self.max_staleness < 0:
            raise InvalidValue(
                "batch_size must be at least 1, lag and max_staleness at least 0; "
                f"got {self.batch_size}, {self.lag} and {self.max_staleness}"
            )
        if self.concurrency < 1:
            raise InvalidValue(f"concurrency must be at least 1, got {self.concurrency}")

    def to_json(self) -> dict[str, object]:
        """Return the options as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        """Return what `to_json` wrote."""
        gate: dict[str, Any] = {**data["gate"], "rounds": tuple(data["gate"]["rounds"])}
        fields: dict[str, Any] = {**data, "gate": Gate(**gate)}
        return cls(**fields)


def budget_from(data: Mapping[str, Any]) -> Budget:
    """Return a budget from its fields as a JSON object."""
    estimate = data.get("estimate")
    fields: dict[str, Any] = {**data}
    fields["estimate"] = None if estimate is None else Spent(**estimate)
    return Budget(**fields)
