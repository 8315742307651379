"""The training loop: episodes of the next batch run while the last one is thought about.

Decision k learns from batch k. An episode of batch k starts after decision `k - 1 - lag`, so at
most `lag + 1` batches are under way: admission follows what was consumed, not what was accepted,
and a gate that rejects everything starves nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from trace_agents.errors import BudgetExhausted
from trace_agents.store import Version
from trace_agents.training.budgets.budget import Reservation
from trace_agents.training.episodes.mistakes import GuideFailed
from trace_agents.training.episodes.runner import Rollout
from trace_agents.training.judging.canary import Canary
from trace_agents.training.runs.decide import Decider
from trace_agents.training.runs.options import Options
from trace_agents.training.runs.troubles import Gratis
from trace_agents.training.tasks.lists import TaskOrder
from trace_agents.training.telling.events import RunEnded
from trace_agents.training.telling.state import RunState
from trace_agents.training.telling.stopping import StopReason, watch

GATHER = 0.005
"""Seconds between two transactions for episodes that ended; whoever learns from one waits for
none of them."""


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
    canary: Canary | None = None
    """Gives a part of the episodes to candidates."""
    report: Callable[[], Awaitable[None]] | None = None
    """Called when all is decided."""
    begun: list[Rollout] = field(default_factory=list[Rollout])
    """Of a run that goes on: what a decision that was made in part has left."""
    gratis: Gratis | None = None
    """Looks out for batches that cost nothing, where only what they cost would end the run."""
    news: anyio.Event = field(default_factory=anyio.Event)
    deciding: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def run(self, stop: anyio.Event | None) -> None:
        """Decide until the options, the budget or `stop` end the run."""
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._write)
            watch(beside, self.options.stop, stop, self.end)
            try:
                async with anyio.create_task_group() as group:
                    with self.deciding:
                        await self._decide_all(group)
                    self.closing = True
                if self.report is not None:
                    await self.report()
            finally:
                self.state.flush()
            beside.cancel_scope.cancel()
        self._warn_of_troubles()
        reason, message = self.state.stopped or ("complete", "all proposals were decided")
        self.state.emit(RunEnded(self.state.status, reason, message))

    def end(self, reason: StopReason, message: str) -> None:
        """Start nothing more, finish what runs, and leave the decision that is being made."""
        self.state.end(reason, message)
        self.closing = True
        self.deciding.cancel()

    async def _write(self) -> None:
        """Write down the episodes that ended, those of a few milliseconds in one transaction."""
        while True:
            await self.state.dirty.wait()
            self.state.flush()
            if found := self.options.stop.after_failures(self.state.failed):
                self.end(*found)
            await anyio.sleep(GATHER)

    async def _decide_all(self, group: TaskGroup) -> None:
        try:
            if self._enough():
                return
            await self.decider.price()
            for _ in range(self.options.lag + 1):
                self._admit(group)
            if not self.state.curve:
                await self.decider.baseline()
            decision = self.state.decisions
            while decision < self.admitted and not self._enough():
                begun, self.begun = self.begun, []
                batch = begun or await self._collect(decision)
                self._warn_of_unread(batch)
                self._check_judged(batch)
                await self.decider.decide(batch, begun=bool(begun))
                decision += 1
                self._watch_price()
                self._admit(group)
        except BudgetExhausted as error:
            self.state.end("budget", str(error))
            self.state.warn(f"the run ended: {error}")
        except GuideFailed as error:
            if self.state.decisions == 0:
                raise
            self.state.end("guide", str(error))
            self.state.warn(f"the run ended: {error}")
        finally:
            if self.canary is not None:
                self.canary.close()

    def _enough(self) -> bool:
        """Tell whether a rule ends the run here."""
        found = (
            self.options.stop.after(self.state.curve)
            or self.decider.troubles.end()
            or (None if self.gratis is None else self.gratis.end())
        )
        if found is not None:
            self.state.end(*found)
        return found is not None

    def _watch_price(self) -> None:
        if self.gratis is not None:
            self.gratis.decided()
            if found := self.gratis.warning():
                self.state.warn(found)

    def _warn_of_troubles(self) -> None:
        """Say at the end what kept the run from learning."""
        failures = self.state.failures.sentence()
        reason, message = self.state.stopped or ("complete", "")
        ended = [f"the run ended: {message}"] if reason in ("optimizer", "free") else []
        found = [failures] if failures else []
        for sentence in (*ended, *found, *self.decider.troubles.sentences()):
            self.state.warn(sentence)

    def _admit(self, group: TaskGroup) -> None:
        """Start the next batch if there is one and the budget has room for all of it."""
        proposals = self.options.proposals
        if self.full or self._enough():
            return
        if proposals is not None and self.admitted >= proposals:
            return
        indices = self._indices()
        try:
            held = self.state.ledger.reserve_episodes(len(indices))
        except BudgetExhausted as error:
            self.full = True
            self.state.end("budget", str(error))
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
            trial = None if self.canary is None else await self.canary.trial(index)
            async with runner.limiter:
                if self.closing:
                    return
                version = trial or pinned or self.state.store.latest
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
                self.state.flush()  # what is learnt from is on disk
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
        if self.state.decisions or all(rollout.score is None for rollout in batch):
            return
        for name in self.decider.parameters.trainable:
            if name not in self.state.read:
                self.state.warn(
                    f"no episode has read the parameter {name!r} so far ({len(batch)} ended): "
                    "changing it can change nothing; freeze it, or see that the workflow uses it"
                )
