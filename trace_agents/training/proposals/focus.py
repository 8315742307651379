"""Batches by failure signature: a decision learns from episodes that went wrong in one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from trace_agents.training.episodes.runner import Rollout
from trace_agents.training.telling.failures import in_general

Batches: TypeAlias = Literal["mixed", "signature"]
"""`mixed`: a decision learns from all episodes of its batch. `signature`: from those that failed
in the way that costs most; the others are kept for later decisions."""

KEPT = 4
"""Batches of episodes that are kept at most; older ones are dropped unused."""


def signature(rollout: Rollout) -> str:
    """Return how an episode ended, without what is particular to its task.

    Numbers and quoted words are left out of its error, or of the first line of its feedback.
    """
    words = rollout.error if rollout.feedback is None else rollout.feedback.text
    return f"{rollout.status}: {in_general(words or '')}"


@dataclass(slots=True)
class Focus:
    """Chooses what a decision learns from, and keeps the rest."""

    size: int
    """Episodes of a batch."""
    kept: list[Rollout] = field(default_factory=list[Rollout])
    """Episodes of earlier batches that no decision has learnt from, oldest first."""
    dropped: list[Rollout] = field(default_factory=list[Rollout])
    """Episodes that the last choice gave up."""

    def choose(self, batch: Sequence[Rollout]) -> list[Rollout]:
        """Return the episodes whose shared signature has lost the most score."""
        pool = [*self.kept, *batch]
        best = max((r.score for r in pool if r.score is not None), default=0.0)
        worst = min((r.score for r in pool if r.score is not None), default=0.0)
        losses: dict[str, float] = {}
        for rollout in pool:
            # an episode without a score has lost as much as the worst, and more than none
            score = worst - 1.0 if rollout.score is None else rollout.score
            name = signature(rollout)
            losses[name] = losses.get(name, 0.0) + best - score
        chosen = max(losses, key=lambda name: losses[name])
        rest = [rollout for rollout in pool if signature(rollout) != chosen]
        limit = KEPT * self.size
        self.dropped, self.kept = rest[: max(0, len(rest) - limit)], rest[-limit:]
        return [rollout for rollout in pool if signature(rollout) == chosen]
