"""One run from its start to its result: the parts of the loop, put together."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from trace_agents.graph import Parameters
from trace_agents.store import ParameterStore
from trace_agents.training.episodes.mistakes import alone
from trace_agents.training.episodes.runner import EpisodeRunner
from trace_agents.training.episodes.tracefile import TraceFiles
from trace_agents.training.judging.canary import Canary
from trace_agents.training.judging.judge import Judge
from trace_agents.training.judging.reporting import Reporter
from trace_agents.training.judging.service import Service
from trace_agents.training.proposals.choosing import left_alone
from trace_agents.training.proposals.focus import Focus
from trace_agents.training.runs.decide import Decider
from trace_agents.training.runs.job import Job
from trace_agents.training.runs.loop import Loop
from trace_agents.training.runs.past import Past
from trace_agents.training.runs.starting import begin, go_on
from trace_agents.training.runs.troubles import Gratis
from trace_agents.training.search.rounds import SEARCH, Rounds
from trace_agents.training.tasks.lists import TaskOrder, shuffled
from trace_agents.training.telling.state import RunState, TrainResult
from trace_agents.training.telling.writing import logging_to

_T = TypeVar("_T")


async def run(job: Job, past: Past | None = None) -> TrainResult:
    """Do the job, or what `past` has left of it, and return what it ends with."""
    parameters = job.workflow.parameters()
    with (
        ParameterStore(job.store or _database(job.folder), parameters) as store,
        TraceFiles(job.folder) as files,
        job.workflow.instrumented(),
        alone(),
    ):
        durable = job.folder is not None or job.store is not None
        store.run = store.begin_run() if past is None else past.run
        runner = _runner(job, files, store.run)
        state = RunState(store, job.ledger, runner, job.tasks, job.on_event, durable)
        judge = _judge(job, state)
        async with logging_to(job.loggers, state.warn) as offer:
            state.on_event = _both(offer, job.on_event) if job.loggers else job.on_event
            await _work(job, past, state, judge)
        return state.result()


async def _work(job: Job, past: Past | None, state: RunState, judge: Judge) -> None:
    parameters = job.workflow.parameters()
    decider = Decider(state, parameters, job.optimizer, judge, job.options.max_staleness, job.make)
    decider.service = Service(job.options.rollback)
    decider.search = _search(job, decider)
    if job.options.batches == "signature":
        decider.focus = Focus(job.options.batch_size)
    judge.on_round = decider.report_round
    order = TaskOrder(job.tasks.train, job.options.seed, job.options.plan)
    loop = Loop(state, decider, order, job.options)
    loop.gratis = Gratis(job.ledger) if job.only_metered else None
    _give_traffic(job, loop)
    if past is None:
        begin(job, loop)
    else:
        go_on(past, job, loop)
    for sentence in left_alone(job.optimizer):
        state.warn(sentence)
    reporter = _reporter(job, past, state)
    loop.report, decider.priced = reporter.report, reporter.hold
    try:
        await loop.run(job.stop)
    finally:
        reporter.release()
    _warn_of_unread(parameters.trainable, state)


def _search(job: Job, decider: Decider) -> Rounds | None:
    algorithm, state = job.options.algorithm, decider.state
    if algorithm is None:
        return None
    return Rounds(
        algorithm,
        decider.optimizer,
        decider.parameters,
        state,
        decider.purse,
        job.options.max_staleness,
        job.options.gate.failure_score,
        state.store.next_index(SEARCH),
    )


def _give_traffic(job: Job, loop: Loop) -> None:
    if job.options.canary is None:
        return
    canary = Canary(job.options.canary, job.options.batch_size, lambda: loop.admitted)
    loop.canary = loop.decider.canary = canary
    loop.state.heard = lambda r: canary.ended(r.index, (r.version, r.score, r.status))


def _reporter(job: Job, past: Past | None, state: RunState) -> Reporter:
    first = state.store.head if past is None else state.store.get(past.config.head)
    known = None if past is None else past.report
    return Reporter(state, first, job.options.gate.failure_score, known)


def _runner(job: Job, files: TraceFiles, run: int) -> EpisodeRunner:
    return EpisodeRunner(
        job.workflow,
        job.guide,
        concurrency=job.options.concurrency,
        ledger=job.ledger,
        deadline=job.options.deadline,
        on_trace=job.on_trace if job.folder is None else _both(files.write, job.on_trace),
        retry=job.options.retry,
        # the episodes of several runs in one database have names of their own
        prefix="" if run == 1 else f"run{run}-",
    )


def _judge(job: Job, state: RunState) -> Judge:
    gate = job.tasks.gate
    return Judge(
        job.options.gate,
        [gate[place] for place in shuffled(len(gate), f"{job.options.seed}/gate")],
        state.runner,
        job.ledger,
        state.ended,
        next_index=state.store.next_index("gate"),
    )


def _warn_of_unread(parameters: Parameters, state: RunState) -> None:
    unread = ", ".join(repr(name) for name in parameters if name not in state.read)
    if unread and state.episodes > state.failed:
        warnings.warn(
            f"no episode has read the parameter {unread}, so that changing it could change "
            "nothing; freeze it, or see that the workflow uses it",
            stacklevel=5,
        )


def _both(first: Callable[[_T], None], second: Callable[[_T], None] | None) -> Callable[[_T], None]:
    def call(value: _T) -> None:
        first(value)
        if second is not None:
            second(value)

    return call


def _database(folder: Path | None) -> str | Path:
    if folder is None:
        return ":memory:"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "run.db"
