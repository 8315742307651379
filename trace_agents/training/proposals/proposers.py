"""Who proposes: one optimizer for all parameters, or one for each group that meets nowhere.

Two parameters belong together as soon as one episode's minimal subgraph holds both: then they are
changed by one joint proposal. Groups of parameters that never met are thought about at the same
time, each by an optimizer of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import anyio

from trace_agents.errors import BudgetExhausted, MalformedReply, ModelError
from trace_agents.graph import Parameters, Values
from trace_agents.optimizers.base import Optimizer, Proposal, Rememberer, Tried
from trace_agents.propagate import backward
from trace_agents.training.budgets.budget import Ledger, Reservation, Spent, dearer
from trace_agents.training.episodes.runner import Rollout

MakeOptimizer: TypeAlias = Callable[[Parameters], Optimizer]
"""Makes an optimizer for a workflow's parameters, of which some may be frozen."""


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that are changed together, and the episodes that say how."""

    names: frozenset[str]
    optimizer: Optimizer
    rollouts: tuple[Rollout, ...]


@dataclass(slots=True)
class Proposers:
    """The optimizers of a run, and what each has tried."""

    parameters: Parameters
    whole: Optimizer
    make: MakeOptimizer | None = None
    """Without it there is one optimizer, and its proposals are joint ones."""
    _groups: set[frozenset[str]] = field(default_factory=set[frozenset[str]])
    _made: dict[frozenset[str], Optimizer] = field(default_factory=dict[frozenset[str], Optimizer])
    _tried: list[tuple[frozenset[str], Tried]] = field(
        default_factory=list[tuple[frozenset[str], Tried]]
    )

    def groups(self, batch: Sequence[Rollout]) -> list[Group]:
        """Return the groups that a batch has something to say about, in a fixed order."""
        everything = frozenset(self.parameters.trainable)
        if self.make is None:
            return [Group(everything, self.whole, tuple(batch))]
        reached = [_reached(rollout, self.parameters) for rollout in batch]
        for names in reached:
            self.join(names)
        parts: dict[frozenset[str], list[Rollout]] = {}
        for rollout, names in zip(batch, reached, strict=True):
            parts.setdefault(self._group_of(names), []).append(rollout)
        # episodes that reached nothing are used up beside others
        lost = parts.pop(frozenset(), [])
        if not parts:
            return [Group(everything, self.whole, tuple(lost))]
        first, *others = sorted(parts, key=sorted)
        groups = [Group(first, self._optimizer(first), (*parts[first], *lost))]
        return [*groups, *(Group(n, self._optimizer(n), tuple(parts[n])) for n in others)]

    def join(self, names: frozenset[str]) -> None:
        """Note that these parameters met in one subgraph."""
        touched = {group for group in self._groups if group & names}
        if names and touched != {frozenset(names).union(*touched)}:
            self._groups = (self._groups - touched) | {names.union(*touched)}

    def learn(self, names: frozenset[str], tried: Tried) -> None:
        """Note what was tried, for an optimizer that is made later."""
        if self.make is not None:
            self._tried.append((names, tried))

    def _group_of(self, names: frozenset[str]) -> frozenset[str]:
        return next((group for group in self._groups if group & names), names)

    def _optimizer(self, names: frozenset[str]) -> Optimizer:
        if self.make is None:
            return self.whole
        if names not in self._made:
            optimizer = self.make(narrowed(self.parameters, names))
            if isinstance(optimizer, Rememberer):
                optimizer.remember([tried for group, tried in self._tried if group <= names])
            self._made[names] = optimizer
        return self._made[names]


def narrowed(parameters: Parameters, names: Iterable[str]) -> Parameters:
    """Return the parameters with all but these frozen."""
    kept = set(names)
    return Parameters(
        replace(p, frozen=p.frozen or p.name not in kept) for p in parameters.values()
    )


def _reached(rollout: Rollout, parameters: Parameters) -> frozenset[str]:
    """Return the parameters in the minimal subgraph of an episode."""
    if rollout.graph is None:
        return frozenset()
    subgraph = backward(rollout.graph, "-", parameters=parameters.trainable)
    return frozenset(node.name for node in subgraph.parameters)


Answer: TypeAlias = Proposal | ModelError | MalformedReply


@dataclass(slots=True)
class Purse:
    """Pays for proposals out of the run's budget."""

    ledger: Ledger
    dearest: Spent | None = None
    """What the dearest proposal cost; None before the first."""

    async def ask_all(self, groups: Sequence[Group], values: Values) -> list[Answer]:
        """Return what every optimizer answers, or why it could not; they think at the same time.

        Raises:
            BudgetExhausted: there was no budget left for one of them, or its time is over.
        """
        if len(groups) == 1:
            return [await self.ask(groups[0].optimizer, values)]
        answers: dict[int, Answer | BudgetExhausted] = {}

        async def one(place: int) -> None:
            try:
                answers[place] = await self.ask(groups[place].optimizer, values)
            except BudgetExhausted as error:
                answers[place] = error

        async with anyio.create_task_group() as tasks:
            for place in range(len(groups)):
                tasks.start_soon(one, place)
        found: list[Answer] = []
        for _, answer in sorted(answers.items()):
            if isinstance(answer, BudgetExhausted):
                raise answer
            found.append(answer)
        return found

    async def ask(self, optimizer: Optimizer, values: Values) -> Answer:
        """Return what one optimizer answers; see `ask_all`."""
        held = self._hold()
        try:
            with anyio.fail_after(self.ledger.seconds_left):
                proposal = await optimizer.propose(values)
        except ModelError as error:
            self._settle(held, error)
            return error
        except MalformedReply as error:
            return error
        except TimeoutError:
            if self.ledger.seconds_left == 0.0:
                raise BudgetExhausted("the budget of seconds ended during a proposal") from None
            raise
        else:
            self._settle(held, proposal)
            return proposal
        finally:
            held.release()

    def _settle(self, held: Reservation, made: Proposal | ModelError) -> None:
        held.settle(tokens=made.tokens, usd=made.usd, calls=made.calls)
        cost = Spent(tokens=made.tokens, usd=made.usd, calls=made.calls)
        self.dearest = cost if self.dearest is None else dearer(self.dearest, cost)

    def _hold(self) -> Reservation:
        if self.dearest is None:
            # half: the episodes under way may cost more than they hold
            return self.ledger.reserve_rest(0, 0.5)
        most = self.dearest
        return self.ledger.reserve(0, most.tokens, most.usd, most.calls)
