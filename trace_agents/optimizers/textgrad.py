"""TextGrad: a critique for every step on the way back, then one update for every parameter.

After "TextGrad: Automatic 'Differentiation' via Text" (arXiv 2406.07496).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import anyio

from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Parameters, Values, dump
from trace_agents.llm import Message, Model, as_model
from trace_agents.optimizers.asking import NOTHING_REACHED, Answer, ask, cost_of, summary, touched
from trace_agents.optimizers.base import GraphOptimizer, Proposal, Tried
from trace_agents.optimizers.forms import FormName, form_of
from trace_agents.optimizers.gradients import Gradients, gradients
from trace_agents.optimizers.memory import Memory
from trace_agents.propagate import TraceGraph
from trace_agents.render import clip
from trace_agents.tracing.parameters import ParameterNode

_SYSTEM = """\
You improve one variable of a program. You are shown its value, the constraint that it must meet,
and critiques of it: each says how one use of the variable fell short. Follow what they have in
common; ignore what only one case needs. Write the new value in full, unless
its constraint asks for edits. If the value should stay, give the reasoning alone.

"""


class TextGrad(GraphOptimizer):
    """An optimizer that sends criticism back step by step, as gradients are.

    It makes one model call for every operation and input that leads from a parameter which may
    change (none for other inputs, and none where a value is only handed on), and one for every
    parameter. Use it where an episode has few steps.

    Args:
        parameters: a workflow's parameters, or parameter nodes, which `step` can change.
        llm: a model, or a name that litellm knows; for the updates, and for the gradients too
            unless `critic` is given.
        critic: the model that writes the gradients, which may be a smaller one.
        concurrency: the most calls at once.
        budget: characters of the critiques in the prompt of one update.
        memory_size: how many earlier updates of its variable an update is shown, with their
            critiques and what became of them: the momentum of the published method.
        form: `tagged`, or `json`, which holds the model to a schema where it can be held.
    """

    def __init__(
        self,
        parameters: Parameters | Iterable[ParameterNode],
        *,
        llm: Model | str,
        critic: Model | str | None = None,
        concurrency: int = 8,
        budget: int = 12_000,
        memory_size: int = 3,
        form: FormName = "tagged",
    ) -> None:
        super().__init__(parameters, llm=as_model(llm))
        if concurrency < 1 or memory_size < 0:
            raise InvalidValue(
                "concurrency must be at least 1, memory_size at least 0; "
                f"got {concurrency} and {memory_size}"
            )
        self.critic = None if critic is None else as_model(critic)
        self.concurrency = concurrency
        self.budget = budget
        self._form = form_of(form)
        self._memory = Memory(memory_size)

    def wrap_models(self, wrap: Callable[[Model], Model]) -> None:
        """Put `wrap(model)` in the place of both models."""
        super().wrap_models(wrap)
        self.critic = None if self.critic is None else wrap(self.critic)

    async def propose(self, values: Values | None = None) -> Proposal:
        """Return changes to `values` (the parameters' own without it); change nothing.

        Raises:
            ModelError: no gradient, or no update, was answered.
        """
        feedback = self.feedback
        free = touched(self.parameters, feedback)
        if not free.trainable:
            return NOTHING_REACHED
        critic = self.critic or self.llm
        found = await gradients(feedback, free.trainable, critic, self.concurrency)
        critiques = _by_name(found, feedback)
        if not critiques:
            found = replace(found, problems=(*found.problems, "no critique reached a variable"))
        answers, failures = await self._updates(critiques, free, self.current(values))
        if failures and not answers:
            raise failures[0].costing(*cost_of([*found.spent, *failures]))
        said = {name: summary(critiques[name]) for name in answers}
        proposal = _proposal(found, answers, failures, said)
        self._memory.add([proposal], said)
        return proposal

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Learn what became of a proposal; later updates say so."""
        self._memory.tell(proposal, accepted, score)

    def remember(self, tried: Sequence[Tried]) -> None:
        """Learn what another instance proposed in the same run."""
        self._memory.remember(tried)

    async def _updates(
        self,
        critiques: Mapping[str, tuple[str, ...]],
        free: Parameters,
        current: Mapping[str, object],
    ) -> tuple[dict[str, Answer], list[ModelError]]:
        answers: dict[str, Answer] = {}
        failures: list[ModelError] = []
        limiter = anyio.CapacityLimiter(self.concurrency)

        async def one(name: str) -> None:
            alone = Parameters(replace(p, frozen=p.name != name) for p in free.values())
            try:
                async with limiter:
                    messages = self._prompt(name, critiques[name], alone, current)
                    answers[name] = await ask(self.llm, messages, alone, current, self._form)
            except ModelError as error:
                failures.append(error)

        async with anyio.create_task_group() as group:
            for name in critiques:
                group.start_soon(partial(one, name))
        return {name: answers[name] for name in critiques if name in answers}, failures

    def _prompt(
        self, name: str, texts: tuple[str, ...], free: Parameters, current: Mapping[str, object]
    ) -> list[Message]:
        parameter = free[name]
        share = max(200, self.budget // len(texts))
        shown = "\n".join(f"- {clip(text, share)}" for text in texts)
        about = f"\n{parameter.description}" if parameter.description else ""
        memory = self._memory.text(self.budget // 4, name)
        parts = [
            f"#Variable\n{name}{about}",
            f"#Value\n{dump(current[name])}",
            f"#Constraint\n{parameter.type.describe()}",
            f"#Earlier updates, the last at the end\n{memory}" if memory else "",
            f"#Critiques\n{clip(shown, self.budget)}",
        ]
        return [
            {"role": "system", "content": _SYSTEM + self._form.words},
            {"role": "user", "content": "\n\n".join(filter(None, parts))},
        ]


def _by_name(found: Gradients, feedback: TraceGraph) -> dict[str, tuple[str, ...]]:
    """Return the critiques of each parameter, from all the nodes that stand for it."""
    names = {node.id: node.name for node in feedback.parameters}
    said: dict[str, tuple[str, ...]] = {}
    for node_id, texts in found.of.items():
        said[names[node_id]] = said.get(names[node_id], ()) + texts
    return said


def _proposal(
    found: Gradients,
    answers: Mapping[str, Answer],
    failures: Sequence[ModelError],
    said: Mapping[str, str],
) -> Proposal:
    made = {name: answer.proposal() for name, answer in answers.items()}
    lost = dict.fromkeys(f"an update is missing: {error}" for error in failures)
    spent = [call for answer in answers.values() for call in answer.spent]
    tokens, usd, calls = cost_of([*found.spent, *spent, *failures])
    return Proposal(
        {name: value for each in made.values() for name, value in each.changes.items()},
        "\n".join(f"{name}: {each.reasoning}" for name, each in made.items() if each.reasoning),
        (*found.problems, *(p for each in made.values() for p in each.problems), *lost),
        tokens,
        usd,
        memo={"said": dict(said)},
        calls=calls,
    )
