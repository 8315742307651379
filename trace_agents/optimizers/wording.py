"""OptoPrime's prompt in two wordings: the full one, and a short one for small models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from trace_agents.errors import InvalidValue
from trace_agents.graph import Parameters, dump
from trace_agents.llm import Message
from trace_agents.optimizers.forms import Form, FormName, form_of
from trace_agents.optimizers.jsonreplies import CHANGES, json_schema, parse_json_reply
from trace_agents.optimizers.replies import parse_reply
from trace_agents.propagate import TraceGraph
from trace_agents.render import Sections, clip, to_prompt

Style: TypeAlias = Literal["standard", "small"]

OBJECTIVE = "Change the variables in #Variables so that the outputs improve as #Feedback asks."

_STANDARD = """\
You improve a program that runs agents. You are shown one or more recorded runs, as text:

- #Instruction: your task.
- #Code: what ran, one line per operation, inputs first.
- #Documentation: what the operations do.
- #Variables: the values that you may change, each with the constraint that it must meet.
- #Inputs, #Others, #Outputs: values that came from outside, that arose on the way, that came out.
- #Feedback: what was said of the outputs. Higher scores are better.
- #Memory: what was tried before, and what became of it. Do not repeat what was rejected.

Find out which variable caused what the feedback names, and change only that. Write a value in
full, never a part of it, unless its constraint asks for edits. Values that should stay as they
are, leave out.

"""
_SMALL = "You improve programs. You write better values for their settings; you do not run them."
_ANY = "any text"
_SMALL_BUDGET = 3_000
"""Characters: small models lose the thread of long prompts."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an optimizer has to tell a model."""

    feedback: TraceGraph
    free: Parameters
    current: Mapping[str, object]
    objective: str
    memory: str
    budget: int


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to say it, with the form of the answer."""

    style: Style
    form: FormName

    def __post_init__(self) -> None:
        form_of(self.form)
        if self.style not in ("standard", "small"):
            raise InvalidValue(f"no style is named {self.style!r}; use standard or small")

    def form_for(self, free: Parameters) -> Form:
        """Return the form of an answer that may change these parameters."""
        if self.style == "standard":
            return form_of(self.form)
        names = list(free.trainable)
        if self.form == "json":
            return Form(_small_json(names), parse_json_reply, json_schema)
        return Form(_small_tagged(names), parse_reply)

    def prompt(self, told: Told) -> list[Message]:
        """Return the messages."""
        form = self.form_for(told.free)
        if self.style == "standard":
            return _messages(_STANDARD + form.words, _standard(told))
        return _messages(_SMALL, f"{_small(told)}\n\n{form.words}")


def _messages(system: str, user: str) -> list[Message]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def _standard(told: Told) -> str:
    sections = _sections(told, told.budget)
    parts = [f"#Instruction\n{told.objective}", str(sections)]
    if told.memory:
        parts.append(f"#Memory\n{told.memory}")
    return "\n\n".join(parts)


def _small(told: Told) -> str:
    """Return the prompt without the form; what is to change comes first, and what to do last."""
    shown = _sections(told, min(told.budget, _SMALL_BUDGET))
    parts = [
        "\n\n".join(_variable(name, told) for name in told.free.trainable),
        _titled("The program used it like this:", shown.code),
        _titled("Its input was:", shown.inputs),
        _titled("Its output was:", shown.outputs),
        _titled("That was not good enough. A reviewer said:", shown.feedback),
        _titled("Tried before:", clip(told.memory, _SMALL_BUDGET // 3)),
        "" if told.objective == OBJECTIVE else told.objective,
    ]
    return "\n\n".join(filter(None, parts))


def _titled(title: str, text: str) -> str:
    return f"{title}\n{text}" if text else ""


def _sections(told: Told, budget: int) -> Sections:
    return to_prompt(told.feedback, parameters=told.free, values=told.current, budget=budget)


def _variable(name: str, told: Told) -> str:
    parameter = told.free[name]
    about = f" ({parameter.description})" if parameter.description else ""
    value, rule = dump(told.current[name]), parameter.type.describe().rstrip(".")
    # a small model copies the words "any text" into its answer
    limits = "" if rule == _ANY else f"\nIt must be {rule.removeprefix(f'{_ANY}; ')}."
    return f"This is {name}{about}:\n<value>\n{value}\n</value>{limits}"


def _small_tagged(names: list[str]) -> str:
    if len(names) == 1:
        return (
            f"Write a new {names[0]} that does what the reviewer wants and keeps the rest. "
            "Write all of it, between these tags, and nothing else:\n"
            "<value>\n...\n</value>"
        )
    return (
        "Write new values that do what the reviewer wants and keep the rest. For each one that "
        "changes write all of it, in this form:\n"
        f"<variable>\n<name>{names[0]}</name>\n<value>\n...\n</value>\n</variable>"
    )


def _small_json(names: list[str]) -> str:
    return (
        "Write new values that do what the reviewer wants and keep the rest. Answer with JSON of "
        "this form and nothing else:\n"
        f'{{"reasoning": "why", "{CHANGES}": {{"{names[0]}": "..."}}}}'
    )
