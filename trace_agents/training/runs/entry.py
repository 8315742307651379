"""`train`: the one call that makes a workflow better, and the same as a run beside you."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Unpack

import anyio

from trace_agents.feedback import Guide
from trace_agents.llm import Model
from trace_agents.optimizers import Optimizer
from trace_agents.training.budgets.budget import Budget, Ledger
from trace_agents.training.episodes.executors import Where
from trace_agents.training.episodes.retrying import Retry
from trace_agents.training.judging.gate import Gate
from trace_agents.training.judging.service import Rollback
from trace_agents.training.proposals.focus import Batches
from trace_agents.training.proposals.proposers import MakeOptimizer
from trace_agents.training.runs.arguments import Arguments, prepare
from trace_agents.training.runs.handle import Run, opened
from trace_agents.training.runs.job import OnTrace
from trace_agents.training.runs.running import run
from trace_agents.training.search.algorithms import Algorithm
from trace_agents.training.tasks.loader import DataLoader
from trace_agents.training.telling.logger import Logger
from trace_agents.training.telling.state import OnEvent, TrainResult
from trace_agents.training.telling.stopping import Stop
from trace_agents.workflow import Workflow


async def train(  # noqa: PLR0913 - the options of the one public entry point, all named
    workflow: Workflow,
    tasks: Sequence[object] | DataLoader,
    *,
    guide: Guide,
    gate_tasks: Sequence[object] | None = None,
    optimizer: Optimizer | MakeOptimizer | None = None,
    optimizer_model: str | Model | None = None,
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
    stop: anyio.Event | Stop | None = None,
    retry: Retry | None = None,
    store: str | None = None,
    rollback: Rollback | bool = True,
    batches: Batches = "mixed",
    algorithm: Algorithm | str | None = None,
    loggers: Sequence[Logger] = (),
    executor: Where = None,
    report_tasks: Sequence[object] | None = None,
    traffic: Mapping[str, float] | None = None,
) -> TrainResult:
    """Train the workflow's parameters and return the best version with how it came about.

    Whoever cancels gets no result; `run_dir/run.db` then holds everything that was committed:
    `resume` goes on from there, and another `train` in the same folder begins a new run from its
    head. With `stop` the run ends by itself: episodes that run are finished, a proposal under
    judgement is abandoned.

    Args:
        workflow: what is trained.
        tasks: train tasks; they are shuffled anew for every epoch. A `DataLoader` gives them
            weights, or brings the easy ones first.
        guide: judges an output; higher scores are better.
        gate_tasks: tasks that judge the candidates; none of them may be a train task. Without
            them a seeded quarter of `tasks` is held out; the result says which.
        optimizer: reads the feedback and proposes changes. A function from parameters to an
            optimizer makes one for each group of parameters that no episode brings together;
            these propose at the same time.
        optimizer_model: a litellm name such as `openai/gpt-4o-mini`, or a model, for OptoPrime.
            Without it and without an optimizer, `Search` tries the values of parameters with
            choices or ranges; it needs no model, and leaves free text as it is.
        budget: limits, or a ledger that other work shares.
        concurrency: the most episodes at once, train and gate together.
        batch_size: episodes per decision.
        proposals: decisions to make.
        max_staleness: feedback is dropped for a parameter that changed more often since.
        lag: decisions that an episode may be behind; 0 alternates between running and deciding.
        deterministic: the same seed makes the same decisions at any concurrency, if the
            workflow, the guide and the optimizer do. Of a budget only `episodes` ends such a
            run at the same decision every time.
        seed: fixes the order of the tasks, the held-out part, and a Search.
        run_dir: folder of the run, for `run.db` and the trace files of its episodes
            (`spans.jsonl`); without it nothing outlives the call.
        deadline: seconds for one episode with its guide.
        on_event: called with every event, in the loop's task: it must not block.
        on_trace: called with every episode's recording.
        gate: how candidates are judged.
        stop: an event that you set to end the run, or rules that end it.
        retry: which exceptions are faults of what an episode runs on, and how often it is tried;
            by default three times after lost connections, rate limits and timeouts of models.
        store: URL of the run's database, such as `postgresql+psycopg://host/name` (extra
            `postgres`); several trainers may share one. Without it `run_dir/run.db`.
        rollback: when a version that does worse in service is taken back; False for never.
        batches: `"signature"` lets a decision learn from the episodes that failed in the same
            way, the costliest first, and keeps the others; `"mixed"` takes all of a batch.
        algorithm: how candidates are searched for: `"minibatch"` asks the optimizer once for
            each batch; `"basic"`, `"beam"`, `"ucb"`, `"priority"`, or a `BeamSearch(width=8)` and
            its like, run candidates on the batch's tasks and build on the best of them.
        loggers: where events and figures go, such as `JSONL(path)` or `MLflow(name)` of
            `trace_agents.loggers`. One that fails is left out, with a warning.
        executor: where episodes run: in this process without it; `"ray"` (extra `ray`), or a
            `RayExecutor` of `trace_agents_adapters.ray`, takes them to a Ray cluster.
        report_tasks: tasks on which the first and the best version are compared at the end; the
            budget holds their episodes back from the start.
        traffic: `{"head": 0.9, "candidate": 0.1}` gives a candidate that has passed the gate so
            much of the train episodes before it goes live; it must not do worse there by two
            standard errors.

    Raises:
        InvalidValue: an empty or shared list of tasks, too few to hold some out, no optimizer
            that could change anything, or nothing that would end the run.
        GuideFailed: the guide raised for every episode of the first batch.
        UnknownModel: no provider knows the name of `optimizer_model`.
        StoreError: the run's database cannot be used.
    """
    return await run(
        prepare(
            workflow,
            tasks,
            guide=guide,
            gate_tasks=gate_tasks,
            optimizer=optimizer,
            optimizer_model=optimizer_model,
            budget=budget,
            concurrency=concurrency,
            batch_size=batch_size,
            proposals=proposals,
            max_staleness=max_staleness,
            lag=lag,
            deterministic=deterministic,
            seed=seed,
            run_dir=run_dir,
            deadline=deadline,
            on_event=on_event,
            on_trace=on_trace,
            gate=gate,
            stop=stop,
            retry=retry,
            store=store,
            rollback=rollback,
            batches=batches,
            algorithm=algorithm,
            loggers=loggers,
            executor=executor,
            report_tasks=report_tasks,
            traffic=traffic,
        )
    )


def start_training(
    workflow: Workflow, tasks: Sequence[object] | DataLoader, **arguments: Unpack[Arguments]
) -> AbstractAsyncContextManager[Run]:
    """Return the training as a run that goes on beside the block that `async with` opens.

    The arguments are those of `train`. In the block `run.events()` can be read by several
    readers, `run.stop()` ends the run, and `run.wait()` gives its result; after the block
    `run.result` has it. A block that ends early waits for the run, one that raises cancels it.

    Raises:
        InvalidValue: as `train`, at once.
        GuideFailed: when the block ends, as the other errors of `train`.
    """
    return opened(prepare(workflow, tasks, **arguments))
