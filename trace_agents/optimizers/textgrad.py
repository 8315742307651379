"""TextGrad: a critique for every step on the way back, then one update for every parameter.

After "TextGrad: Automatic 'Differentiation' via Text" (arXiv 2406.07496).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

import anyio

from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Parameters, Values, dump
from trace_agents.llm import Message, Model, as_model
from trace_agents.optimizers.asking import FORM, NOTHING_REACHED, Answer, ask, touched
from trace_agents.optimizers.base import GraphOptimizer, Proposal
from trace_agents.optimizers.gradients import Gradients, gradients
from trace_agents.render import clip
from trace_agents.tracing.parameters import ParameterNode

_SYSTEM = f"""\
You improve one variable of a program. You are shown its value, the constraint that it must meet,
and critiques of it: each says how one use of the variable fell short. Follow what they have in
common; ignore what only one case needs. Write the new value in full, unless
its constraint asks for edits.

Answer in exactly this form, or with the reasoning alone if the value should stay:

{FORM}"""


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
    """

    def __init__(
        self,
        parameters: Parameters | Iterable[ParameterNode],
        *,
        llm: Model | str,
        critic: Model | str | None = None,
        concurrency: int = 8,
        budget: int = 12_000,
    ) -> None:
        super().__init__(parameters, llm=as_model(llm))
        if concurrency < 1:
            raise InvalidValue(f"concurrency must be at least 1, got {concurrency}")
        self.critic = None if critic is None else as_model(critic)
        self.concurrency = concurrency
        self.budget = budget

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
        names = {node.id: node.name for node in feedback.parameters}
        said: dict[str, tuple[str, ...]] = {}
        for node_id, texts in found.of.items():
            said[names[node_id]] = said.get(names[node_id], ()) + texts
        if not said:
            found = replace(found, problems=(*found.problems, "no critique reached a variable"))
        answers, failures = await self._updates(said, free, self.current(values))
        return _proposal(found, answers, failures)

    async def _updates(
        self,
        said: Mapping[str, tuple[str, ...]],
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
                    messages = self._prompt(name, said[name], alone, current)
                    answers[name] = await ask(self.llm, messages, alone, current)
            except ModelError as error:
                failures.append(error)

        async with anyio.create_task_group() as group:
            for name in said:
                group.start_soon(partial(one, name))
        if failures and not answers:
            raise failures[0]
        return {name: answers[name] for name in said if name in answers}, failures

    def _prompt(
        self, name: str, texts: tuple[str, ...], free: Parameters, current: Mapping[str, object]
    ) -> list[Message]:
        parameter = free[name]
        share = max(200, self.budget // len(texts))
        shown = "\n".join(f"- {clip(text, share)}" for text in texts)
        about = f"\n{parameter.description}" if parameter.description else ""
        parts = [
            f"#Variable\n{name}{about}",
            f"#Value\n{dump(current[name])}",
            f"#Constraint\n{parameter.type.describe()}",
            f"#Critiques\n{clip(shown, self.budget)}",
        ]
        return [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": "\n\n".join(parts)},
        ]


def _proposal(
    found: Gradients, answers: Mapping[str, Answer], failures: Iterable[ModelError]
) -> Proposal:
    made = {name: answer.proposal() for name, answer in answers.items()}
    lost = dict.fromkeys(f"an update is missing: {error}" for error in failures)
    return Proposal(
        {name: value for each in made.values() for name, value in each.changes.items()},
        "\n".join(f"{name}: {each.reasoning}" for name, each in made.items() if each.reasoning),
        (*found.problems, *(p for each in made.values() for p in each.problems), *lost),
        sum(r.tokens for r in found.spent) + sum(each.tokens for each in made.values()),
        sum(r.usd for r in found.spent) + sum(each.usd for each in made.values()),
    )
