"""OptoPrime: one model call reads the subgraph of all feedback and proposes new values.

After Trace's optimizer of that name (arXiv 2406.16218), with tagged answers, typed values and one
repair call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from trace_agents.graph import Parameters, Values, dump
from trace_agents.llm import Message, Model, as_model
from trace_agents.optimizers.asking import FORM, NOTHING_REACHED, ask, summary, touched
from trace_agents.optimizers.base import GraphOptimizer, Proposal
from trace_agents.propagate import TraceGraph
from trace_agents.render import clip, to_prompt
from trace_agents.tracing.parameters import ParameterNode

OBJECTIVE = "Change the variables in #Variables so that the outputs improve as #Feedback asks."

_SYSTEM = f"""\
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

Answer in exactly this form; repeat the variable block for every variable that changes:

{FORM}"""


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
        free = touched(self.parameters, feedback)
        if not free.trainable:
            return NOTHING_REACHED
        current = self.current(values)
        answer = await ask(self.llm, self._prompt(feedback, free, current), free, current)
        proposal = answer.proposal()
        if proposal.changes:
            self._memory.append(_Attempt(proposal, summary(feedback.feedback)))
        return proposal

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Learn what became of a proposal; later prompts say so."""
        outcome = "accepted" if accepted else "rejected"
        if score is not None:
            outcome += f", mean score {score:.4g}"
        for index, attempt in enumerate(self._memory):
            if attempt.proposal is proposal:
                self._memory[index] = replace(attempt, outcome=outcome)

    def _prompt(
        self, feedback: TraceGraph, free: Parameters, current: Mapping[str, object]
    ) -> list[Message]:
        sections = to_prompt(feedback, parameters=free, values=current, budget=self.budget)
        parts = [f"#Instruction\n{self.objective}", str(sections)]
        if self._memory:
            parts.append("#Memory\n" + "\n\n".join(str(attempt) for attempt in self._memory))
        return [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": "\n\n".join(parts)},
        ]
