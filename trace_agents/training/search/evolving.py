"""`evolve`: GEPA's own loop, as published, within a budget; ours, or that of the gepa package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, count
from random import Random

from trace_agents.errors import BudgetExhausted, InvalidValue, ModelError
from trace_agents.feedback import Guide
from trace_agents.graph import Values
from trace_agents.optimizers.gepa import GEPA
from trace_agents.optimizers.pareto import Candidate, Pool, Run, merged_values
from trace_agents.propagate import TraceGraph
from trace_agents.training.budgets.budget import Budget, Ledger
from trace_agents.training.search.arena import Arena, Entrant, Evolved, Outcome, evolved
from trace_agents.training.search.gepa_package import run_package
from trace_agents.workflow import Workflow

_SUBSAMPLE = 5
"""Validation tasks on which a merge is looked at before all of them."""


async def evolve(
    workflow: Workflow,
    tasks: Sequence[object],
    *,
    guide: Guide,
    optimizer: GEPA,
    budget: Budget,
    gate_tasks: Sequence[object] | None = None,
    concurrency: int = 8,
    failure_score: float = 0.0,
) -> Evolved:
    """Return the best of a pool of values that GEPA's published loop finds.

    A parent from the Pareto front runs on a few tasks; one parameter is rewritten by what those
    runs show; the child that does better on the same tasks is judged on all validation tasks and
    enters the pool. Unlike `train` it publishes no versions and waits for no statistics: use it to
    compare with published results, and `train` for what is to go live.

    Args:
        workflow: what runs.
        tasks: what is learned from.
        guide: judges an output.
        optimizer: a `GEPA`; with `engine="gepa"` the published package runs the loop.
        budget: must limit episodes or seconds. No episode is begun that would pass a limit; a
            reflection is, while anything is left: what it costs is known only afterwards.
        gate_tasks: the validation tasks; those that are learned from without them.
        concurrency: episodes at once.
        failure_score: the score of an episode that failed.

    Raises:
        InvalidValue: no `GEPA`, no tasks, no limit, or no parameter that may change.
        BudgetExhausted: not even the first values could be judged.
        GuideFailed: the guide raised for every episode of a batch.
    """
    validation = tasks if gate_tasks is None else gate_tasks
    _check(workflow, optimizer, budget, tasks, validation)
    arena = Arena(workflow, guide, Ledger(budget), concurrency, failure_score)
    if optimizer.engine == "gepa":
        return await run_package(arena, optimizer, tasks, validation)
    return await _Evolution(arena, optimizer, tasks, validation).run()


def _check(
    workflow: Workflow,
    optimizer: GEPA,
    budget: Budget,
    tasks: Sequence[object],
    validation: Sequence[object],
) -> None:
    if not isinstance(optimizer, GEPA):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValue(
            f"evolve() runs a GEPA, such as GEPA(workflow.parameters(), llm=...), not {optimizer!r}"
        )
    if not tasks or not validation:
        raise InvalidValue("evolve() needs a task to learn from and one to judge by")
    if budget.episodes is None and budget.seconds is None:
        raise InvalidValue(
            "evolve() needs a budget with a limit of episodes or seconds: where "
            "neither the workflow nor the model costs anything, no other limit is ever reached"
        )
    if budget.episodes is not None and budget.episodes < len(validation):
        raise BudgetExhausted(
            f"evolve() judges its first values on all {len(validation)} validation tasks, and the "
            f"budget has {budget.episodes} episodes; give it more, or fewer gate_tasks"
        )
    if not workflow.parameters().trainable:
        raise InvalidValue("the workflow has no parameter that may change; unfreeze one")


@dataclass(slots=True)
class _Evolution:
    """The loop of the paper, with typed rewrites."""

    arena: Arena
    optimizer: GEPA
    tasks: Sequence[object]
    validation: Sequence[object]
    pool: Pool = field(default_factory=Pool)
    merges: int = 0
    merge_due: bool = False

    async def run(self) -> Evolved:
        await self._enter(self.arena.workflow.parameters().defaults(), ())
        stopped = ""
        try:
            for number in count():
                if not (self.merge_due and await self._merged(number)):
                    await self._mutated(number)
        except BudgetExhausted as error:
            stopped = str(error)
        entrants = [Entrant(c.values, c.mean, c.parents) for c in self.pool.all]
        return evolved(entrants, self.arena, stopped)

    async def _enter(self, values: Values, parents: tuple[int, ...]) -> None:
        """Judge values on all validation tasks, and take them into the pool."""
        scores = [o.score for o in await self.arena.run(values, self.validation, "gate")]
        candidate = self.pool.of(values, parents)
        for place, score in enumerate(scores):
            candidate.runs[(str(place), "")] = Run(str(place), TraceGraph(), score)
        self.merge_due = len(self.pool) > 2

    async def _mutated(self, number: int) -> None:
        rng = Random(f"{self.optimizer.seed}/{number}")
        parent = self.pool.pick(rng) or self.pool.all[0]
        tasks = self._minibatch(number)
        before = await self.arena.run(parent.values, tasks, "train")
        parts = [outcome.part for outcome in before if outcome.part is not None]
        name = self.optimizer.turn(parent, parts)
        if name is None:
            return self.arena.note("no feedback reached a parameter that may change")
        try:
            made = await self.arena.spend(
                lambda: self.optimizer.rewrite(name, parent.values, parts, number + 1)
            )
        except ModelError as error:
            return self.arena.note(f"a reflection is missing: {error}")
        self.arena.note(*made.problems)
        if not made.changes:
            return None
        values = {**parent.values, **made.changes}
        after = await self.arena.run(values, tasks, "train")
        if _total(after) > _total(before):
            await self._enter(values, (parent.number,))
        return None

    async def _merged(self, number: int) -> bool:
        """Try one merge of two lineages; tell whether there was one to try."""
        self.merge_due = False
        found = self._pair()
        if found is None:
            return False
        one, other, values = found
        self.merges += 1
        rng = Random(f"{self.optimizer.seed}/merge/{number}")
        places = rng.sample(range(len(self.validation)), min(_SUBSAMPLE, len(self.validation)))
        scores = await self.arena.run(values, [self.validation[p] for p in places], "gate")
        known = (_total_of(candidate, places) for candidate in (one, other))
        if _total(scores) >= max(known):
            await self._enter(values, (one.number, other.number))
        return True

    def _pair(self) -> tuple[Candidate, Candidate, Values] | None:
        if self.merges >= self.optimizer.merges:
            return None
        front = [self.pool.all[number] for number in self.pool.front()]
        for one, other in combinations(front, 2):
            values = merged_values(self.pool, one, other)
            if values is not None and values not in [c.values for c in self.pool.all]:
                return one, other, values
        return None

    def _minibatch(self, number: int) -> list[object]:
        """Return the next few tasks of an order that is drawn anew for every epoch."""
        size = min(self.optimizer.minibatch, len(self.tasks))
        first = number * size
        return [self._task(place) for place in range(first, first + size)]

    def _task(self, place: int) -> object:
        epoch, offset = divmod(place, len(self.tasks))
        order = list(range(len(self.tasks)))
        Random(f"{self.optimizer.seed}/epoch/{epoch}").shuffle(order)
        return self.tasks[order[offset]]


def _total(outcomes: Sequence[Outcome]) -> float:
    return sum(outcome.score for outcome in outcomes)


def _total_of(candidate: Candidate, places: Sequence[int]) -> float:
    return sum(candidate.runs[(str(place), "")].score or 0.0 for place in places)
