"""Decisions: a batch becomes proposals, each is judged, and the head may move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from trace_agents.errors import BudgetExhausted, VersionConflict
from trace_agents.graph import Parameters
from trace_agents.optimizers.base import Listener, Optimizer, Proposal, Tried
from trace_agents.store import Evidence, Version
from trace_agents.training.episodes.runner import Rollout
from trace_agents.training.judging.canary import Canary, worse
from trace_agents.training.judging.judge import Judge
from trace_agents.training.judging.service import Service
from trace_agents.training.judging.taking_back import take_back
from trace_agents.training.proposals.candidates import Candidate
from trace_agents.training.proposals.focus import Focus
from trace_agents.training.proposals.proposers import Answer, Group, MakeOptimizer, Proposers, Purse
from trace_agents.training.proposals.proposing import checked_changes, feed
from trace_agents.training.runs.troubles import Troubles
from trace_agents.training.search.rounds import Rounds
from trace_agents.training.telling.events import (
    GateRound,
    ProposalMade,
    ProposalRejected,
    TrainingEvent,
    VersionPublished,
)
from trace_agents.training.telling.state import RunState


@dataclass(slots=True)
class Decider:
    """Makes one decision after the other; every one is recorded, whatever came of it."""

    state: RunState
    parameters: Parameters
    optimizer: Optimizer
    judge: Judge
    max_staleness: int
    make: MakeOptimizer | None = None
    """Makes an optimizer for each group of parameters that meets no other."""
    service: Service = field(default_factory=lambda: Service(None))
    focus: Focus | None = None
    canary: Canary | None = None
    search: Rounds | None = None
    """Makes the proposals out of a search, in place of one question to the optimizer."""
    priced: Callable[[], None] = lambda: None
    """Called when the price of an episode is known."""
    begun: tuple[str, ...] = ()
    """The whole batch of an interrupted decision."""
    troubles: Troubles = field(default_factory=Troubles)
    proposers: Proposers = field(init=False)
    purse: Purse = field(init=False)

    def __post_init__(self) -> None:
        self.proposers = Proposers(self.parameters, self.optimizer, self.make)
        self.purse = Purse(self.state.ledger)

    async def price(self) -> None:
        """Learn what an episode costs, if the budget needs to know."""
        await self.judge.price(self.state.store.head)
        self.priced()

    async def baseline(self) -> None:
        """Measure the head on all gate tasks: where the learning curve begins."""
        await self._measure_head()
        self.state.plot(-1)

    async def _measure_head(self) -> None:
        """Know the gate score of the live version, also of one that another trainer published."""
        state, head = self.state, self.state.store.head
        if state.measured is None or state.measured[0] != head.id:
            state.measured = (head.id, *await self.judge.baseline(head))

    def report_round(self, candidate: Version, evidence: Evidence) -> None:
        """Report a round of the gate."""
        self.state.emit(GateRound(self.state.status, -candidate.id, evidence))

    async def decide(self, batch: Iterable[Rollout], *, begun: bool = False) -> None:
        """Learn from a batch: publish better versions, or record why there are none.

        Args:
            batch: the episodes.
            begun: they are what an interrupted decision has left.

        Raises:
            BudgetExhausted: the budget ended before the decision; it is recorded as abandoned.
        """
        batch = tuple(batch)
        self.state.flush()
        if not begun:
            self.service.add((r.version, r.score, r.status) for r in batch)
            take_back(self.state, self.service, self.judge)
        learnt = self.focus.choose(batch) if self.focus is not None and not begun else batch
        groups = self.proposers.groups(learnt)
        served = self.begun if begun else tuple(rollout.episode for rollout in batch)
        opened = self._open(groups, served)
        base = self.state.store.head
        unmade = [Candidate(number, base.id) for number in opened]
        try:
            answers = await self._ask(groups, opened, learnt)
            self.troubles.add(answers)
            for place, (group, answer) in enumerate(zip(groups, answers, strict=True)):
                candidates = self._candidates(group, unmade.pop(0).number, answer, base)
                last = place == len(groups) - 1
                await self._settle(group, candidates, base, last=last, served=served)
        except (BudgetExhausted, anyio.get_cancelled_exc_class()):
            self._abandon(unmade)
            raise
        finally:
            if self.canary is not None:
                self.canary.decided(self.state.decisions)
        self.state.decisions += 1
        await self._measure_head()
        self.state.plot(self.state.decisions - 1)

    def _open(self, groups: Sequence[Group], served: Sequence[str]) -> list[int]:
        """Return the numbers of the proposals that are to be made."""
        store = self.state.store
        with store.transaction():
            return [
                store.open_proposal(
                    store.head.id,
                    decision=self.state.decisions,
                    names=sorted(group.names),
                    batch=served,
                    episodes=[rollout.episode for rollout in group.rollouts],
                )
                for group in groups
            ]

    async def _ask(
        self, groups: Sequence[Group], opened: Sequence[int], learnt: Sequence[Rollout]
    ) -> list[Answer]:
        if self.search is not None:
            return [await self.search.ask(opened[0], learnt, self.state.store.head)]
        return await self.purse.ask_all(groups, self._feed(groups))

    def _feed(self, groups: Sequence[Group]) -> Mapping[str, object]:
        """Give every optimizer the feedback of its episodes; return what it starts from."""
        versions = self.state.store.versions()
        for group in groups:
            trials = {} if self.canary is None else self.canary.trials
            feed(group.optimizer, group.rollouts, versions, self.max_staleness, trials)
        return self.state.store.head.values

    def _candidates(
        self, group: Group, number: int, answer: Answer, head: Version
    ) -> list[Candidate]:
        """Return what there is to judge; what is wrong from the start says so."""
        state = self.state
        if not isinstance(answer, Proposal):
            reason = f"the optimizer had no answer: {answer}"
            return [Candidate(number, head.id, state="invalid", reason=reason)]
        found: list[Candidate] = []
        for proposal in answer.candidates:
            if found:
                names = sorted(group.names)
                number = state.store.open_proposal(head.id, of=found[0].number, names=names)
            changes, problems = checked_changes(self.parameters, head, proposal.changes)
            candidate = Candidate.of(number, head.id, proposal, changes, problems)
            event = ProposalMade(state.status, number, tuple(changes), candidate.problems)
            found.append(candidate)
            state.emit(event)
        return found

    async def _settle(
        self,
        group: Group,
        candidates: list[Candidate],
        base: Version,
        *,
        last: bool,
        served: Sequence[str],
    ) -> None:
        """Judge what an optimizer would change of `base`, and record what becomes of it."""
        store = self.state.store
        head = store.head
        try:
            left = [c for c in candidates if c.state == "open" and c.still_fits(base, head)]
            while True:
                await self._judge(left, head)
                await self._try_out(left, head)
                winner = next((c for c in left if c.state == "committed"), None)
                try:
                    return self._close(candidates, group, last=last, served=served)
                except VersionConflict:
                    head = store.head
                    if winner is None:
                        raise
                    left = [winner] if winner.still_fits(base, head) else []
        except (BudgetExhausted, anyio.get_cancelled_exc_class()):
            self._abandon(candidates)
            raise

    async def _judge(self, left: Sequence[Candidate], head: Version) -> None:
        if left:
            versions = [candidate.version(head) for candidate in left]
            for candidate, verdict in zip(
                left, await self.judge.judge_all(versions, head), strict=True
            ):
                candidate.judged(verdict, head)

    async def _try_out(self, left: Sequence[Candidate], head: Version) -> None:
        """Let the winner do a part of the train episodes, and turn it down if it does worse."""
        canary, state = self.canary, self.state
        for winner in left:
            live = winner.state == "committed" and winner.verdict is not None
            if canary is None or not live or not canary.has_room(state.decisions):
                continue
            state.flush()
            data = {"number": winner.number, "base": head.id, "changes": winner.changes}
            state.store.append("CanaryStarted", data)
            evidence = await canary.compare(winner.version(head), head, state.decisions)
            winner.tried_out(evidence, worse=worse(evidence))

    def _close(
        self,
        candidates: Sequence[Candidate],
        group: Group,
        *,
        last: bool,
        served: Sequence[str],
    ) -> None:
        """Record the candidates' ends and move the head, in one step; nothing in here waits."""
        state = self.state
        state.flush()
        with state.store.transaction():
            events = [self._record(candidate) for candidate in candidates]
            state.store.consume(self._used(group))
            if last:
                data = {"decision": state.decisions, "episodes": served}
                state.store.append("Decided", {**data, "head": state.store.head.id})
        for event in events:
            state.notify(event)
        for candidate in candidates:
            self._tell(group, candidate)

    def _used(self, group: Group) -> list[str]:
        gone = () if self.focus is None else self.focus.dropped
        return [rollout.episode for rollout in (*group.rollouts, *gone)]

    def _record(self, candidate: Candidate) -> TrainingEvent:
        state, record = self.state, candidate.record()
        if candidate.verdict is not None and candidate.state == "committed":
            evidence = candidate.verdict.evidence
            version = state.store.swap(
                candidate.changes,
                expected=candidate.base,
                evidence=evidence,
                reasoning=record.reasoning,
            )
            record = candidate.record(version.id)
            self.service.rename(-candidate.number, version.id)
            if self.canary is not None:
                self.canary.went_live(-candidate.number, version.id)
            state.measured = (version.id, *self.judge.known(version))
            event: TrainingEvent = VersionPublished(
                state.status, candidate.number, version.id, version.changed, evidence
            )
        else:
            event = ProposalRejected(
                state.status, candidate.number, candidate.state, candidate.reason
            )
        state.store.record_proposal(record)
        state.log(event)
        return event

    def _abandon(self, candidates: Sequence[Candidate]) -> None:
        """Record that the run ended before these were judged; their episodes stay unused."""
        state = self.state
        state.flush()
        for candidate in candidates:
            candidate.turn_down("abandoned", "the run ended before it was judged")
            with state.store.transaction():
                event = self._record(candidate)
            state.notify(event)

    def _tell(self, group: Group, candidate: Candidate) -> None:
        if candidate.proposal is None:
            return
        accepted, score = candidate.state == "committed", candidate.score
        self.proposers.learn(group.names, Tried(candidate.proposal, accepted, score))
        # a search has told its optimizer by itself, of proposals that these are made of
        if self.search is None and isinstance(group.optimizer, Listener):
            group.optimizer.tell(candidate.proposal, accepted, score)
