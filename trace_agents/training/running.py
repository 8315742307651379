"""One run from its start to its result: the parts of the loop, put together."""

from __future__ import annotations

import warnings
from pathlib import Path

from trace_agents.graph import Parameters
from trace_agents.store import ParameterStore
from trace_agents.tracing.context import Trace
from trace_agents.training.choosing import left_alone
from trace_agents.training.decide import Decider
from trace_agents.training.episodes import EpisodeRunner
from trace_agents.training.gate import Judge
from trace_agents.training.job import Job, OnTrace
from trace_agents.training.loop import Loop
from trace_agents.training.mistakes import alone
from trace_agents.training.past import Past
from trace_agents.training.starting import begin, go_on
from trace_agents.training.state import RunState, TrainResult
from trace_agents.training.tasks import TaskOrder, shuffled
from trace_agents.training.tracefile import TraceFiles


async def run(job: Job, past: Past | None = None) -> TrainResult:
    """Do the job, or what `past` has left of it, and return what it ends with."""
    parameters = job.workflow.parameters()
    with (
        ParameterStore(_database(job.folder), parameters) as store,
        TraceFiles(job.folder) as files,
        job.workflow.instrumented(),
        alone(),
    ):
        durable = job.folder is not None
        runner = _runner(job, files)
        state = RunState(store, job.ledger, runner, job.tasks, job.on_event, durable)
        judge = _judge(job, state)
        decider = Decider(state, parameters, job.optimizer, judge, job.options.max_staleness)
        judge.on_round = decider.report_round
        order = TaskOrder(job.tasks.train, job.options.seed)
        loop = Loop(state, decider, order, job.options)
        if past is None:
            begin(job, loop)
        else:
            go_on(past, job, loop)
        for sentence in left_alone(job.optimizer):
            state.warn(sentence)
        await loop.run(job.stop)
        _warn_of_unread(parameters.trainable, state)
        return state.result()


def _runner(job: Job, files: TraceFiles) -> EpisodeRunner:
    return EpisodeRunner(
        job.workflow,
        job.guide,
        concurrency=job.options.concurrency,
        ledger=job.ledger,
        deadline=job.options.deadline,
        on_trace=job.on_trace if job.folder is None else _both(files.write, job.on_trace),
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
    if unread and state.episodes:
        warnings.warn(
            f"no episode has read the parameter {unread}, so that changing it could change "
            "nothing; freeze it, or see that the workflow uses it",
            stacklevel=4,
        )


def _both(first: OnTrace, second: OnTrace | None) -> OnTrace:
    def call(trace: Trace) -> None:
        first(trace)
        if second is not None:
            second(trace)

    return call


def _database(folder: Path | None) -> str | Path:
    if folder is None:
        return ":memory:"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "run.db"
