"""OptoPrime: one model call reads the subgraph of all feedback and proposes new values.

After Trace's optimizer of that name (arXiv 2406.16218), with tagged answers, typed values and one
repair call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from trace_agents.errors import ModelError
from trace_agents.graph import Parameters, Values, dump
from trace_agents.llm import Message, Model, Reply, as_model
from trace_agents.optimizers.base import GraphOptimizer, Proposal
from trace_agents.optimizers.replies import Parsed, parse_reply
from trace_agents.propagate import TraceGraph
from trace_agents.render import clip, to_prompt
from trace_agents.tracing.parameters import ParameterNode

OBJECTIVE = "Change the variables in #Variables so that the outputs improve as #Feedback asks."

_SYSTEM = """\
You improve a program that runs agents. You are shown one or more recorded runs, as text:

- #Instruction: your task.
- #Code: what ran, one line per operation, inputs first.
- #Documentation: what the operations do.
- #Variables: the values that you may change, each with the constraint that it must meet.
- #Inputs, #Others, #Outputs: values that came from outside, that arose on the way, that came out.
- #Feedback: what was said of the outputs. Higher scores are better.
- #Memory: what was tried before, and what became of it. Do not repeat what was rejected.

Find out which variable caused what the feedback names, and change only that. Write a value in
full, never a part of it. Values that should stay as they are, leave out.

Answer in exactly this form; repeat the variable block for every variable that changes:

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

_REPAIR = """\
These values could not be used; everything else in your answer stands:
{errors}
Answer again in the same form, with blocks for these variables only.
"""


@dataclass(frozen=True, slots=True)
class _Attempt:
    proposal: Proposal
    said: str
    outcome: str = "not judged"

    def __str__(self) -> str:
        lines = [f"{name} = {clip(dump(v), 800)}" for name, v in self.proposal.changes.items()]
        return "\n".join([f"[{self.outcome}] after the feedback: {self.said}", *lines])


class OptoPrime(GraphOptimizer):
    """An optimizer that asks a language model, and takes only what the types allow.

    Args:
        parameters: a workflow's parameters, or parameter nodes, which `step` can change.
        llm: a model, or a name that litellm knows.
        objective: what the model is asked to do.
        memory_size: how many earlier proposals the model is shown.
        budget: characters of the prompt's recorded part.
    """

    def __init__(
        self,
        parameters: Parameters | Iterable[ParameterNode],
        *,
        llm: Model | str,
        objective: str = OBJECTIVE,
        memory_size: int = 5,
        budget: int = 20_000,
    ) -> None:
        super().__init__(parameters, llm=as_model(llm))
        self.objective = objective
        self.budget = budget
        self._memory: deque[_Attempt] = deque(maxlen=memory_size)

    async def propose(self, values: Values | None = None) -> Proposal:
        """Return changes to `values` (the parameters' own without it); change nothing.

        Raises:
            ModelError: the model could not answer.
        """
        feedback = self.feedback
        touched = self._touched(feedback)
        if not touched.trainable:
            return Proposal(problems=("no feedback reached a parameter that may change",))
        current = self.current(values)
        messages = self._prompt(feedback, touched, current)
        reply = await self.llm.complete(messages)
        parsed = parse_reply(reply.text, touched, current)
        spent = [reply]
        if parsed.invalid:
            parsed = await self._repaired(messages, spent, parsed, touched, current)
        proposal = _proposal(parsed, spent)
        if proposal.changes:
            self._memory.append(_Attempt(proposal, _summary(feedback)))
        return proposal

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Learn what became of a proposal; later prompts say so."""
        outcome = "accepted" if accepted else "rejected"
        if score is not None:
            outcome += f", mean score {score:.4g}"
        for index, attempt in enumerate(self._memory):
            if attempt.proposal is proposal:
                self._memory[index] = replace(attempt, outcome=outcome)

    def _touched(self, feedback: TraceGraph) -> Parameters:
        """Return the parameters, those frozen that no feedback reached."""
        seen = {node.name for node in feedback.parameters} if feedback.feedback else set[str]()
        return Parameters(
            replace(parameter, frozen=parameter.frozen or name not in seen)
            for name, parameter in self.parameters.items()
        )

    def _prompt(
        self, feedback: TraceGraph, touched: Parameters, current: Mapping[str, object]
    ) -> list[Message]:
        sections = to_prompt(feedback, parameters=touched, values=current, budget=self.budget)
        parts = [f"#Instruction\n{self.objective}", str(sections)]
        if self._memory:
            parts.append("#Memory\n" + "\n\n".join(str(attempt) for attempt in self._memory))
        return [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": "\n\n".join(parts)},
        ]

    async def _repaired(
        self,
        messages: list[Message],
        spent: list[Reply],
        first: Parsed,
        touched: Parameters,
        current: Mapping[str, object],
    ) -> Parsed:
        """Ask once more for the values that did not fit; what still does not is dropped."""
        errors = "\n".join(f"- {name}: {why}" for name, why in first.invalid.items())
        try:
            reply = await self.llm.complete(
                [
                    *messages,
                    {"role": "assistant", "content": spent[0].text},
                    {"role": "user", "content": _REPAIR.format(errors=errors)},
                ]
            )
        except ModelError as error:
            return replace(first, problems=(*first.problems, f"no repair: {error}"))
        spent.append(reply)
        asked = Parameters(
            replace(p, frozen=p.frozen or p.name not in first.invalid) for p in touched.values()
        )
        second = parse_reply(reply.text, asked, current)
        left = {n: why for n, why in first.invalid.items() if n not in second.changes}
        return Parsed(
            {**first.changes, **second.changes},
            first.reasoning or second.reasoning,
            {**left, **second.invalid},
            first.problems,
        )


def _proposal(parsed: Parsed, spent: list[Reply]) -> Proposal:
    dropped = (f"{name!r} was dropped: {why}" for name, why in parsed.invalid.items())
    return Proposal(
        parsed.changes,
        parsed.reasoning,
        (*parsed.problems, *dropped),
        sum(reply.tokens for reply in spent),
        sum(reply.usd for reply in spent),
    )


def _summary(feedback: TraceGraph) -> str:
    texts = dict.fromkeys(text for texts in feedback.feedback.values() for text in texts)
    return clip(" ".join(" | ".join(texts).split()), 400)
