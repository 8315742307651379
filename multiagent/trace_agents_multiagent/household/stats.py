"""What an episode cost and why: counters, findings in one sentence each, and the judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType

from trace_agents.feedback import Feedback

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "idle_chat": "{agent}: sent {of} messages, {count} of them told {other} nothing new.",
        "one_hand": "{agent}: made {count} trips to {place} with one hand empty.",
        "reexplored": "{agent}: explored {count} rooms that {other} had already explored.",
        "rechecked": "{agent}: checked {count} containers that {other} had already checked.",
        "own_recheck": "{agent}: checked {count} containers that it had already checked itself.",
        "waited": "{agent}: waited {count} steps.",
        "refused": "{agent}: had {count} actions refused.",
        "walked": "{agent}: walked {count} metres.",
        "delivered": "{agent}: delivered {count} of {of} goal objects.",
    }
)
"""The sentence of each kind of finding; the last two describe, the others complain."""

COMPLAINTS = tuple(kind for kind in SENTENCES if kind not in {"walked", "delivered"})
"""The kinds that name work which a better plan would have saved."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One counted fact about one agent."""

    agent: str
    kind: str
    """A key of `SENTENCES`."""
    count: int
    of: int = 0
    """The whole that `count` is a part of, where the sentence names one."""
    other: str = "its partner"
    place: str = "the goal"

    @property
    def text(self) -> str:
        """The finding as a sentence that holds the count."""
        return SENTENCES[self.kind].format(
            agent=self.agent,
            count=self.count,
            of=max(self.of, self.count),
            other=self.other,
            place=self.place,
        )

    def with_count(self, count: int) -> Finding:
        """Return the same finding with another count: for controls that shuffle feedback."""
        return replace(self, count=count)


@dataclass(slots=True)
class Tally:
    """The running counters of one agent; the coordinator is the only writer."""

    messages: int = 0
    idle_chat: int = 0
    one_hand: int = 0
    reexplored: int = 0
    rechecked: int = 0
    own_recheck: int = 0
    waited: int = 0
    refused: int = 0
    metres: float = 0.0
    delivered: int = 0
    decisions: int = 0

    def count(self, kind: str) -> int:
        """Return the counter behind one kind of finding."""
        return round(self.metres) if kind == "walked" else int(getattr(self, kind))


@dataclass(frozen=True, slots=True)
class HouseholdResult:
    """How an episode ended, as plain data."""

    solved: bool
    steps: int
    max_steps: int
    goals_done: int
    goals_total: int
    findings: tuple[Finding, ...] = ()
    messages: int = 0
    informative_messages: int = 0
    decisions: Mapping[str, int] = field(default_factory=dict[str, int])

    def to_json(self) -> dict[str, object]:
        """Return the result with JSON types only."""
        plain: dict[str, object] = asdict(self)
        plain["findings"] = [asdict(finding) for finding in self.findings]
        return plain


def findings_of(tallies: Mapping[str, Tally], goals_total: int, place: str) -> tuple[Finding, ...]:
    """Return every finding that counts something, agent by agent in the order of `SENTENCES`."""
    found: list[Finding] = []
    for agent, tally in tallies.items():
        others = " and ".join(name for name in tallies if name != agent) or "its partner"
        for kind in SENTENCES:
            count = tally.count(kind)
            if count or kind == "delivered":
                of = tally.messages if kind == "idle_chat" else goals_total
                found.append(Finding(agent, kind, count, of, others, place))
    return tuple(found)


def outcome(result: HouseholdResult) -> str:
    """Return the sentence about the end of the episode."""
    if result.solved:
        return f"Solved in {result.steps} steps."
    missing = result.goals_total - result.goals_done
    return f"Not solved in {result.steps} steps: {missing} of {result.goals_total} goals missing."


def render_findings(result: HouseholdResult, findings: Iterable[Finding] | None = None) -> str:
    """Return the outcome and one line a finding; pass `findings` to replace the result's own."""
    shown = result.findings if findings is None else findings
    return "\n".join([outcome(result), *(finding.text for finding in shown)])


def judge(task: object, result: object) -> Feedback:
    """Return the episode's feedback: fewer steps are better, and the text says what was wasted."""
    if not isinstance(result, HouseholdResult):
        raise TypeError(
            f"judge needs the HouseholdResult of {task!r}, got {type(result).__name__}; "
            "return household.result() from the episode"
        )
    return Feedback(-float(result.steps), render_findings(result))
