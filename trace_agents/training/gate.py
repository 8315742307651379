"""The gate: a candidate goes live only if paired, held-out episodes say that it is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from trace_agents.errors import BudgetExhausted, InvalidValue
from trace_agents.graph import Values
from trace_agents.store import Evidence, Version, canonical
from trace_agents.training.budget import Ledger, Reservation
from trace_agents.training.episodes import EpisodeRunner, Rollout
from trace_agents.training.pricing import learn_price


@dataclass(frozen=True, slots=True)
class Gate:
    """How a candidate is judged against the head.

    Both do the same tasks, in rounds that grow. After a round the candidate is out if
    `mean + 2 * se < margin`; after the last it is accepted if `mean > margin` and
    `mean - z * se >= 0`, where mean and se are of candidate minus head over the pairs.
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

    def __post_init__(self) -> None:
        growing = all(a < b for a, b in zip((0.0, *self.rounds), self.rounds, strict=False))
        if not growing or self.rounds[-1:] != (1.0,):
            raise InvalidValue(f"the gate's rounds must grow to 1.0, not {self.rounds}")

    def sizes(self, count: int) -> tuple[int, ...]:
        """Return how many of `count` tasks each round has seen at its end."""
        return tuple(sorted({max(1, math.ceil(count * part)) for part in self.rounds}))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's decision, and why."""

    accepted: bool
    evidence: Evidence
    reason: str


@dataclass(slots=True)
class Judge:
    """Runs gate episodes and keeps their scores by (values, task), so that none is run twice.

    Only scores are kept: an episode that failed runs again when it is next needed, so that a
    provider's outage is not held against a version for ever.
    """

    gate: Gate
    tasks: Sequence[object]
    runner: EpisodeRunner
    ledger: Ledger
    on_rollout: Callable[[Rollout], None]
    on_round: Callable[[Version, Evidence], None] = lambda _version, _evidence: None
    next_index: int = 0
    stopped: str | None = None
    """Why the budget stopped an episode under way; then nothing more is decided."""
    _scores: dict[tuple[str, int], float] = field(default_factory=dict[tuple[str, int], float])

    async def judge(self, candidate: Version, head: Version) -> Verdict:
        """Return whether `candidate` may replace `head`.

        Raises:
            BudgetExhausted: a round does not fit into the budget; nothing is decided.
        """
        evidence = Evidence(0, 0.0, 0.0, 0.0, 0.0, head.id)
        head_scores: dict[int, float | None] = {}
        scores: dict[int, float | None] = {}
        for size in self.gate.sizes(len(self.tasks)):
            await self._complete(size, (head, head_scores), (candidate, scores))
            evidence = paired_evidence(head_scores, scores, head.id)
            self.on_round(candidate, evidence)
            early = self._early(evidence, head_scores, scores)
            if early:
                return Verdict(False, evidence, early)
        return self._final(evidence)

    async def price(self, version: Version) -> None:
        """Run the first gate task of a version alone, if the budget needs to know the price."""
        scores: dict[int, float | None] = {}

        async def one(place: int, reservation: Reservation) -> None:
            index, self.next_index = self.next_index, self.next_index + 1
            await self._one(version, scores, place, index, reservation)

        await learn_price(self.ledger, len(self.tasks), one)

    def remember(self, values: Values, place: int, score: float) -> None:
        """Keep a score that was measured: it is not measured again."""
        self._scores[(canonical(dict(values)), place)] = score

    async def baseline(self, version: Version) -> tuple[float, float]:
        """Return the mean score of a version over all gate tasks, and its standard error."""
        scores: dict[int, float | None] = {}
        await self._complete(len(self.tasks), (version, scores))
        return mean_and_error([score for score in scores.values() if score is not None])

    def known(self, version: Version) -> tuple[float, float]:
        """Return the mean and its error over the gate scores that are already known."""
        key = canonical(dict(version.values))
        known = (self._scores.get((key, place)) for place in range(len(self.tasks)))
        return mean_and_error([score for score in known if score is not None])

    async def _complete(self, size: int, *sides: tuple[Version, dict[int, float | None]]) -> None:
        missing: list[tuple[Version, dict[int, float | None], int]] = []
        for version, scores in sides:
            key = canonical(dict(version.values))
            for place in range(size):
                if place not in scores:
                    known = self._scores.get((key, place))
                    if known is None:
                        missing.append((version, scores, place))
                    scores[place] = known
        held = self.ledger.reserve_episodes(len(missing))
        first, self.next_index = self.next_index, self.next_index + len(missing)
        try:
            async with anyio.create_task_group() as group:
                for offset, (version, scores, place) in enumerate(missing):
                    group.start_soon(
                        self._one, version, scores, place, first + offset, held[offset]
                    )
        finally:
            for reservation in held:
                reservation.release()
        if self.stopped is not None:
            raise BudgetExhausted(self.stopped)

    async def _one(
        self,
        version: Version,
        scores: dict[int, float | None],
        place: int,
        index: int,
        reservation: Reservation,
    ) -> None:
        async with self.runner.limiter:
            rollout = await self.runner.run_now(
                self.tasks[place], version, "gate", index, reservation, keep_graph=False
            )
        self.on_rollout(rollout)
        if rollout.score is not None:
            self.remember(version.values, place, rollout.score)
            scores[place] = rollout.score
        else:
            scores[place] = self.gate.failure_score
        if rollout.status == "stopped":
            self.stopped = rollout.error

    def _early(
        self,
        evidence: Evidence,
        head: dict[int, float | None],
        candidate: dict[int, float | None],
    ) -> str | None:
        failed = [sum(s is None for s in scores.values()) for scores in (head, candidate)]
        if failed[1] > failed[0]:
            return f"{failed[1]} of its gate episodes failed, of the head's {failed[0]}"
        # one pair has no spread to judge by
        if evidence.n > 1 and evidence.mean + 2 * evidence.se < self.gate.margin:
            return f"worse after {evidence.n} pairs: {_figures(evidence)}"
        return None

    def _final(self, evidence: Evidence) -> Verdict:
        better = evidence.n > 0 and evidence.mean > self.gate.margin
        accepted = better and evidence.mean - self.gate.z * evidence.se >= 0
        words = "better" if accepted else "not clearly better"
        return Verdict(accepted, evidence, f"{words} in {evidence.n} pairs: {_figures(evidence)}")


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


def _figures(evidence: Evidence) -> str:
    return f"{evidence.mean:+.4g} ± {evidence.se:.3g}"
