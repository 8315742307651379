"""What keeps a run from learning: an optimizer without answers, and batches that cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trace_agents.errors import ModelError, ModelUnavailable
from trace_agents.optimizers.asking import NOTHING_REACHED
from trace_agents.optimizers.base import Proposal
from trace_agents.training.budgets.budget import Ledger
from trace_agents.training.proposals.proposers import Answer
from trace_agents.training.telling.failures import in_general
from trace_agents.training.telling.stopping import StopReason

REFUSALS = 3
"""Decisions in a row with one and the same lasting error of the optimizer's model."""
FREE = 20
"""Decisions in a row that took nothing of a budget that nothing else limits."""


@dataclass(slots=True)
class Troubles:
    """Counts what the optimizer answered, and knows when it never will."""

    asked: int = 0
    unanswered: int = 0
    unreached: int = 0
    last: str = ""
    """Why the last question had no answer."""
    refused: str | None = None
    """The lasting error of the last decision, without numbers and quoted words."""
    row: int = 0
    """Decisions in a row with that error."""

    def add(self, answers: Sequence[Answer]) -> None:
        """Count what the optimizers of one decision answered."""
        lasting: list[str] = []
        for answer in answers:
            self.asked += 1
            if isinstance(answer, Proposal):
                self.unreached += NOTHING_REACHED.problems[0] in answer.problems
                continue
            self.unanswered += 1
            self.last = str(answer)
            if isinstance(answer, ModelError) and not isinstance(answer, ModelUnavailable):
                lasting.append(in_general(str(answer)))
        refused = lasting[0] if lasting and len(lasting) == len(answers) else None
        self.row = 0 if refused is None else self.row + 1 if refused == self.refused else 1
        self.refused = refused

    def end(self) -> tuple[StopReason, str] | None:
        """Return why the optimizer's model ends the run, if it does."""
        if self.row < REFUSALS:
            return None
        return "optimizer", (
            f"the optimizer's model gave the same error in {self.row} decisions in a row: "
            f"{self.last}; mend its name, its key or its settings"
        )

    def sentences(self) -> list[str]:
        """Return what to say at the end of a run that got no proposals most of the time."""
        found: list[str] = []
        if self.unanswered and 2 * self.unanswered >= self.asked:
            found.append(
                f"{self.unanswered} of {self.asked} questions to the optimizer had no answer; "
                f"the last: {self.last}"
            )
        if self.unreached and 2 * self.unreached >= self.asked:
            found.append(
                f"{self.unreached} of {self.asked} proposals could change nothing: no feedback "
                "reached a parameter; see that the output is made of the parameters' nodes in a "
                "way that is recorded (in an operation or with ta.bundle, not in an f-string of "
                "their data)"
            )
        return found


@dataclass(slots=True)
class Gratis:
    """Watches a run that only tokens, dollars or calls limit: without a price it never ends."""

    ledger: Ledger
    before: tuple[float, ...] = ()
    row: int = 0
    """Decisions in a row that took nothing of what is limited."""

    def __post_init__(self) -> None:
        self.before = self._used()

    def decided(self) -> None:
        """Note what was used until the end of a decision."""
        now = self._used()
        self.row = self.row + 1 if now == self.before else 0
        self.before = now

    def warning(self) -> str | None:
        """Return what to say after a first batch that was free."""
        if self.row != 1 or any(self.before):
            return None
        return (
            f"the first batch took no {self._limits()}, and nothing else limits the run: it ends "
            f"after {FREE} decisions like this; limit episodes, seconds or proposals as well"
        )

    def end(self) -> tuple[StopReason, str] | None:
        """Return why free batches end the run, if they do."""
        if self.row < FREE:
            return None
        return "free", (
            f"{self.row} decisions in a row took no {self._limits()}, and nothing else limits the "
            "run; limit episodes, seconds or proposals as well, or give the model a price"
        )

    def _used(self) -> tuple[float, ...]:
        limits, spent = self.ledger.budget, self.ledger.spent
        pairs = (
            (limits.tokens, spent.tokens),
            (limits.usd, spent.usd),
            (limits.calls, spent.calls),
        )
        return tuple(used for limit, used in pairs if limit is not None)

    def _limits(self) -> str:
        limits = self.ledger.budget
        names = (("tokens", limits.tokens), ("dollars", limits.usd), ("calls", limits.calls))
        return " or ".join(name for name, limit in names if limit is not None)
