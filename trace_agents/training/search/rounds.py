"""A search: each decision is a round that measures candidates on the tasks of its batch.

The batch tells how the live version does. The algorithm chooses the parents; each runs on the same
tasks, and the optimizer builds on it; the children run on these tasks too. What did best is put to
the gate: only that decides what goes live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from trace_agents.errors import MalformedReply, ModelError
from trace_agents.graph import Parameters
from trace_agents.optimizers.base import Listener, Optimizer, Proposal
from trace_agents.store import ProposalRecord, ProposalState, Version, canonical
from trace_agents.training.budgets.budget import Reservation
from trace_agents.training.episodes.mistakes import alone
from trace_agents.training.episodes.runner import Rollout
from trace_agents.training.proposals.proposers import Answer, Purse
from trace_agents.training.proposals.proposing import checked_changes, feed
from trace_agents.training.search.algorithms import Algorithm, Member
from trace_agents.training.telling.events import ProposalMade, ProposalRejected
from trace_agents.training.telling.state import RunState

SEARCH = "search"
"""The split of a round's own episodes: train tasks, run with candidates."""


@dataclass(slots=True)
class _Measured:
    """The episodes of one member on the tasks of a round."""

    member: Member
    count: int
    rollouts: dict[int, Rollout] = field(default_factory=dict[int, Rollout])
    ended: anyio.Event = field(default_factory=anyio.Event)

    def add(self, place: int, rollout: Rollout) -> None:
        self.rollouts[place] = rollout
        if len(self.rollouts) == self.count:
            self.ended.set()

    @property
    def in_order(self) -> list[Rollout]:
        return [self.rollouts[place] for place in range(self.count)]


@dataclass(slots=True)
class _Round:
    """What one round has made so far."""

    number: int
    tasks: Sequence[object]
    head: Version
    measured: list[_Measured] = field(default_factory=list[_Measured])
    children: list[Member] = field(default_factory=list[Member])
    problems: list[str] = field(default_factory=list[str])
    failure: ModelError | MalformedReply | None = None
    """Why the optimizer had no answer, the last time."""
    tokens: int = 0
    usd: float = 0.0
    calls: int = 0
    held: list[Reservation] = field(default_factory=list[Reservation])


@dataclass(slots=True)
class Rounds:
    """The pool of a search, and the rounds that change it."""

    algorithm: Algorithm
    optimizer: Optimizer
    parameters: Parameters
    state: RunState
    purse: Purse
    max_staleness: int
    failure_score: float | None = None
    """The score of a failed episode; without it that of the worst one seen."""
    next_index: int = 0
    pool: list[Member] = field(default_factory=list[Member])
    _refused: set[str] = field(default_factory=set[str])
    """Values that were put to the gate."""

    async def ask(self, number: int, batch: Sequence[Rollout], head: Version) -> Answer:
        """Return what the round puts to the gate, as changes of `head`, or why there is nothing.

        Args:
            number: of the proposal that the round answers.
            batch: episodes of the live version.
            head: the live version.

        Raises:
            BudgetExhausted: the budget ended during the round.
        """
        current = _Round(number, [rollout.task for rollout in batch], head)
        live = self._live(head)
        try:
            with alone():
                async with anyio.create_task_group() as group:
                    await self._explore(current, batch, live, group)
            return self._answer(current, batch, live)
        finally:
            for reservation in current.held:
                reservation.release()
            for child in current.children:  # those that an end of the run left unmeasured
                self._close(current, child, "abandoned", "the run ended before it was measured")

    def _live(self, head: Version) -> Member:
        """Return the live version's place in the pool; it begins the pool, and need not stay."""
        values = canonical(dict(head.values))
        for member in self.pool:
            member.latest.clear()
        found = next((m for m in self.pool if canonical(dict(m.values)) == values), None)
        live = found or Member(0, head.values)
        self.pool = self.pool or [live]
        return live

    async def _explore(
        self, current: _Round, batch: Sequence[Rollout], live: Member, group: TaskGroup
    ) -> None:
        """Build on every parent as soon as it is measured, while others still run."""
        running: list[_Measured | None] = [
            None if parent is live else self._measure(current, parent, group, keep=True)
            for parent in self.algorithm.parents(self.pool)
        ]
        for parent in running:
            if parent is None:
                children = await self._children(current, live, batch)
            else:
                await parent.ended.wait()
                children = await self._children(current, parent.member, parent.in_order)
            for child in children:
                self._measure(current, child, group, keep=False)

    def _measure(
        self, current: _Round, member: Member, group: TaskGroup, *, keep: bool
    ) -> _Measured:
        """Start a member's episodes on the round's tasks."""
        held = self.state.ledger.reserve_episodes(len(current.tasks))
        current.held.extend(held)
        version = Version(-member.number, current.head.id, member.values)
        measured = _Measured(member, len(current.tasks))
        current.measured.append(measured)

        async def one(place: int, index: int) -> None:
            async with self.state.runner.limiter:
                rollout = await self.state.runner.run_now(
                    current.tasks[place], version, SEARCH, index, held[place], keep_graph=keep
                )
            self.state.ended(rollout)
            measured.add(place, rollout)

        for place in range(len(current.tasks)):
            group.start_soon(one, place, self.next_index)
            self.next_index += 1
        return measured

    async def _children(
        self, current: _Round, parent: Member, rollouts: Sequence[Rollout]
    ) -> list[Member]:
        """Return new candidates, built on what a parent's episodes tell."""
        # a member's own episodes are of its values: nothing in them is stale
        versions = () if parent.number else self.state.store.versions()
        feed(self.optimizer, rollouts, versions, self.max_staleness)
        found: list[Member] = []
        for _ in range(self.algorithm.branch):
            if len(found) >= self.algorithm.branch:
                break
            answer = await self.purse.ask(self.optimizer, parent.values)
            if not isinstance(answer, Proposal):
                current.problems.append(f"the optimizer had no answer: {answer}")
                current.failure = answer
                break
            current.tokens, current.usd = current.tokens + answer.tokens, current.usd + answer.usd
            current.calls += answer.calls
            for proposal in answer.candidates:
                child = self._child(
                    current, parent, proposal, full=len(found) >= self.algorithm.branch
                )
                if child is not None:
                    found.append(child)
                elif isinstance(self.optimizer, Listener):
                    self.optimizer.tell(proposal, False, None)
        return found

    def _child(
        self, current: _Round, parent: Member, proposal: Proposal, *, full: bool
    ) -> Member | None:
        """Return the candidate that a proposal makes, if it is a new one and of the right type."""
        before = Version(-parent.number, None, parent.values)
        changes, problems = checked_changes(self.parameters, before, proposal.changes)
        current.problems.extend([*proposal.problems, *problems])
        values = {**parent.values, **changes}
        known = {canonical(dict(m.values)) for m in (*self.pool, *current.children)}
        if full or not changes or canonical(values) in known | self._refused:
            return None
        store = self.state.store
        number = store.open_proposal(current.head.id, of=current.number, names=sorted(changes))
        event = ProposalMade(self.state.status, number, tuple(changes), ())
        self.state.emit(event)
        member = Member(number, values, proposal)
        current.children.append(member)
        return member

    def _answer(self, current: _Round, batch: Sequence[Rollout], live: Member) -> Answer:
        """Bring the round's scores into the pool, and choose what goes to the gate."""
        ran = [rollout for rollout in batch if rollout.version == current.head.id]
        results = [(live, ran), *((m.member, m.in_order) for m in current.measured)]
        scores = [r.score for _, rollouts in results for r in rollouts if r.score is not None]
        worst = min([*scores, *(s for m in self.pool for s in m.scores)], default=0.0)
        floor = worst if self.failure_score is None else self.failure_score
        for member, rollouts in results:
            member.latest[:] = [floor if r.score is None else r.score for r in rollouts]
            member.scores.extend(member.latest)
        self.pool = list(self.algorithm.kept([*self.pool, *current.children]))
        made, current.children = current.children, []
        for child in made:
            self._close(current, child, "rejected", self._found(child))
            if isinstance(self.optimizer, Listener) and child.proposal is not None:
                self.optimizer.tell(child.proposal, child in self.pool, child.now)
        if current.problems and not made and current.tokens == 0:
            return current.failure or MalformedReply("; ".join(dict.fromkeys(current.problems)))
        return self._proposal(current, self._best(live))

    def _best(self, live: Member) -> Member | None:
        """Return the best member that did better than the live version and was not judged yet."""
        for member in self.pool:
            if member is live:
                return None
            if member.mean > live.mean and canonical(dict(member.values)) not in self._refused:
                return member
        return None

    def _proposal(self, current: _Round, best: Member | None) -> Proposal:
        problems = tuple(dict.fromkeys(current.problems))
        if best is None:
            why = f"of {len(current.measured)} candidates none did better than the live version"
            return Proposal(
                {}, why, (*problems, why), current.tokens, current.usd, calls=current.calls
            )
        self._refused.add(canonical(dict(best.values)))
        now = current.head.values
        changes = {name: value for name, value in best.values.items() if value != now[name]}
        why = "" if best.proposal is None else best.proposal.reasoning
        return Proposal(changes, why, problems, current.tokens, current.usd, calls=current.calls)

    def _found(self, child: Member) -> str:
        end = "it stays in the pool" if child in self.pool else "others did better"
        return f"mean {child.now:.4g} on {len(child.latest)} train tasks; {end}"

    def _close(self, current: _Round, child: Member, end: ProposalState, reason: str) -> None:
        """Record what became of a candidate; by itself it is no version."""
        state, proposal, now = self.state, child.proposal or Proposal(), current.head.values
        record = ProposalRecord(
            child.number,
            current.head.id,
            end,
            {name: value for name, value in child.values.items() if value != now[name]},
            proposal.reasoning,
            (*proposal.problems, reason),
        )
        event = ProposalRejected(state.status, child.number, end, reason)
        state.flush()
        with state.store.transaction():
            state.store.record_proposal(record)
            state.log(event)
        state.notify(event)
