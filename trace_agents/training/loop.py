"""The training loop: episodes of the next batch run while the last one is thought about.

Decision k learns from batch k. An episode of batch k starts after decision `k - 1 - lag`, so at
most `lag + 1` batches are under way: admission follows what was consumed, not what was accepted,
and a gate that rejects everything starves nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from trace_agents.errors import BudgetExhausted, EpisodeFailed
from trace_agents.store import Version
from trace_agents.training.budget import Reservation
from trace_agents.training.decide import Decider
from trace_agents.training.episodes import Rollout
from trace_agents.training.options import Options
from trace_agents.training.state import RunState
from trace_agents.training.tasks import TaskOrder


class GuideFailed(EpisodeFailed):
    """The guide raised for every episode of a batch, so that nothing could be learnt."""


@dataclass(slots=True)
class Loop:
    """Admits episodes, collects batches, and has the decisions made."""

    state: RunState
    decider: Decider
    order: TaskOrder
    options: Options
    first: int = 0
    """Index of the run's first train episode: more than 0 in the folder of an earlier run."""
    admitted: int = 0
    """Batches so far."""
    heads: Sequence[int] = ()
    """Of a run that goes on: the live version after each number of decisions made before."""
    recorded: frozenset[int] = frozenset()
    """Of a run that goes on: the episodes that are not run again."""
    full: bool = False
    """No batch is admitted any more."""
    closing: bool = False
    """No episode starts any more; those that run are finished."""
    finished: dict[int, Rollout] = field(default_factory=dict[int, Rollout])
    """Rollouts that no decision has used yet, in the order of their ends."""
    news: anyio.Event = field(default_factory=anyio.Event)
    deciding: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def run(self, stop: anyio.Event | None) -> None:
        """Decide until the options, the budget or `stop` end the run."""
        async with anyio.create_task_group() as watching:
            if stop is not None:
                watching.start_soon(self._watch, stop)
            async with anyio.create_task_group() as group:
                with self.deciding:
                    await self._decide_all(group)
                self.closing = True
            watching.cancel_scope.cancel()

    async def _watch(self, stop: anyio.Event) -> None:
        await stop.wait()
        self.closing = True
        self.deciding.cancel()

    async def _decide_all(self, group: TaskGroup) -> None:
        try:
            await self.decider.price()
            for _ in range(self.options.lag + 1):
                self._admit(group)
            if not self.state.curve:
                await self.decider.baseline()
            decision = self.state.decisions
            while decision < self.admitted:
                batch = await self._collect(decision)
                self._warn_of_unread(batch)
                self._check_judged(batch)
                await self.decider.decide(batch)
                decision += 1
                self._admit(group)
        except BudgetExhausted as error:
            self.state.warn(f"the run ended: {error}")
        except GuideFailed as error:
            if self.state.decisions == 0:
                raise
            self.state.warn(f"the run ended: {error}")

    def _admit(self, group: TaskGroup) -> None:
        """Start the next batch if there is one and the budget has room for all of it."""
        proposals = self.options.proposals
        if self.full or (proposals is not None and self.admitted >= proposals):
            return
        indices = self._indices()
        try:
            held = self.state.ledger.reserve_episodes(len(indices))
        except BudgetExhausted as error:
            self.full = True
            self.state.warn(f"no further batch: {error}")
            return
        pinned = self._pinned() if self.options.deterministic else None
        for index, reservation in zip(indices, held, strict=True):
            group.start_soon(self._episode, index, pinned, reservation)
        self.admitted += 1

    def _indices(self) -> list[int]:
        """Return the episodes of the next batch; also those that an interruption left undone."""
        begin = self.first + self.admitted * self.options.batch_size
        start = self.first if self.recorded and self.admitted == len(self.heads) - 1 else begin
        end = begin + self.options.batch_size
        return [index for index in range(start, end) if index not in self.recorded]

    def _pinned(self) -> Version:
        """Return the version of the next batch: the head when it would have been admitted."""
        store, behind = self.state.store, self.admitted - self.options.lag
        if behind < len(self.heads):
            return store.get(self.heads[max(0, behind)])
        return store.head

    async def _episode(self, index: int, pinned: Version | None, reservation: Reservation) -> None:
        runner = self.state.runner
        try:
            async with runner.limiter:
                if self.closing:
                    return
                version = pinned or self.state.store.head
                task = self.order.task(index)
                rollout = await runner.run_now(task, version, "train", index, reservation)
        finally:
            reservation.release()
        self.state.ended(rollout)
        self.finished[index] = rollout
        self.news.set()

    async def _collect(self, decision: int) -> list[Rollout]:
        """Return the batch: by index if the run is deterministic, else whatever is done first."""
        begin = self.first + decision * self.options.batch_size
        wanted = range(begin, begin + self.options.batch_size)
        while True:
            candidates = wanted if self.options.deterministic else tuple(self.finished)
            ready = [i for i in candidates if i in self.finished][: self.options.batch_size]
            if len(ready) == self.options.batch_size:
                return [self.finished.pop(i) for i in ready]
            self.news = anyio.Event()
            await self.news.wait()

    def _check_judged(self, batch: Sequence[Rollout]) -> None:
        """Refuse to go on where no episode of a batch could be judged: it would never end."""
        if all(rollout.status == "unjudged" for rollout in batch):
            raise GuideFailed(
                f"the guide judged none of the {len(batch)} episodes of a batch; the first: "
                f"{batch[0].error}; mend the guide"
            )

    def _warn_of_unread(self, batch: Sequence[Rollout]) -> None:
        if self.state.decisions:
            return
        for name in self.decider.parameters.trainable:
            if name not in self.state.read:
                self.state.warn(
                    f"no episode has read the parameter {name!r} so far ({len(batch)} ended): "
                    "changing it can change nothing; freeze it, or see that the workflow uses it"
                )
