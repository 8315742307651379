"""Asking a model for values: one form, one parser, and one repair call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from trace_agents.errors import ModelError
from trace_agents.graph import Parameters
from trace_agents.llm import Message, Model, Reply
from trace_agents.optimizers.base import Proposal
from trace_agents.optimizers.replies import Parsed, parse_reply
from trace_agents.propagate import TraceGraph
from trace_agents.render import clip

FORM = """\
<reasoning>
why
</reasoning>
<variable>
<name>the variable's name</name>
<value>
the whole new value
</value>
</variable>
"""
"""The form of an answer, as prompts show it."""

_REPAIR = """\
These values could not be used; everything else in your answer stands:
{errors}
Answer again in the same form, with blocks for these variables only.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, read by the types of the parameters, and what it cost."""

    parsed: Parsed
    spent: tuple[Reply, ...]

    def proposal(self) -> Proposal:
        """Return the answer as a proposal."""
        return Proposal(
            self.parsed.changes,
            self.parsed.reasoning,
            self.problems,
            sum(reply.tokens for reply in self.spent),
            sum(reply.usd for reply in self.spent),
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What was dropped and why, one sentence each."""
        invalid = self.parsed.invalid.items()
        return (*self.parsed.problems, *(f"{name!r} was dropped: {why}" for name, why in invalid))


async def ask(
    llm: Model, messages: Sequence[Message], free: Parameters, current: Mapping[str, object]
) -> Answer:
    """Return the model's changes of the `free` parameters; what did not fit is asked for again.

    Raises:
        ModelError: the model could not answer the first time.
    """
    reply = await llm.complete(messages)
    parsed = parse_reply(reply.text, free, current)
    if not parsed.invalid:
        return Answer(parsed, (reply,))
    return await _repaired(llm, messages, Answer(parsed, (reply,)), free, current)


async def _repaired(
    llm: Model,
    messages: Sequence[Message],
    first: Answer,
    free: Parameters,
    current: Mapping[str, object],
) -> Answer:
    """Ask once more for the values that did not fit; what still does not is dropped."""
    before = first.parsed
    errors = "\n".join(f"- {name}: {why}" for name, why in before.invalid.items())
    said: Message = {"role": "assistant", "content": first.spent[0].text}
    again: Message = {"role": "user", "content": _REPAIR.format(errors=errors)}
    try:
        reply = await llm.complete([*messages, said, again])
    except ModelError as error:
        problems = (*before.problems, f"no repair: {error}")
        return Answer(replace(before, problems=problems), first.spent)
    asked = Parameters(
        replace(p, frozen=p.frozen or p.name not in before.invalid) for p in free.values()
    )
    second = parse_reply(reply.text, asked, current)
    left = {name: why for name, why in before.invalid.items() if name not in second.changes}
    parsed = Parsed(
        {**before.changes, **second.changes},
        before.reasoning or second.reasoning,
        {**left, **second.invalid},
        before.problems,
    )
    return Answer(parsed, (*first.spent, reply))


def touched(parameters: Parameters, feedback: TraceGraph) -> Parameters:
    """Return the parameters, those frozen that no feedback reached."""
    seen = {node.name for node in feedback.parameters} if feedback.feedback else set[str]()
    return Parameters(
        replace(parameter, frozen=parameter.frozen or name not in seen)
        for name, parameter in parameters.items()
    )


NOTHING_REACHED = Proposal(problems=("no feedback reached a parameter that may change",))
"""What is proposed where there is nothing to learn from."""


def summary(texts: Mapping[str, Sequence[str]] | Sequence[str], limit: int = 400) -> str:
    """Return what was said, each text once, on one line."""
    said = [t for each in texts.values() for t in each] if isinstance(texts, Mapping) else texts
    return clip(" ".join(" | ".join(dict.fromkeys(said)).split()), limit)
