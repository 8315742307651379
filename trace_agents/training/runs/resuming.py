"""`resume`: go on with a run that was killed, cancelled, or ran out of its budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio

from trace_agents.errors import InvalidValue, StoreError
from trace_agents.feedback import Guide
from trace_agents.graph import Parameters
from trace_agents.llm import Model
from trace_agents.optimizers import Optimizer
from trace_agents.store import ParameterStore
from trace_agents.training.budgets.budget import Budget, Ledger
from trace_agents.training.episodes.executors import Where, carried
from trace_agents.training.judging.gate import Gate
from trace_agents.training.proposals.choosing import Chosen, choose_optimizer
from trace_agents.training.proposals.proposers import MakeOptimizer
from trace_agents.training.runs.checking import check_arguments, checked_loggers
from trace_agents.training.runs.config import Config
from trace_agents.training.runs.job import Job, OnTrace
from trace_agents.training.runs.past import read_past
from trace_agents.training.runs.running import run
from trace_agents.training.tasks.lists import Tasks, split_tasks, with_report
from trace_agents.training.telling.logger import Logger
from trace_agents.training.telling.state import OnEvent, TrainResult
from trace_agents.workflow import Workflow


async def resume(  # noqa: PLR0913 - the options of one public call, all named
    run_dir: str | Path | None,
    workflow: Workflow,
    *,
    guide: Guide,
    tasks: Sequence[object] | None = None,
    gate_tasks: Sequence[object] | None = None,
    report_tasks: Sequence[object] | None = None,
    optimizer: Optimizer | MakeOptimizer | None = None,
    optimizer_model: str | Model | None = None,
    budget: Budget | None = None,
    proposals: int | None = None,
    concurrency: int | None = None,
    on_event: OnEvent | None = None,
    on_trace: OnTrace | None = None,
    stop: anyio.Event | None = None,
    store: str | None = None,
    run_number: int | None = None,
    gate: Gate | None = None,
    loggers: Sequence[Logger] = (),
    executor: Where = None,
) -> TrainResult:
    """Go on with the last run in a folder, and return its result as `train` would have.

    Every acknowledged episode, version and decision is kept, and what was spent stays spent.
    Episodes that were under way run again; a proposal under judgement is abandoned, and its
    decision made anew. A run that was complete returns its result at once.

    With `deterministic=True` the resumed run makes the decisions of one that was never
    interrupted, if the optimizer's answer depends on the feedback and the values alone, or it
    takes up its history (see `Rememberer`); graphs must hold values that JSON can say.

    Args:
        run_dir: the folder that `train` was given, or None.
        workflow: the workflow, as it was.
        guide: judges an output, as it did.
        tasks: the tasks of the run, where they are no JSON; else they are read from the folder.
        gate_tasks: its gate tasks, where it was given any and they are no JSON.
        report_tasks: its report tasks, likewise; or of a run that had none.
        optimizer: needed where the run was given one as an object.
        optimizer_model: the model, where the run was given one as an object.
        budget: other limits, for example higher ones; what was spent counts.
        proposals: another number of decisions in all.
        concurrency: another number of episodes at once.
        on_event: called with every event from here on.
        on_trace: called with every episode's recording.
        stop: set it to end the run.
        store: the database URL that `train` was given.
        run_number: which run of the database (`TrainResult.run`); without it the last that began.
        gate: the run's gate, needed where it has a constraint.
        loggers: where events and figures go from here on.
        executor: where episodes run.

    Raises:
        InvalidValue: the tasks, the gate or the optimizer have to be given, or are not those
            of the run.
        StoreError: the folder holds no run, or its database cannot be used.
    """
    check_arguments(
        workflow,
        {"guide": guide, "budget": budget, "gate": gate, "stop": stop},
    )
    folder, parameters = None if run_dir is None else Path(run_dir), workflow.parameters()
    with ParameterStore(_place(folder, store), parameters) as opened:
        past = read_past(opened, run_number)
        price = past.price(opened)
    config = past.config
    options = replace(
        config.options,
        proposals=config.options.proposals if proposals is None else proposals,
        concurrency=concurrency or config.options.concurrency,
        gate=_gate(config, gate),
    )
    chosen = _optimizer(config, parameters, optimizer, optimizer_model)
    job = Job(
        carried(workflow, executor),
        guide,
        chosen.whole,
        _tasks(config, tasks, gate_tasks, report_tasks),
        options,
        Ledger(budget or config.budget, spent=past.spent, price=price),
        config.maker,
        folder,
        on_event,
        on_trace,
        stop,
        store,
        chosen.make,
        checked_loggers(loggers),
    )
    return await run(job, past)


def _place(folder: Path | None, store: str | None) -> str | Path:
    if store is not None:
        return store
    if folder is None:
        raise InvalidValue("resume() needs the run's folder, or store= with its database")
    if not (folder / "run.db").is_file():
        raise StoreError(f"{folder}: there is no run.db to go on with; begin a run with train()")
    return folder


def _gate(config: Config, gate: Gate | None) -> Gate:
    if gate is None and config.constrained:
        raise InvalidValue(
            "the run's gate has a constraint, which the log cannot hold; give gate= as it was"
        )
    return gate or config.options.gate


def _optimizer(
    config: Config,
    parameters: Parameters,
    optimizer: Optimizer | MakeOptimizer | None,
    model: str | Model | None,
) -> Chosen:
    maker = config.maker
    if optimizer is None and model is None:
        if maker.given:
            raise InvalidValue(
                f"the run used an optimizer of type {maker.kind} that only you can make again; "
                "give optimizer= or optimizer_model="
            )
        model = maker.model
    return choose_optimizer(parameters, optimizer=optimizer, model=model, seed=config.options.seed)


def _tasks(
    config: Config,
    tasks: Sequence[object] | None,
    gate: Sequence[object] | None,
    report: Sequence[object] | None,
) -> Tasks:
    if tasks is None and gate is None:
        if config.tasks is None:
            raise InvalidValue(
                "the run's tasks are no JSON, so that its folder does not hold them; give tasks= "
                "(and gate_tasks= and report_tasks=, if the run had them) as they were"
            )
        return config.tasks if report is None else with_report(config.tasks, report)
    given = split_tasks(tasks or (), gate, config.options.seed)
    if (len(given.train), len(given.gate)) != config.counts:
        raise InvalidValue(
            f"the run had {config.counts[0]} train and {config.counts[1]} gate tasks, but "
            f"{len(given.train)} and {len(given.gate)} are given; give those that it had"
        )
    if report is None and config.reports:
        raise InvalidValue(f"the run had {config.reports} report tasks; give report_tasks=, too")
    return with_report(given, report)
