"""Evaluation: many episodes of one set of values, and the gain of one set over another."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from trace_agents.feedback import Guide
from trace_agents.graph import Values
from trace_agents.store import Version, canonical
from trace_agents.tracing.context import Trace
from trace_agents.training.budgets.budget import Ledger, Reservation
from trace_agents.training.budgets.pricing import learn_price
from trace_agents.training.episodes.executors import Where, carried
from trace_agents.training.episodes.mistakes import alone
from trace_agents.training.episodes.retrying import Retry
from trace_agents.training.episodes.runner import EpisodeRunner, Rollout
from trace_agents.training.tasks.given import check_guide, check_workflow, listed
from trace_agents.workflow import Workflow


async def evaluate(  # noqa: PLR0913 - the options of one public call, all named
    workflow: Workflow,
    tasks: Sequence[object],
    values: Values | Version,
    *,
    guide: Guide,
    concurrency: int = 16,
    deadline: float | None = None,
    ledger: Ledger | None = None,
    keep_graphs: bool = False,
    on_trace: Callable[[Trace], None] | None = None,
    split: str = "report",
    executor: Where = None,
    retry: Retry | None = None,
) -> tuple[Rollout, ...]:
    """Return one rollout per task, in the order of the tasks; failed ones are among them.

    Raises:
        InvalidValue: a value does not fit its parameter, or an argument is of a wrong kind.
        UnknownParameter: a name that no parameter has.
        BudgetExhausted: the ledger does not have an episode for every task.
    """
    check_workflow(workflow)
    check_guide(guide)
    tasks = listed("tasks", tasks)
    workflow = carried(workflow, executor)
    version = values if isinstance(values, Version) else _version(workflow, values)
    ledger = ledger or Ledger()
    runner = EpisodeRunner(
        workflow,
        guide,
        concurrency=concurrency,
        ledger=ledger,
        deadline=deadline,
        on_trace=on_trace,
        keep_graphs=keep_graphs,
        retry=retry,
    )
    rollouts: dict[int, Rollout] = {}
    ledger.reserve(len(tasks)).release()  # all or none

    async def one(index: int, reservation: Reservation) -> None:
        async with runner.limiter:
            rollouts[index] = await runner.run_now(tasks[index], version, split, index, reservation)

    with workflow.instrumented(), alone():
        first = await learn_price(ledger, len(tasks), one)
        held = ledger.reserve_episodes(len(tasks) - first)
        try:
            async with anyio.create_task_group() as group:
                for index, reservation in enumerate(held, first):
                    group.start_soon(one, index, reservation)
        finally:
            for reservation in held:
                reservation.release()
    return tuple(rollouts[index] for index in range(len(tasks)))


def _version(workflow: Workflow, values: Values) -> Version:
    return Version(0, None, workflow.parameters().check(values))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two evaluations on the same tasks: `gain` is the mean of after minus before."""

    n: int
    before: float
    after: float
    gain: float
    low: float
    """Lower end of the gain's 95 % interval: percentile bootstrap over the pairs."""
    high: float
    dropped: int
    """Pairs without a score on one side."""


def paired(
    before: Sequence[Rollout],
    after: Sequence[Rollout],
    *,
    failure_score: float | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Return the gain of `after` over `before`, paired task by task.

    Args:
        before: rollouts of one set of values.
        after: rollouts of another, on the same tasks in the same order.
        failure_score: the score of a failed episode; without it its pair is dropped.
        resamples: draws of the bootstrap.
        seed: fixes the interval.

    Raises:
        ValueError: the tasks are not the same, or no pair has two scores.
    """
    if [canonical(r.task) for r in before] != [canonical(r.task) for r in after]:
        raise ValueError("the two evaluations are not of the same tasks in the same order")
    scores = [
        tuple(failure_score if r.score is None else r.score for r in pair)
        for pair in zip(before, after, strict=True)
    ]
    pairs = [(old, new) for old, new in scores if old is not None and new is not None]
    if not pairs:
        raise ValueError("no task has a score on both sides; there is nothing to compare")
    gains = [new - old for old, new in pairs]
    low, high = _interval(gains, resamples, seed)
    return Comparison(
        len(pairs),
        _mean([old for old, _ in pairs]),
        _mean([new for _, new in pairs]),
        _mean(gains),
        low,
        high,
        len(scores) - len(pairs),
    )


def _interval(gains: Sequence[float], resamples: int, seed: int) -> tuple[float, float]:
    draw = random.Random(seed)
    means = sorted(_mean(draw.choices(gains, k=len(gains))) for _ in range(resamples))
    edge = int(0.025 * resamples)
    return means[edge], means[-1 - edge]


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)
