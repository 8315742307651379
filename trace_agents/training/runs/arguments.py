"""The arguments of a run, as `train` and `start_training` take them, and the job they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Required, TypedDict, Unpack

import anyio

from trace_agents.feedback import Guide
from trace_agents.llm import Model
from trace_agents.optimizers import Optimizer
from trace_agents.training.budgets.budget import Budget, Ledger
from trace_agents.training.episodes.executors import Where, carried
from trace_agents.training.episodes.retrying import Retry
from trace_agents.training.judging.canary import share_of
from trace_agents.training.judging.gate import Gate
from trace_agents.training.judging.service import Rollback
from trace_agents.training.proposals.choosing import choose_optimizer, maker_of
from trace_agents.training.proposals.focus import Batches
from trace_agents.training.proposals.proposers import MakeOptimizer
from trace_agents.training.runs.checking import check_arguments, checked_loggers
from trace_agents.training.runs.job import Job, OnTrace
from trace_agents.training.runs.options import Options
from trace_agents.training.search.algorithms import Algorithm, as_algorithm
from trace_agents.training.tasks.given import listed
from trace_agents.training.tasks.lists import split_tasks, with_report
from trace_agents.training.tasks.loader import DataLoader, plan_of, tasks_of
from trace_agents.training.telling.logger import Logger
from trace_agents.training.telling.state import OnEvent
from trace_agents.training.telling.stopping import Stop
from trace_agents.workflow import Workflow


class Arguments(TypedDict, total=False):
    """The keyword arguments of `train`, whose docstring explains each."""

    guide: Required[Guide]
    gate_tasks: Sequence[object] | None
    optimizer: Optimizer | MakeOptimizer | None
    optimizer_model: str | Model | None
    budget: Budget | Ledger | None
    concurrency: int
    batch_size: int
    proposals: int | None
    max_staleness: int
    lag: int
    deterministic: bool
    seed: int
    run_dir: str | Path | None
    deadline: float | None
    on_event: OnEvent | None
    on_trace: OnTrace | None
    gate: Gate | None
    stop: anyio.Event | Stop | None
    retry: Retry | None
    store: str | None
    rollback: Rollback | bool
    batches: Batches
    algorithm: Algorithm | str | None
    loggers: Sequence[Logger]
    executor: Where
    report_tasks: Sequence[object] | None
    traffic: Mapping[str, float] | None


def prepare(
    workflow: Workflow, tasks: Sequence[object] | DataLoader, **given: Unpack[Arguments]
) -> Job:
    """Return the job that the arguments of `train` describe; nothing runs yet.

    Raises:
        InvalidValue: the arguments do not fit together.
        UnknownModel: no provider knows the name of `optimizer_model`.
    """
    check_arguments(workflow, given)
    gate_tasks = _listed("gate_tasks", given.get("gate_tasks"))
    report_tasks = _listed("report_tasks", given.get("report_tasks"))
    if not isinstance(tasks, DataLoader):
        tasks = listed("tasks", tasks)
    optimizer, model = given.get("optimizer"), given.get("optimizer_model")
    seed, stop, folder = given.get("seed", 0), given.get("stop"), given.get("run_dir")
    chosen = choose_optimizer(workflow.parameters(), optimizer=optimizer, model=model, seed=seed)
    budget = given.get("budget")
    split = split_tasks(tasks_of(tasks), gate_tasks, seed)
    return Job(
        carried(workflow, given.get("executor")),
        given["guide"],
        chosen.whole,
        with_report(split, report_tasks),
        replace(options_of(given), plan=plan_of(tasks, split.train)),
        budget if isinstance(budget, Ledger) else Ledger(budget),
        maker_of(chosen.whole, given=optimizer, model=model),
        None if folder is None else Path(folder),
        given.get("on_event"),
        given.get("on_trace"),
        stop if isinstance(stop, anyio.Event) else None,
        given.get("store"),
        chosen.make,
        checked_loggers(given.get("loggers", ())),
    )


def options_of(given: Arguments) -> Options:
    """Return the options among the arguments.

    Raises:
        InvalidValue: one of them is out of its range.
    """
    stop, traffic = given.get("stop"), given.get("traffic")
    return Options(
        concurrency=given.get("concurrency", 16),
        batch_size=given.get("batch_size", 8),
        proposals=given.get("proposals"),
        max_staleness=given.get("max_staleness", 1),
        lag=given.get("lag", 1),
        deterministic=given.get("deterministic", False),
        seed=given.get("seed", 0),
        deadline=given.get("deadline"),
        gate=given.get("gate") or Gate(),
        stop=stop if isinstance(stop, Stop) else Stop(),
        retry=given.get("retry") or Retry(),
        rollback=_rollback(given.get("rollback", True)),
        batches=given.get("batches", "mixed"),
        canary=None if traffic is None else share_of(traffic),
        algorithm=as_algorithm(given.get("algorithm")),
    )


def _listed(name: str, tasks: Sequence[object] | None) -> Sequence[object] | None:
    return None if tasks is None else listed(name, tasks)


def _rollback(given: Rollback | bool) -> Rollback | None:
    if isinstance(given, Rollback):
        return given
    return Rollback() if given else None
