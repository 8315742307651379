"""A candidate: what one proposal would change, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from trace_agents.optimizers.base import Proposal
from trace_agents.store import CanaryEvidence, Evidence, ProposalRecord, ProposalState, Version
from trace_agents.training.judging.gate import Verdict
from trace_agents.training.proposals.proposing import rebased


@dataclass(slots=True)
class Candidate:
    """One set of changes under judgement."""

    number: int
    base: int
    """Id of the version that it would replace."""
    proposal: Proposal | None = None
    """None where the optimizer had no answer."""
    changes: dict[str, object] = field(default_factory=dict[str, object])
    """Those that are of the right type and do differ."""
    problems: tuple[str, ...] = ()
    state: ProposalState = "open"
    reason: str = ""
    verdict: Verdict | None = None

    @classmethod
    def of(
        cls,
        number: int,
        base: int,
        proposal: Proposal,
        changes: dict[str, object],
        problems: tuple[str, ...],
    ) -> Candidate:
        """Return the candidate that a proposal makes; it is turned down if nothing is left."""
        every = (*proposal.problems, *problems)
        candidate = cls(number, base, proposal, changes, every)
        if problems or not changes:
            reason = "; ".join(every) or "the optimizer proposed no change"
            candidate.turn_down("invalid" if problems else "noop", reason)
        return candidate

    @property
    def score(self) -> float | None:
        """Its mean score on the gate tasks that it ran."""
        evidence = None if self.verdict is None else self.verdict.evidence
        return None if evidence is None or not evidence.n else evidence.candidate_mean

    def version(self, head: Version) -> Version:
        """Return it as the version that it would be on top of `head`."""
        why = "" if self.proposal is None else self.proposal.reasoning
        values = {**head.values, **self.changes}
        return Version(-self.number, head.id, values, tuple(self.changes), None, why, "proposal")

    def still_fits(self, base: Version, head: Version) -> bool:
        """Tell whether it can be put on top of `head`; a conflict turns it down."""
        if rebased(self.changes, base, head) is not None:
            return True
        self.turn_down(
            "conflict",
            f"version {head.id} has changed what it would change in version {base.id}",
        )
        return False

    def judged(self, verdict: Verdict, head: Version) -> None:
        """Take the gate's decision, made against `head`."""
        self.verdict, self.base, self.reason = verdict, head.id, verdict.reason
        self.state = "committed" if verdict.accepted else "rejected"

    def tried_out(self, evidence: CanaryEvidence, *, worse: bool) -> None:
        """Take what it did in service beside the live version."""
        if self.verdict is None:
            return
        judged = replace(self.verdict.evidence, canary=evidence)
        self.verdict = replace(self.verdict, evidence=judged)
        if worse:
            self.turn_down(
                "rejected",
                f"worse in service: {evidence.mean:.4g} in {evidence.n} episodes against "
                f"{evidence.head_mean:.4g} ± {evidence.se:.3g} of the live version",
            )

    def turn_down(self, state: ProposalState, reason: str) -> None:
        """Note why it does not go live."""
        self.state, self.reason = state, reason

    def record(self, version: int | None = None) -> ProposalRecord:
        """Return what the store keeps of it."""
        proposal = self.proposal or Proposal()
        problems = self.problems
        if self.state != "committed":
            problems = tuple(dict.fromkeys((*problems, self.reason)))
        return ProposalRecord(
            self.number,
            self.base,
            self.state,
            self.changes if self.state == "committed" else _plain(proposal.changes),
            proposal.reasoning,
            problems,
            self._evidence,
            version,
            proposal.tokens,
            proposal.usd,
            memo=proposal.memo,
            calls=proposal.calls,
        )

    @property
    def _evidence(self) -> Evidence | None:
        return None if self.verdict is None else self.verdict.evidence


def _plain(changes: object) -> Mapping[str, object]:
    # a third party's optimizer may not keep to its type
    return dict(cast("Mapping[str, object]", changes)) if isinstance(changes, Mapping) else {}
