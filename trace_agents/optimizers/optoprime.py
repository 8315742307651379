"""OptoPrime: one model call reads the subgraph of all feedback and proposes new values.

After Trace's optimizer of that name (arXiv 2406.16218), with tagged answers, typed values and one
repair call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from trace_agents.errors import InvalidValue
from trace_agents.graph import Parameters, Values
from trace_agents.llm import Model, as_model
from trace_agents.optimizers.asking import NOTHING_REACHED, summary, touched
from trace_agents.optimizers.base import GraphOptimizer, Proposal, Tried
from trace_agents.optimizers.forms import FormName
from trace_agents.optimizers.memory import Memory
from trace_agents.optimizers.sampling import Round, Spread, sample, writers_of
from trace_agents.optimizers.wording import OBJECTIVE, Style, Told, Wording
from trace_agents.propagate import TraceGraph
from trace_agents.tracing.parameters import ParameterNode


class OptoPrime(GraphOptimizer):
    """An optimizer that asks a language model, and takes only what the types allow.

    Args:
        parameters: a workflow's parameters, or parameter nodes, which `step` can change.
        llm: a model, or a name that litellm knows.
        objective: what the model is asked to do.
        memory_size: how many earlier candidates the model is shown.
        budget: characters of the prompt's recorded part.
        style: `standard`, or `small`: short and simply worded, for small models.
        form: `tagged`, or `json`, which holds the model to a schema where it can be held.
        candidates: how many are asked for at once, or how they are spread. The first is the
            proposal, the others are its `alternatives`: a gate finds the best of them.
    """

    def __init__(
        self,
        parameters: Parameters | Iterable[ParameterNode],
        *,
        llm: Model | str,
        objective: str = OBJECTIVE,
        memory_size: int = 5,
        budget: int = 20_000,
        style: Style = "standard",
        form: FormName = "tagged",
        candidates: int | Spread = 1,
    ) -> None:
        super().__init__(parameters, llm=as_model(llm))
        if memory_size < 0 or budget < 1:
            raise InvalidValue(
                f"memory_size must be at least 0, budget at least 1; got {memory_size} and {budget}"
            )
        self.objective = objective
        self.budget = budget
        self.spread = Spread(candidates) if isinstance(candidates, int) else candidates
        self._experts: Sequence[Model] = [as_model(expert) for expert in self.spread.experts]
        self._wording = Wording(style, form)
        self._memory = Memory(memory_size)

    def wrap_models(self, wrap: Callable[[Model], Model]) -> None:
        """Put `wrap(model)` in the place of every model that is asked."""
        super().wrap_models(wrap)
        self._experts = [wrap(expert) for expert in self._experts]

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
        prompt = self._wording.prompt(self._told(feedback, free, current))
        writers = writers_of(self.llm, self.spread, self._experts)
        form = self._wording.form_for(free)
        made = await sample(writers, prompt, free, current, form, self.spread.refine)
        said = {"": summary(feedback.feedback)}
        proposal = _proposal(made, said)
        self._memory.add(proposal.candidates, said)
        return proposal

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Learn what became of a candidate; later prompts say so."""
        self._memory.tell(proposal, accepted, score)

    def remember(self, tried: Sequence[Tried]) -> None:
        """Learn what another instance proposed in the same run."""
        self._memory.remember(tried)

    def _told(self, feedback: TraceGraph, free: Parameters, current: Mapping[str, object]) -> Told:
        memory = self._memory.text(self.budget // 4)
        return Told(feedback, free, current, self.objective, memory, self.budget)


def _proposal(made: Round, said: Mapping[str, str]) -> Proposal:
    """Return the first answer that changes something, the other ones as its alternatives."""
    different: list[Proposal] = []
    for answer in made.answers:
        changes, reasoning = answer.parsed.changes, answer.parsed.reasoning
        if changes and all(changes != other.changes for other in different):
            different.append(Proposal(changes, reasoning))
    first = different[0] if different else Proposal(reasoning=made.answers[0].parsed.reasoning)
    tokens, usd, calls = made.cost
    return replace(
        first,
        problems=made.problems,
        tokens=tokens,
        usd=usd,
        calls=calls,
        alternatives=tuple(different[1:]),
        memo={"said": dict(said)},
    )
