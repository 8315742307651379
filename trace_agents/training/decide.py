"""Decisions: a batch becomes a proposal, the proposal is judged, and the head may move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import anyio

from trace_agents.errors import BudgetExhausted, MalformedReply, ModelError, VersionConflict
from trace_agents.graph import Parameters
from trace_agents.optimizers.base import Listener, Optimizer, Proposal
from trace_agents.store import Evidence, ProposalRecord, ProposalState, Version
from trace_agents.training.budget import Ledger, Reservation, Spent, dearer
from trace_agents.training.episodes import Rollout
from trace_agents.training.events import (
    GateRound,
    ProposalMade,
    ProposalRejected,
    VersionPublished,
)
from trace_agents.training.gate import Judge, Verdict
from trace_agents.training.proposing import checked_changes, feed, rebased
from trace_agents.training.state import RunState


@dataclass(slots=True)
class Decider:
    """Makes one decision after the other; every one is recorded, whatever came of it."""

    state: RunState
    parameters: Parameters
    optimizer: Optimizer
    judge: Judge
    max_staleness: int
    _number: int = 0
    _batch: tuple[str, ...] = ()
    """The episodes that the decision learns from."""
    _dearest: Spent | None = None
    """What the dearest proposal cost; None before the first."""

    async def price(self) -> None:
        """Learn what an episode costs, if the budget needs to know."""
        await self.judge.price(self.state.store.head)

    async def baseline(self) -> None:
        """Measure the head on all gate tasks: where the learning curve begins."""
        self.state.gate = await self.judge.baseline(self.state.store.head)
        self.state.plot(-1)

    def report_round(self, _candidate: Version, evidence: Evidence) -> None:
        """Report a round of the gate."""
        self.state.emit(GateRound(self.state.status, self._number, evidence))

    async def decide(self, batch: Iterable[Rollout]) -> None:
        """Learn from a batch: publish a better version, or record why there is none.

        Raises:
            BudgetExhausted: the budget ended before the decision; it is recorded as abandoned.
        """
        store, batch = self.state.store, tuple(batch)
        self._number = store.next_proposal()
        self._batch = tuple(rollout.episode for rollout in batch)
        record = ProposalRecord(self._number, store.head.id, "abandoned")
        feed(self.optimizer, batch, store.versions(), self.max_staleness)
        proposal: Proposal | None = None
        try:
            proposal = await self._propose(store.head)
            record = _described(record, proposal)
            await self._weigh(proposal, record)
        except (ModelError, MalformedReply) as error:
            self._close(record, "invalid", f"the optimizer had no answer: {error}")
        except (BudgetExhausted, anyio.get_cancelled_exc_class()):
            self._close(record, "abandoned", "the run ended before it was judged")
            raise
        self.state.decisions += 1
        self.state.plot(self.state.decisions - 1)

    async def _propose(self, head: Version) -> Proposal:
        ledger = self.state.ledger
        held = self._hold(ledger)
        try:
            with anyio.fail_after(ledger.seconds_left):
                proposal = await self.optimizer.propose(head.values)
        except TimeoutError:
            if ledger.seconds_left == 0.0:
                raise BudgetExhausted("the budget of seconds ended during a proposal") from None
            raise
        else:
            held.settle(tokens=proposal.tokens, usd=proposal.usd)
            cost = Spent(tokens=proposal.tokens, usd=proposal.usd)
            self._dearest = cost if self._dearest is None else dearer(self._dearest, cost)
            return proposal
        finally:
            held.release()

    def _hold(self, ledger: Ledger) -> Reservation:
        if self._dearest is None:
            # half: the episodes under way may cost more than they hold
            return ledger.reserve_rest(0, 0.5)
        return ledger.reserve(0, self._dearest.tokens, self._dearest.usd)

    async def _weigh(self, proposal: Proposal, record: ProposalRecord) -> None:
        base = head = self.state.store.head
        changes, problems = checked_changes(self.parameters, head, proposal.changes)
        made = ProposalMade(
            self.state.status, self._number, tuple(changes), (*proposal.problems, *problems)
        )
        self.state.emit(made)
        record = replace(record, base=base.id, problems=made.problems)
        if problems or not changes:
            state: ProposalState = "invalid" if problems else "noop"
            reason = "; ".join(made.problems) or "the optimizer proposed no change"
            return self._turn_down(proposal, record, state, reason)
        while True:
            verdict = await self.judge.judge(self._candidate(head, changes, proposal), head)
            record = replace(record, base=head.id, evidence=verdict.evidence)
            if not verdict.accepted:
                return self._turn_down(proposal, record, "rejected", verdict.reason)
            try:
                return self._publish(proposal, replace(record, changes=changes), verdict)
            except VersionConflict as error:
                head = self.state.store.head
                if rebased(changes, base, head) is None:
                    return self._turn_down(proposal, record, "conflict", str(error))

    def _candidate(self, head: Version, changes: Mapping[str, object], why: Proposal) -> Version:
        values = {**head.values, **changes}
        return Version(
            -self._number, head.id, values, tuple(changes), None, why.reasoning, "proposal"
        )

    def _publish(self, proposal: Proposal, record: ProposalRecord, verdict: Verdict) -> None:
        """Move the head and record why in one step; nothing in here waits."""
        state, evidence = self.state, verdict.evidence
        with state.store.transaction():
            version = state.store.swap(
                record.changes,
                expected=record.base,
                evidence=evidence,
                reasoning=record.reasoning,
            )
            state.store.record_proposal(replace(record, state="committed", version=version.id))
            state.store.consume(self._batch)
            state.gate = self.judge.known(version)
            event = VersionPublished(
                state.status, self._number, version.id, version.changed, evidence
            )
            state.log(event)
        state.notify(event)
        self._tell(proposal, True, evidence.candidate_mean)

    def _turn_down(
        self, proposal: Proposal, record: ProposalRecord, state: ProposalState, reason: str
    ) -> None:
        self._close(record, state, reason)
        score = None if record.evidence is None else record.evidence.candidate_mean
        self._tell(proposal, False, score)

    def _close(self, record: ProposalRecord, state: ProposalState, reason: str) -> None:
        event = ProposalRejected(self.state.status, self._number, state, reason)
        problems = tuple(dict.fromkeys((*record.problems, reason)))
        with self.state.store.transaction():
            self.state.store.record_proposal(replace(record, state=state, problems=problems))
            if state != "abandoned":
                self.state.store.consume(self._batch)
            self.state.log(event)
        self.state.notify(event)

    def _tell(self, proposal: Proposal, accepted: bool, score: float | None) -> None:
        if isinstance(self.optimizer, Listener):
            self.optimizer.tell(proposal, accepted, score)


def _described(record: ProposalRecord, proposal: Proposal) -> ProposalRecord:
    changes = cast("object", proposal.changes)  # a third party's optimizer may not keep to its type
    return replace(
        record,
        changes=dict(proposal.changes) if isinstance(changes, Mapping) else {},
        reasoning=proposal.reasoning,
        problems=tuple(proposal.problems),
        tokens=proposal.tokens,
        usd=proposal.usd,
    )
