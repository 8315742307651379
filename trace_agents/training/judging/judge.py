"""The judge: it runs the gate's episodes, and says which candidate may replace the head."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from trace_agents.errors import BudgetExhausted
from trace_agents.graph import Values
from trace_agents.store import Evidence, Version, canonical
from trace_agents.training.budgets.budget import Ledger, Reservation
from trace_agents.training.budgets.pricing import learn_price
from trace_agents.training.episodes.runner import EpisodeRunner, Rollout
from trace_agents.training.judging.gate import Gate, Verdict, mean_and_error, paired_evidence


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is known of one gate episode."""

    score: float | None
    usd: float = 0.0
    seconds: float = 0.0
    broke: str | None = None


@dataclass(slots=True, eq=False)
class _Side:
    """One version under comparison, and what its episodes gave, by the task's place."""

    version: Version
    measured: dict[int, _Measured] = field(default_factory=dict[int, _Measured])

    @property
    def scores(self) -> dict[int, float | None]:
        return {place: known.score for place, known in self.measured.items()}


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
    _scores: dict[tuple[str, int], _Measured] = field(
        default_factory=dict[tuple[str, int], _Measured]
    )
    _condemned: set[str] = field(default_factory=set[str])

    async def judge(self, candidate: Version, head: Version) -> Verdict:
        """Return whether `candidate` may replace `head`.

        Raises:
            BudgetExhausted: a round does not fit into the budget; nothing is decided.
        """
        return (await self.judge_all([candidate], head))[0]

    async def judge_all(self, candidates: Sequence[Version], head: Version) -> list[Verdict]:
        """Return the verdicts on candidates of one proposal, of which at most one is accepted.

        Raises:
            BudgetExhausted: a round does not fit into the budget; nothing is decided.
        """
        verdicts: dict[int, Verdict] = {}
        before = _Side(head)
        sides = {place: _Side(candidate) for place, candidate in enumerate(candidates)}
        for place, candidate in enumerate(candidates):
            if canonical(dict(candidate.values)) in self._condemned:
                verdicts[place] = self._refused(head)
        for size in self.gate.sizes(len(self.tasks)):
            left = {place: side for place, side in sides.items() if place not in verdicts}
            if left:
                await self._complete(size, before, *left.values())
                verdicts |= self._round(before, left, last=size == len(self.tasks))
        return [verdicts[place] for place in sides]

    def condemn(self, values: Values) -> None:
        """Accept these values never again: they were worse in service."""
        self._condemned.add(canonical(dict(values)))

    async def price(self, version: Version) -> None:
        """Run the first gate task of a version alone, if the budget needs to know the price."""
        side = _Side(version)

        async def one(place: int, reservation: Reservation) -> None:
            index, self.next_index = self.next_index, self.next_index + 1
            await self._one(side, place, index, reservation)

        await learn_price(self.ledger, len(self.tasks), one)

    def remember(
        self, values: Values, place: int, score: float, *, usd: float = 0.0, seconds: float = 0.0
    ) -> None:
        """Keep a score that was measured: it is not measured again."""
        self._scores[(canonical(dict(values)), place)] = _Measured(score, usd, seconds)

    async def baseline(self, version: Version) -> tuple[float, float]:
        """Return the mean score of a version over all gate tasks, and its standard error."""
        side = _Side(version)
        await self._complete(len(self.tasks), side)
        return mean_and_error([score for score in side.scores.values() if score is not None])

    def known(self, version: Version) -> tuple[float, float]:
        """Return the mean and its error over the gate scores that are already known."""
        key = canonical(dict(version.values))
        known = (self._scores.get((key, place)) for place in range(len(self.tasks)))
        return mean_and_error([m.score for m in known if m is not None and m.score is not None])

    def knows(self, version: Version) -> bool:
        """Tell whether any gate score of the version's values is known."""
        key = canonical(dict(version.values))
        return any((key, place) in self._scores for place in range(len(self.tasks)))

    async def _complete(self, size: int, *sides: _Side) -> None:
        missing: list[tuple[_Side, int]] = []
        for side in sides:
            key = canonical(dict(side.version.values))
            for place in range(size):
                if place not in side.measured:
                    known = self._scores.get((key, place))
                    if known is None:
                        missing.append((side, place))
                    else:
                        side.measured[place] = known
        held = self.ledger.reserve_episodes(len(missing))
        first, self.next_index = self.next_index, self.next_index + len(missing)
        try:
            async with anyio.create_task_group() as group:
                for offset, (side, place) in enumerate(missing):
                    group.start_soon(self._one, side, place, first + offset, held[offset])
        finally:
            for reservation in held:
                reservation.release()
        if self.stopped is not None:
            raise BudgetExhausted(self.stopped)

    async def _one(self, side: _Side, place: int, index: int, reservation: Reservation) -> None:
        version = side.version
        async with self.runner.limiter.first:
            rollout = await self.runner.run_now(
                self.tasks[place], version, "gate", index, reservation, keep_graph=False
            )
        self.on_rollout(rollout)
        score = self.gate.failure_score if rollout.score is None else rollout.score
        measured = _Measured(score, rollout.usd, rollout.seconds, self._broken(version, rollout))
        side.measured[place] = measured
        if rollout.score is not None:
            self._scores[(canonical(dict(version.values)), place)] = measured
        if rollout.status == "stopped":
            self.stopped = rollout.error

    def _broken(self, version: Version, rollout: Rollout) -> str | None:
        if self.gate.constraint is None or version.id >= 0:
            return None
        try:
            return self.gate.constraint(rollout)
        except Exception as error:  # noqa: BLE001 - the boundary: what cannot be checked is refused
            return f"the gate's constraint raised {type(error).__name__}: {error}"

    def _round(self, head: _Side, left: dict[int, _Side], *, last: bool) -> dict[int, Verdict]:
        """Return the verdicts that a round allows; after the last one, on all that are left."""
        verdicts: dict[int, Verdict] = {}
        means: dict[int, Evidence] = {}
        for place, side in left.items():
            evidence = paired_evidence(head.scores, side.scores, head.version.id)
            self.on_round(side.version, evidence)
            reason = self._broke(side) or self._early(evidence, head.scores, side.scores)
            if reason:
                verdicts[place] = Verdict(False, evidence, reason)
            elif last:
                verdicts[place] = self._final(evidence)
            else:
                means[place] = evidence
        return verdicts | (_only_best(verdicts) if last else _worse_half(means))

    def _broke(self, side: _Side) -> str | None:
        """Return which hard constraint a candidate has broken."""
        known = [measured for _, measured in sorted(side.measured.items())]
        broken = [measured.broke for measured in known if measured.broke]
        if broken:
            return f"it breaks the gate's constraint: {broken[0]}"
        for limit, mean, unit in (
            (self.gate.max_usd, math.fsum(m.usd for m in known) / len(known), "US dollars"),
            (self.gate.max_seconds, math.fsum(m.seconds for m in known) / len(known), "seconds"),
        ):
            if limit is not None and mean > limit:
                return (
                    f"an episode takes {mean:.4g} {unit} in the mean, over the limit of {limit:g}"
                )
        return None

    def _refused(self, head: Version) -> Verdict:
        evidence = Evidence(0, 0.0, 0.0, 0.0, 0.0, head.id)
        return Verdict(False, evidence, "a version with these values was rolled back before")

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


def _only_best(verdicts: Mapping[int, Verdict]) -> dict[int, Verdict]:
    """Turn down all that were accepted but the best."""
    good = [place for place, verdict in verdicts.items() if verdict.accepted]
    good.sort(key=lambda place: (-verdicts[place].evidence.mean, place))
    return {
        place: Verdict(False, verdicts[place].evidence, "another candidate was better")
        for place in good[1:]
    }


def _worse_half(means: Mapping[int, Evidence]) -> dict[int, Verdict]:
    """Turn down the worse half of several candidates; a tie is for the first."""
    order = sorted(means, key=lambda place: (-means[place].mean, place))
    kept = math.ceil(len(order) / 2)
    return {
        place: Verdict(False, means[place], "other candidates did better in the first rounds")
        for place in order[kept:]
    }


def _figures(evidence: Evidence) -> str:
    return f"{evidence.mean:+.4g} ± {evidence.se:.3g}"
