"""What an optimizer proposed, after which feedback, and what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from trace_agents.graph import dump
from trace_agents.optimizers.base import Proposal, Tried
from trace_agents.render import clip

_LONGEST = 800
"""Characters of one value."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    proposal: Proposal
    said: Mapping[str, str]
    """What was said of each parameter; under no name what was said of all."""
    outcome: str = "not judged"

    def text(self, name: str) -> str:
        changes = self.proposal.changes
        lines = [f"{n} = {clip(dump(v), _LONGEST)}" for n, v in changes.items() if name in ("", n)]
        heading = f"[{self.outcome}] after the feedback: {self.said.get(name, '')}"
        return "\n".join([heading, *lines]) if lines else ""


class Memory:
    """The last candidates, oldest first, as text for a prompt."""

    def __init__(self, size: int) -> None:
        self._attempts: deque[_Attempt] = deque(maxlen=size)

    def add(self, candidates: Iterable[Proposal], said: Mapping[str, str]) -> None:
        """Keep candidates that answer what was said."""
        self._attempts.extend(_Attempt(c, said) for c in candidates if c.changes)

    def tell(self, proposal: Proposal, accepted: bool, score: float | None) -> None:
        """Note what became of one of them."""
        outcome = "accepted" if accepted else "rejected"
        if score is not None:
            outcome += f", mean score {score:.4g}"
        for index, attempt in enumerate(self._attempts):
            if attempt.proposal is proposal:
                self._attempts[index] = replace(attempt, outcome=outcome)

    def remember(self, tried: Sequence[Tried]) -> None:
        """Take up what another instance had in its memory, by its proposals' memos."""
        said: Mapping[str, str] = {}
        for each in tried:
            said = cast("Mapping[str, str]", each.proposal.memo.get("said", said))
            self.add([each.proposal], said)
            self.tell(each.proposal, each.accepted, each.score)

    def text(self, budget: int, name: str = "") -> str:
        """Return the memory of all, or of one parameter; of a text that is too long both ends."""
        shown = [attempt.text(name) for attempt in self._attempts]
        return clip("\n\n".join(filter(None, shown)), budget)
