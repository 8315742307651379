"""The options of a run that decide what it does; a run's log keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from numbers import Integral
from typing import Any

from trace_agents.errors import InvalidValue
from trace_agents.training.budgets.budget import Budget, Spent
from trace_agents.training.episodes.retrying import Retry
from trace_agents.training.judging.gate import Gate
from trace_agents.training.judging.service import Rollback
from trace_agents.training.proposals.focus import Batches
from trace_agents.training.search.algorithms import (
    Algorithm,
    algorithm_from_json,
    algorithm_to_json,
)
from trace_agents.training.tasks.plan import Plan
from trace_agents.training.telling.stopping import Stop


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
    stop: Stop = field(default_factory=Stop)
    retry: Retry = field(default_factory=Retry)
    rollback: Rollback | None = field(default_factory=Rollback)
    batches: Batches = "mixed"
    canary: float | None = None
    """The part of the train episodes that a candidate does before it goes live."""
    algorithm: Algorithm | None = None
    """None makes one question to the optimizer out of each batch."""
    plan: Plan = field(default_factory=Plan)

    def __post_init__(self) -> None:
        self._check_whole_numbers()
        if self.batches not in ("mixed", "signature"):
            raise InvalidValue(f"batches must be 'mixed' or 'signature', got {self.batches!r}")
        if self.deadline is not None and not self.deadline > 0:
            raise InvalidValue(f"deadline must be more than 0 seconds, got {self.deadline}")
        if self.batch_size < 1 or self.lag < 0 or self.max_staleness < 0:
            raise InvalidValue(
                "batch_size must be at least 1, lag and max_staleness at least 0; "
                f"got {self.batch_size}, {self.lag} and {self.max_staleness}"
            )
        if self.canary is not None and self.lag < 1:
            raise InvalidValue(
                "with lag=0 no episodes run while a candidate is judged, so that it cannot get a "
                "part of them; leave traffic out, or use a lag of 1 or more"
            )
        if self.concurrency < 1:
            raise InvalidValue(f"concurrency must be at least 1, got {self.concurrency}")

    def _check_whole_numbers(self) -> None:
        for name in ("concurrency", "batch_size", "max_staleness", "lag", "seed", "proposals"):
            value = getattr(self, name)
            if not isinstance(value, Integral) and not (name == "proposals" and value is None):
                raise InvalidValue(f"{name} must be a whole number, got {value!r}")
        if self.proposals is not None and self.proposals < 0:
            raise InvalidValue(f"proposals must be 0 or more, got {self.proposals}")

    def to_json(self) -> dict[str, object]:
        """Return the options as a JSON object."""
        # not its constraint, which may be anything
        plain = asdict(replace(self, gate=Gate(), algorithm=None))
        algorithm = None if self.algorithm is None else algorithm_to_json(self.algorithm)
        return {**plain, "gate": self.gate.to_json(), "algorithm": algorithm}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        """Return what `to_json` wrote."""
        fields: dict[str, Any] = {**data, "gate": Gate.from_json(data["gate"])}
        rollback = data.get("rollback")  # runs of earlier releases have none
        fields["rollback"] = None if rollback is None else Rollback.from_json(rollback)
        for name, kind in (("stop", Stop), ("retry", Retry)):
            if name in data:  # runs of earlier releases have none
                fields[name] = kind.from_json(data[name])
        if data.get("plan") is not None:
            fields["plan"] = Plan.from_json(data["plan"])
        if data.get("algorithm") is not None:
            fields["algorithm"] = algorithm_from_json(data["algorithm"])
        return cls(**fields)


def budget_from(data: Mapping[str, Any]) -> Budget:
    """Return a budget from its fields as a JSON object."""
    estimate = data.get("estimate")
    fields: dict[str, Any] = {**data}
    fields["estimate"] = None if estimate is None else Spent(**estimate)
    return Budget(**fields)
