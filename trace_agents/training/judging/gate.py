"""The gate: a candidate goes live only if paired, held-out episodes say that it is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from trace_agents.errors import InvalidValue
from trace_agents.store import Evidence
from trace_agents.training.episodes.runner import Rollout

Constraint: TypeAlias = Callable[[Rollout], str | None]
"""Looks at a gate episode of a candidate; a sentence says what it broke, None that it is well."""


@dataclass(frozen=True, slots=True)
class Gate:
    """How a candidate is judged against the head.

    Both do the same tasks, in rounds that grow. After a round the candidate is out if
    `mean + 2 * se < margin`; after the last it is accepted if `mean > margin` and
    `mean - z * se >= 0`, where mean and se are of candidate minus head over the pairs. Of several
    candidates of one proposal the better half stays after each round (successive rejection), and
    the best that is accepted wins.

    `max_usd`, `max_seconds` and `constraint` are hard: a candidate that breaks one is rejected
    after the round, whatever its scores.
    """

    margin: float = 0.0
    z: float = 1.0
    """0 for deterministic tasks; more asks for more certainty."""
    rounds: tuple[float, ...] = (0.25, 0.5, 1.0)
    """Parts of the gate tasks, growing to 1."""
    failure_score: float | None = None
    """The score of a failed episode. Without it a pair with a failed side is left out of the
    mean, and a candidate that fails more often than the head is rejected. An episode
    whose guide raised has failed here too: a candidate must not win by what cannot be judged."""
    max_usd: float | None = None
    """The most US dollars that an episode of the candidate may cost in the mean."""
    max_seconds: float | None = None
    """The most seconds that an episode of the candidate may take in the mean; with it a run's
    decisions depend on the clock."""
    constraint: Constraint | None = None
    """Called with every gate episode of a candidate, for example to look for unsafe outputs."""

    def __post_init__(self) -> None:
        growing = all(a < b for a, b in zip((0.0, *self.rounds), self.rounds, strict=False))
        if not growing or self.rounds[-1:] != (1.0,):
            raise InvalidValue(f"the gate's rounds must grow to 1.0, not {self.rounds}")

    def sizes(self, count: int) -> tuple[int, ...]:
        """Return how many of `count` tasks each round has seen at its end."""
        return tuple(sorted({max(1, math.ceil(count * part)) for part in self.rounds}))

    def to_json(self) -> dict[str, object]:
        """Return the gate as a JSON object; of a constraint it says only that there was one."""
        return {
            "margin": self.margin,
            "z": self.z,
            "rounds": list(self.rounds),
            "failure_score": self.failure_score,
            "max_usd": self.max_usd,
            "max_seconds": self.max_seconds,
            "constrained": self.constraint is not None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Gate:
        """Return what `to_json` wrote, without the constraint."""
        given: dict[str, Any] = {**data, "rounds": tuple(data["rounds"])}
        given.pop("constrained", None)
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's decision, and why."""

    accepted: bool
    evidence: Evidence
    reason: str


def paired_evidence(
    head: dict[int, float | None], candidate: dict[int, float | None], baseline: int
) -> Evidence:
    """Return what the pairs say in which both sides have a score."""
    pairs = [
        (before, after)
        for place, before in sorted(head.items())
        if before is not None and (after := candidate[place]) is not None
    ]
    mean, error = mean_and_error([after - before for before, after in pairs])
    return Evidence(
        len(pairs),
        mean,
        error,
        mean_and_error([before for before, _ in pairs])[0],
        mean_and_error([after for _, after in pairs])[0],
        baseline,
        len(head) - len(pairs),
    )


def mean_and_error(scores: Sequence[float]) -> tuple[float, float]:
    """Return the mean and its standard error, which is 0 where fewer than two scores are."""
    if not scores:
        return 0.0, 0.0
    mean = math.fsum(scores) / len(scores)
    if len(scores) < 2:
        return mean, 0.0
    variance = math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1)
    return mean, math.sqrt(variance / len(scores))
