"""A stand-in for the language model of OptoPrime: no model, no network, no key.

It reads the prompt that a language model would get, and nothing else: the variables, the feedback
and the memory. It adds the counts of the complaints it knows and answers the largest with a
sentence from a fixed pool. It can neither write a sentence of its own nor understand one.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trace_agents.llm import Message, Reply, Schema
from trace_agents_multiagent.standin.directives import DIRECTIVES

_VARIABLE = re.compile(
    r'<variable name="(?P<name>[^"]+)">\n<value>\n(?P<value>.*?)\n</value>', re.DOTALL
)
_ATTEMPT = re.compile(r"^\[(?=rejected|accepted|not judged)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """A sentence that feedback may hold, and the directives that may answer it, best first."""

    pattern: str
    """Follows the agent's name and a colon; the group `count` is how often it happened."""
    remedies: tuple[str, ...]
    one_only: bool = False
    """Whether the remedy divides the work, so that only one agent should have it."""


COMPLAINTS: tuple[Complaint, ...] = (
    Complaint(
        r"sent \d+ messages, (?P<count>\d+) of them told [^.\n]+ nothing new", ("Do not chat.",)
    ),
    Complaint(
        r"made (?P<count>\d+) trips to [^.\n]+ with one hand empty",
        ("Carry two objects before you deliver.",),
    ),
    Complaint(
        r"explored (?P<count>\d+) rooms that [^.\n]+ had already explored",
        ("Explore the rooms from last to first.",),
        one_only=True,
    ),
    Complaint(
        r"checked (?P<count>\d+) containers that [^.\n]+ had already checked",
        ("Skip containers that stand open.",),
    ),
    # what sounds right and costs steps: only small counts keep the stand-in from it, or the gate
    Complaint(r"waited (?P<count>\d+) steps", ("Wait for your partner before you act.",)),
    Complaint(r"had (?P<count>\d+) actions refused", ("Check every container twice.",)),
)
"""What the stand-in knows of feedback; the last ones answer with harmful directives."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one prompt says, as far as the stand-in reads it."""

    values: Mapping[str, str]
    feedback: str
    memory: str

    @classmethod
    def of(cls, prompt: str) -> Reading:
        """Return what the prompt says."""
        recorded, _, memory = prompt.partition("\n\n#Memory\n")
        before, _, feedback = recorded.rpartition("\n#Feedback\n")
        values = {m["name"]: m["value"] for m in _VARIABLE.finditer(before)}
        return cls(values, feedback, memory)

    @property
    def attempts(self) -> list[str]:
        """The earlier proposals with what became of them, the latest last."""
        return [attempt for attempt in _ATTEMPT.split(self.memory) if attempt.strip()]

    def changed(self, attempt: str) -> list[str]:
        """Return the variables that a proposal changed."""
        return [name for name in self.values if f"\n{name} = " in attempt]

    def rejected(self, name: str) -> str:
        """Return the text of the rejected proposals that changed this variable and no other.

        What was rejected together with another change may well be good by itself.
        """
        attempts = [attempt for attempt in self.attempts if attempt.startswith("rejected")]
        return "\n".join(attempt for attempt in attempts if self.changed(attempt) == [name])

    @property
    def one_at_a_time(self) -> bool:
        """Whether the last proposal was rejected."""
        return any(attempt.startswith("rejected") for attempt in self.attempts[-1:])

    @property
    def episodes(self) -> int:
        """How many episodes the feedback is about; each begins with its score."""
        return max(1, len(re.findall(r"\bscore -?\d", self.feedback)))

    def count(self, complaint: Complaint, agent: str) -> int:
        """Return how often the feedback says that the agent gave cause for a complaint."""
        found = re.finditer(rf"\b{re.escape(agent)}: {complaint.pattern}", self.feedback)
        return sum(int(match["count"]) for match in found)


class ReflectingModel:
    """A stand-in that answers the largest complaint about each agent with a fixed directive.

    It is no language model. A complaint counts if it comes up `threshold` times in an episode on
    average. Where none does, it draws a directive from the whole pool, the harmful ones too; the
    draw is seeded by the prompt.
    """

    name = "reflecting stand-in"

    def __init__(
        self,
        *,
        pool: Sequence[str] | None = None,
        complaints: Sequence[Complaint] = COMPLAINTS,
        threshold: float = 1.0,
    ) -> None:
        self._pool = tuple(d.text for d in DIRECTIVES) if pool is None else tuple(pool)
        self._complaints = tuple(complaints)
        self._threshold = threshold

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the reply to OptoPrime's prompt, in the form that the prompt asks for."""
        prompt = _prompt(messages)
        reading = Reading.of(prompt)
        chosen = self._answers(reading)
        why = "The feedback names this most often."
        if not chosen:
            chosen = _drawn(reading, self._pool, _rng(prompt))
            why = "The feedback names nothing that I know; I try one of my sentences."
        return _reply(prompt, reading, chosen, why)

    def _answers(self, reading: Reading) -> dict[str, str]:
        """Return one directive for each variable whose agent gave cause, largest count first.

        After a rejection only the largest complaint is answered, so that the gate can tell
        which change was the bad one.
        """
        ranked = sorted(
            (
                (reading.count(complaint, name.partition(".")[0]), name, complaint)
                for name in reading.values
                for complaint in self._complaints
            ),
            key=lambda entry: -entry[0],
        )
        chosen: dict[str, str] = {}
        enough = self._threshold * reading.episodes
        for count, name, complaint in ranked:
            if count < enough or name in chosen or (chosen and reading.one_at_a_time):
                continue
            remedy = _remedy(complaint, name, reading, chosen)
            if remedy is not None:
                chosen[name] = remedy
        return chosen


class RandomModel:
    """A stand-in for control: it ignores the feedback and draws a directive for every variable."""

    name = "random stand-in"

    def __init__(self, *, pool: Sequence[str] | None = None) -> None:
        self._pool = tuple(d.text for d in DIRECTIVES) if pool is None else tuple(pool)

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the reply to OptoPrime's prompt, in the form that the prompt asks for."""
        prompt = _prompt(messages)
        reading, rng = Reading.of(prompt), _rng(prompt)
        chosen: dict[str, str] = {}
        for name, value in reading.values.items():
            new = [directive for directive in self._pool if directive not in value]
            if new:
                chosen[name] = rng.choice(new)
        return _reply(prompt, reading, chosen, "A draw, whatever the feedback says.")


def _remedy(
    complaint: Complaint, name: str, reading: Reading, chosen: Mapping[str, str]
) -> str | None:
    tried = reading.values[name] + "\n" + reading.rejected(name)
    others = [value for other, value in reading.values.items() if other != name]
    held = "\n".join([*others, *chosen.values()]) if complaint.one_only else ""
    for remedy in complaint.remedies:
        if remedy not in tried and remedy not in held:
            return remedy
    return None


def _drawn(reading: Reading, pool: Sequence[str], rng: random.Random) -> dict[str, str]:
    """Return a random directive for one random variable, none that was rejected if there is one."""
    if not reading.values:
        return {}
    name = rng.choice(sorted(reading.values))
    new = [directive for directive in pool if directive not in reading.values[name]]
    fresh = [directive for directive in new if directive not in reading.rejected(name)]
    return {name: rng.choice(fresh or new)} if new else {}


def _prompt(messages: Sequence[Message]) -> str:
    users = [message["content"] for message in messages if message["role"] == "user"]
    return users[0] if users else ""


def _rng(prompt: str) -> random.Random:
    return random.Random(hashlib.sha256(prompt.encode()).digest())


def _reply(prompt: str, reading: Reading, chosen: Mapping[str, str], why: str) -> Reply:
    blocks = [
        f"<variable>\n<name>{name}</name>\n<value>\n{reading.values[name]}\n{directive}\n</value>\n"
        "</variable>"
        for name, directive in chosen.items()
    ]
    text = "\n".join([f"<reasoning>\n{why}\n</reasoning>", *blocks])
    # a rough count, so that budgets have something to count: four characters to a token
    return Reply(text, len(prompt) // 4, len(text) // 4)
