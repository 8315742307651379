"""`train`: the one call that makes a workflow better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio

from trace_agents.feedback import Guide
from trace_agents.llm import Model
from trace_agents.optimizers import Optimizer
from trace_agents.training.budget import Budget, Ledger
from trace_agents.training.choosing import choose_optimizer, maker_of
from trace_agents.training.gate import Gate
from trace_agents.training.job import Job, OnTrace
from trace_agents.training.options import Options
from trace_agents.training.running import run
from trace_agents.training.state import OnEvent, TrainResult
from trace_agents.training.tasks import split_tasks
from trace_agents.workflow import Workflow


async def train(  # noqa: PLR0913 - the options of the one public entry point, all named
    workflow: Workflow,
    tasks: Sequence[object],
    *,
    guide: Guide,
    gate_tasks: Sequence[object] | None = None,
    optimizer: Optimizer | None = None,
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
    stop: anyio.Event | None = None,
) -> TrainResult:
    """Train the workflow's parameters and return the best version with how it came about.

    Whoever cancels gets no result; `run_dir/run.db` then holds everything that was committed:
    `resume` goes on from there, and another `train` in the same folder begins a new run from its
    head. With `stop` the run ends by itself: episodes that run are finished, a proposal under
    judgement is abandoned.

    Args:
        workflow: what is trained.
        tasks: train tasks; they are shuffled anew for every epoch.
        guide: judges an output; higher scores are better.
        gate_tasks: tasks that judge the candidates; none of them may be a train task. Without
            them a seeded quarter of `tasks` is held out; the result says which.
        optimizer: reads the feedback and proposes changes.
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
        stop: set it to end the run.

    Raises:
        InvalidValue: an empty or shared list of tasks, too few to hold some out, no optimizer
            that could change anything, or nothing that would end the run.
        GuideFailed: the guide raised for every episode of the first batch.
        UnknownModel: no provider knows the name of `optimizer_model`.
        StoreError: the run's database cannot be used.
    """
    chosen = choose_optimizer(
        workflow.parameters(), optimizer=optimizer, model=optimizer_model, seed=seed
    )
    options = Options(
        concurrency,
        batch_size,
        proposals,
        max_staleness,
        lag,
        deterministic,
        seed,
        deadline,
        gate or Gate(),
    )
    job = Job(
        workflow,
        guide,
        chosen,
        split_tasks(tasks, gate_tasks, seed),
        options,
        budget if isinstance(budget, Ledger) else Ledger(budget),
        maker_of(chosen, given=optimizer, model=optimizer_model),
        None if run_dir is None else Path(run_dir),
        on_event,
        on_trace,
        stop,
    )
    return await run(job)
