"""The report: the run's first and best version on tasks that neither taught nor judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import anyio

from trace_agents.errors import BudgetExhausted
from trace_agents.feedback import Feedback
from trace_agents.store import Version, canonical
from trace_agents.training.budgets.budget import Reservation
from trace_agents.training.episodes.evaluation import paired
from trace_agents.training.episodes.runner import Rollout, Status
from trace_agents.training.judging.gate import mean_and_error
from trace_agents.training.telling.state import Report, RunState


@dataclass(slots=True)
class Reporter:
    """Holds the budget of the report from the start on, and runs it at the end."""

    state: RunState
    first: Version
    """The live version when the run began."""
    failure_score: float | None = None
    known: Mapping[str, Any] | None = None
    """The report that an earlier part of the run has made, and its versions."""
    _held: list[Reservation] = field(default_factory=list[Reservation])

    def __post_init__(self) -> None:
        if self._count:
            self._hold(lambda: [self.state.ledger.reserve(self._count)])

    @property
    def _count(self) -> int:
        return 0 if self.known is not None else 2 * len(self.state.tasks.report)

    def hold(self) -> None:
        """Hold what the episodes of the report will cost, now that the price is known."""
        if self._held:
            self.release()
            self._hold(lambda: self.state.ledger.reserve_episodes(self._count))

    def _hold(self, reserve: Callable[[], list[Reservation]]) -> None:
        try:
            self._held = reserve()
        except BudgetExhausted as error:
            self.state.warn(
                f"the budget has no room for the {self._count} episodes of a report: {error}"
            )

    def release(self) -> None:
        """Give back what is held."""
        for reservation in self._held:
            reservation.release()
        self._held = []

    async def report(self) -> None:
        """Run both versions on all report tasks, and keep the comparison with the run."""
        self.release()
        state, tasks = self.state, self.state.tasks.report
        best = state.store.head
        if not tasks or self._is_known(best):
            return
        if state.stopped is not None and state.stopped[0] in ("asked", "signal", "file"):
            state.warn("there is no report: the run was stopped before it")
            return
        try:
            before = await self._evaluate(self.first)
            after = before if best.id == self.first.id else await self._evaluate(best)
            state.report = self._compared(before, after, best)
        except (BudgetExhausted, ValueError) as error:
            state.warn(f"there is no report: {error}")
            return
        state.flush()
        state.store.append("Reported", asdict(state.report))

    def _is_known(self, best: Version) -> bool:
        if self.known is None or self.known["best"] != best.id:
            return False
        self.state.report = Report(**self.known)
        return True

    async def _evaluate(self, version: Version) -> list[Rollout]:
        """Return one rollout per task; those that are recorded are not run again."""
        state, tasks = self.state, self.state.tasks.report
        state.flush()
        found = self._recorded(version)
        missing = [place for place, rollout in enumerate(found) if rollout is None]
        first = state.store.next_index("report")
        held = state.ledger.reserve_episodes(len(missing))

        async def one(place: int, index: int, reservation: Reservation) -> None:
            async with state.runner.limiter:
                rollout = await state.runner.run_now(
                    tasks[place], version, "report", index, reservation, keep_graph=False
                )
            state.ended(rollout)
            found[place] = rollout

        try:
            async with anyio.create_task_group() as group:
                for offset, place in enumerate(missing):
                    group.start_soon(one, place, first + offset, held[offset])
        finally:
            for reservation in held:
                reservation.release()
        return cast("list[Rollout]", found)

    def _recorded(self, version: Version) -> list[Rollout | None]:
        known: dict[str, list[Rollout]] = {}
        for r in self.state.store.episodes("report", self.state.store.run):
            if r.version == version.id and r.score is not None:
                feedback, status = Feedback(r.score, r.feedback), cast("Status", r.status)
                rollout = Rollout(
                    r.episode, r.index, r.task, r.split, r.version, status, None, feedback
                )
                known.setdefault(canonical(r.task), []).append(rollout)
        return [
            known[key].pop() if known.get(key) else None
            for key in map(canonical, self.state.tasks.report)
        ]

    def _compared(
        self, before: Sequence[Rollout], after: Sequence[Rollout], best: Version
    ) -> Report:
        compared = paired(before, after, failure_score=self.failure_score)
        sides = [
            [self.failure_score if r.score is None else r.score for r in rollouts]
            for rollouts in (before, after)
        ]
        pairs = [(b, a) for b, a in zip(*sides, strict=True) if b is not None and a is not None]
        return Report(
            self.first.id,
            best.id,
            compared.n,
            compared.before,
            mean_and_error([b for b, _ in pairs])[1],
            compared.after,
            mean_and_error([a for _, a in pairs])[1],
            compared.gain,
            mean_and_error([a - b for b, a in pairs])[1],
            compared.low,
            compared.high,
            compared.dropped,
        )
