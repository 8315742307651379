"""How the live version does in service, and when it gives way to the one before it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from trace_agents.errors import InvalidValue
from trace_agents.store import Evidence, Version
from trace_agents.training.judging.gate import mean_and_error


@dataclass(frozen=True, slots=True)
class Rollback:
    """When the live version is taken back: it does worse in service than the one it replaced.

    Service is the train episodes. Before every decision the mean score of the last `window`
    episodes of the live version is compared with that of its predecessor, once both have
    `least`; the same is done with the share of episodes that failed. If the live version is
    behind by `z` standard errors, the predecessor's values go live again as a new version.
    """

    window: int = 50
    least: int = 10
    z: float = 2.0

    def __post_init__(self) -> None:
        if not 2 <= self.least <= self.window or self.z < 0:
            raise InvalidValue(
                "a rollback needs 2 <= least <= window and z >= 0; "
                f"got {self.least}, {self.window} and {self.z}"
            )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rollback:
        """Return a rule from its fields as a JSON object."""
        return cls(**data)


Served: TypeAlias = tuple[int, float | None, str]
"""Version, score and status of an episode; one that failed has no score."""


@dataclass(slots=True)
class Service:
    """The last scores of every version, in the order in which decisions used the episodes."""

    rule: Rollback | None
    _scores: dict[int, deque[float | None]] = field(default_factory=dict[int, deque[float | None]])

    _became: dict[int, int] = field(default_factory=dict[int, int])

    def add(self, episodes: Iterable[Served]) -> None:
        """Take in episodes that are over; those that say nothing of the workflow are left out."""
        window = 0 if self.rule is None else self.rule.window
        for version, score, status in episodes:
            if status in ("unjudged", "stopped"):
                continue
            version = self._became.get(version, version)
            if version not in self._scores:
                self._scores[version] = deque(maxlen=window)
            self._scores[version].append(score)

    def rename(self, candidate: int, version: int) -> None:
        """Count what a candidate did before it went live as the version's own."""
        self._became[candidate] = version

    def worse(self, head: Version) -> Evidence | None:
        """Return the evidence for the predecessor of `head`, if `head` is to give way to it.

        A version that is a rollback itself stays, so that two versions cannot take turns.
        """
        if self.rule is None or head.parent is None or head.origin == "rollback":
            return None
        now, before = self._of(head.id), self._of(head.parent)
        if min(len(now), len(before)) < self.rule.least:
            return None
        scores, earlier = _known(now), _known(before)
        enough = min(len(scores), len(earlier)) >= self.rule.least
        lower = enough and behind(scores, earlier, self.rule.z)
        if lower or behind(_failed(before), _failed(now), self.rule.z):
            return _evidence(scores, earlier, head.id)
        return None

    def _of(self, version: int) -> Sequence[float | None]:
        return self._scores.get(version, ())


def _known(scores: Sequence[float | None]) -> list[float]:
    return [score for score in scores if score is not None]


def _failed(scores: Sequence[float | None]) -> list[float]:
    return [float(score is None) for score in scores]


def behind(scores: Sequence[float], others: Sequence[float], z: float) -> bool:
    """Return whether the mean of `scores` is below that of `others` by `z` standard errors."""
    (mean, error), (reference, spread) = mean_and_error(scores), mean_and_error(others)
    # adding up equal scores in another order may differ by a hair
    slack = 1e-12 * max(1.0, abs(mean), abs(reference))
    return reference - mean > z * math.hypot(error, spread) + slack


def _evidence(head: Sequence[float], before: Sequence[float], baseline: int) -> Evidence:
    (mean, error), (earlier, spread) = mean_and_error(head), mean_and_error(before)
    return Evidence(len(head), earlier - mean, math.hypot(error, spread), mean, earlier, baseline)
