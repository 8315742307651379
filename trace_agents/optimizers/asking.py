"""Asking a model for values: one form, one parser, one repair call, and what all of it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import anyio.to_thread

from trace_agents.errors import ModelError, ModelUnavailable, TraceAgentsError
from trace_agents.graph import Code, Parameters
from trace_agents.llm import Message, Model, Reply, Schema
from trace_agents.optimizers.base import Proposal
from trace_agents.optimizers.forms import Form
from trace_agents.optimizers.reading import Parsed
from trace_agents.propagate import TraceGraph
from trace_agents.render import clip

_REPAIR = """\
These values could not be used; everything else in your answer stands:
{errors}
Answer again in the same form, for these variables only.
"""
_FORMLESS = """\
Your answer could not be used: {why}.
{form}"""

Billed: TypeAlias = Reply | ModelError
"""What a call ended with; both say what was billed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, read by the types of the parameters, and what it cost."""

    parsed: Parsed
    spent: tuple[Billed, ...]
    messages: tuple[Message, ...] = field(default=(), repr=False)
    """The conversation so far, the answer included."""

    def proposal(self) -> Proposal:
        """Return the answer as a proposal."""
        parsed, (tokens, usd, calls) = self.parsed, cost_of(self.spent)
        return Proposal(parsed.changes, parsed.reasoning, self.problems, tokens, usd, calls=calls)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was dropped and why, one sentence each."""
        invalid = self.parsed.invalid.items()
        return (*self.parsed.problems, *(f"{name!r} was dropped: {why}" for name, why in invalid))


def cost_of(calls: Sequence[Billed]) -> tuple[int, float, int]:
    """Return the tokens and the US dollars that calls were billed, and how many requests."""
    tokens, usd = sum(call.tokens for call in calls), sum(call.usd for call in calls)
    return tokens, usd, sum(call.calls for call in calls)


async def ask(
    llm: Model,
    messages: Sequence[Message],
    free: Parameters,
    current: Mapping[str, object],
    form: Form,
) -> Answer:
    """Return the model's changes of the `free` parameters; what did not fit is asked for again.

    Raises:
        ModelError: the model could not answer the first time.
    """
    reply = await _completed(llm, messages, free, form)
    parsed = await _parsed(form, reply.text, free, current)
    said: Message = {"role": "assistant", "content": reply.text}
    first = Answer(parsed, (reply,), (*messages, said))
    if not parsed.invalid and not parsed.formless:
        return first
    return await _repaired(llm, first, free, current, form)


async def _completed(
    llm: Model, messages: Sequence[Message], free: Parameters, form: Form
) -> Reply:
    return await answered(llm, messages, None if form.schema is None else form.schema(free))


async def answered(llm: Model, messages: Sequence[Message], schema: Schema | None = None) -> Reply:
    """Return the model's reply; what a model of one's own does wrong is a `ModelError` too.

    Raises:
        ModelError: the model could not answer, raised something else, or returned no reply;
            `ModelUnavailable` where it raised an `OSError`.
    """
    try:
        asked = llm.complete(messages) if schema is None else llm.complete(messages, schema=schema)
        reply = await asked
    except TraceAgentsError:
        raise
    except Exception as error:
        # a lost connection may be back the next time
        kind = ModelUnavailable if isinstance(error, OSError) else ModelError
        raise kind(
            f"the model {llm.name!r} raised {type(error).__name__}: {error}; where it cannot "
            "answer, its complete() is to raise ModelError"
        ) from error
    if not isinstance(reply, Reply):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(
            f"the model {llm.name!r} returned {type(reply).__name__}; its complete() is to return "
            "a trace_agents.llm.Reply"
        )
    return reply


async def _repaired(
    llm: Model, first: Answer, free: Parameters, current: Mapping[str, object], form: Form
) -> Answer:
    """Ask once more for the values that did not fit; what still does not is dropped."""
    before = first.parsed
    asked = free if before.formless else _only(free, before.invalid)
    messages = [*first.messages, _again(before, form)]
    try:
        reply = await _completed(llm, messages, asked, form)
    except ModelError as error:
        problems = (*before.problems, f"no repair: {error}")
        return replace(
            first, parsed=replace(before, problems=problems), spent=(*first.spent, error)
        )
    parsed = _settled(before, await _parsed(form, reply.text, asked, current))
    said: Message = {"role": "assistant", "content": reply.text}
    return Answer(parsed, (*first.spent, reply), (*messages, said))


async def _parsed(form: Form, text: str, free: Parameters, current: Mapping[str, object]) -> Parsed:
    if any(isinstance(p.type, Code) and p.type.examples.each for p in free.values()):
        # new code runs on its examples: that may take as long as the sandbox lets it
        return await anyio.to_thread.run_sync(form.parse, text, free, current)
    return form.parse(text, free, current)


def _settled(before: Parsed, second: Parsed) -> Parsed:
    if before.formless:
        return before if second.formless else second
    left = {name: why for name, why in before.invalid.items() if name not in second.changes}
    return Parsed(
        {**before.changes, **second.changes},
        before.reasoning or second.reasoning,
        {**left, **second.invalid},
        before.problems,
    )


def _again(before: Parsed, form: Form) -> Message:
    errors = "\n".join(f"- {name}: {why}" for name, why in before.invalid.items())
    told = _REPAIR.format(errors=errors)
    if before.formless:
        told = _FORMLESS.format(why=before.formless, form=form.words)
    return {"role": "user", "content": told}


def _only(free: Parameters, names: Mapping[str, str]) -> Parameters:
    return Parameters(replace(p, frozen=p.frozen or p.name not in names) for p in free.values())


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
