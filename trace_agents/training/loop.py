"""The training loop: episodes of the next batch run while the last one is thought about.

Decision k learns from batch k. An episode of batch k starts after decision `k - 1 - lag`, so at
most `lag + 1` batches are under way: admission follows what was consumed, not what was accepted,
and a gate that rejects everything starves nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import anyio
from anyio.abc import TaskGroup

from trace_agents.errors import BudgetExhausted
from trace_agents.feedback import Guide
from trace_agents.optimizers.base import Optimizer
from trace_agents.store import ParameterStore, Version
from trace_agents.tracing.context import Trace
from trace_agents.training.budget import Budget, Ledger, Reservation
from trace_agents.training.decide import Decider
from trace_agents.training.episodes import EpisodeRunner, Rollout
from trace_agents.training.gate import Gate, Judge
from trace_agents.training.state import OnEvent, RunState, TrainResult
from trace_agents.training.tasks import TaskOrder, check_disjoint, shuffled
from trace_agents.training.tracefile import TraceFiles
from trace_agents.workflow import Workflow

OnTrace: TypeAlias = Callable[[Trace], None]


async def train(  # noqa: PLR0913 - the options of the one public entry point, all named
    workflow: Workflow,
    tasks: Sequence[object],
    *,
    guide: Guide,
    optimizer: Optimizer,
    gate_tasks: Sequence[object],
    budget: Budget | Ledger | None = None,
    concurrency: int = 16,
    batch_size: int = 8,
    proposals: int | None = None,
    max_staleness: int = 1,
    lag: int = 1,
    deterministic: bool = False,
    seed: int = 0,
    run_dir: str | Path | None = None,
    deadline: float | None = None,
    on_event: OnEvent | None = None,
    on_trace: OnTrace | None = None,
    gate: Gate | None = None,
    stop: anyio.Event | None = None,
) -> TrainResult:
    """Train the workflow's parameters and return the best version with how it came about.

    Whoever cancels gets no result; `run_dir/run.db` then holds everything that was committed,
    and a later run in the same folder goes on from its head. With `stop` the run ends by itself:
    episodes that run are finished, a proposal under judgement is abandoned.

    Args:
        workflow: what is trained.
        tasks: train tasks; they are shuffled anew for every epoch.
        guide: judges an output; higher scores are better.
        optimizer: reads the feedback and proposes changes.
        gate_tasks: tasks that judge the candidates; none of them may be a train task.
        budget: limits, or a ledger that other work shares.
        concurrency: the most episodes at once, train and gate together.
        batch_size: episodes per decision.
        proposals: decisions to make.
        max_staleness: feedback is dropped for a parameter that changed more often since.
        lag: decisions that an episode may be behind; 0 alternates between running and deciding.
        deterministic: the same seed makes the same decisions at any concurrency, if the
            workflow, the guide and the optimizer do. Of a budget only `episodes` ends such a
            run at the same decision every time.
        seed: fixes the order of the tasks.
        run_dir: folder of the run, for `run.db` and the trace files of its episodes
            (`spans.jsonl`); without it nothing outlives the call.
        deadline: seconds for one episode with its guide.
        on_event: called with every event, in the loop's task: it must not block.
        on_trace: called with every episode's recording.
        gate: how candidates are judged.
        stop: set it to end the run.

    Raises:
        ValueError: an empty or shared list of tasks, or nothing that would end the run.
        StoreError: the run's database cannot be used.
    """
    ledger = budget if isinstance(budget, Ledger) else Ledger(budget)
    check_disjoint(tasks, gate_tasks)
    _check_numbers(batch_size, lag, max_staleness)
    if proposals is None and stop is None and not ledger.budget.limited:
        raise ValueError("nothing would end the run: give a budget, proposals or a stop event")
    files = TraceFiles(None if run_dir is None else Path(run_dir))
    watch = on_trace if run_dir is None else _both(files.write, on_trace)
    runner = EpisodeRunner(
        workflow,
        guide,
        concurrency=concurrency,
        ledger=ledger,
        deadline=deadline,
        on_trace=watch,
    )
    parameters = workflow.parameters()
    with ParameterStore(_database(run_dir), parameters) as store, files, workflow.instrumented():
        state = RunState(store, ledger, runner, on_event)
        judge = Judge(
            gate or Gate(),
            [gate_tasks[place] for place in shuffled(len(gate_tasks), f"{seed}/gate")],
            runner,
            ledger,
            state.ended,
            lambda candidate, evidence: decider.report_round(candidate, evidence),
            store.next_index("gate"),
        )
        decider = Decider(state, parameters, optimizer, judge, max_staleness)
        loop = _Loop(
            state,
            decider,
            TaskOrder(tasks, seed),
            batch_size=batch_size,
            lag=lag,
            proposals=proposals,
            deterministic=deterministic,
            first=store.next_index("train"),
        )
        await loop.run(stop)
        return state.result()


def _both(first: OnTrace, second: OnTrace | None) -> OnTrace:
    def call(trace: Trace) -> None:
        first(trace)
        if second is not None:
            second(trace)

    return call


def _database(run_dir: str | Path | None) -> str | Path:
    if run_dir is None:
        return ":memory:"
    folder = Path(run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "run.db"


def _check_numbers(batch_size: int, lag: int, max_staleness: int) -> None:
    if batch_size < 1 or lag < 0 or max_staleness < 0:
        raise ValueError(
            "batch_size must be at least 1, lag and max_staleness at least 0; "
            f"got {batch_size}, {lag} and {max_staleness}"
        )


@dataclass(slots=True)
class _Loop:
    state: RunState
    decider: Decider
    order: TaskOrder
    batch_size: int
    lag: int
    proposals: int | None
    deterministic: bool
    first: int
    """Index of the run's first train episode: more than 0 where an earlier run went on."""
    admitted: int = 0
    """Batches so far."""
    closing: bool = False
    """No episode starts any more; those that run are finished."""
    finished: dict[int, Rollout] = field(default_factory=dict[int, Rollout])
    """Rollouts that no decision has used yet, in the order of their ends."""
    news: anyio.Event = field(default_factory=anyio.Event)
    deciding: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def run(self, stop: anyio.Event | None) -> None:
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
            for _ in range(self.lag + 1):
                self._admit(group)
            await self.decider.baseline()
            decision = 0
            while decision < self.admitted:
                batch = await self._collect(decision)
                self._warn_of_unread(batch)
                await self.decider.decide(batch)
                decision += 1
                self._admit(group)
        except BudgetExhausted as error:
            self.state.warn(f"the run ended: {error}")

    def _admit(self, group: TaskGroup) -> None:
        """Start the next batch if there is one and the budget has room for all of it."""
        if self.proposals is not None and self.admitted >= self.proposals:
            return
        try:
            held = self.state.ledger.reserve_episodes(self.batch_size)
        except BudgetExhausted as error:
            self.proposals = self.admitted
            self.state.warn(f"no further batch: {error}")
            return
        pinned = self.state.store.head if self.deterministic else None
        begin = self.first + self.admitted * self.batch_size
        for offset, reservation in enumerate(held):
            group.start_soon(self._episode, begin + offset, pinned, reservation)
        self.admitted += 1

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
        begin = self.first + decision * self.batch_size
        wanted = range(begin, begin + self.batch_size)
        while True:
            candidates = wanted if self.deterministic else tuple(self.finished)
            ready = [i for i in candidates if i in self.finished][: self.batch_size]
            if len(ready) == self.batch_size:
                return [self.finished.pop(i) for i in ready]
            self.news = anyio.Event()
            await self.news.wait()

    def _warn_of_unread(self, batch: Sequence[Rollout]) -> None:
        if self.state.decisions:
            return
        for name in self.decider.parameters.trainable:
            if name not in self.state.read:
                self.state.warn(
                    f"no episode has read the parameter {name!r} so far ({len(batch)} ended): "
                    "changing it can change nothing; freeze it, or see that the workflow uses it"
                )
