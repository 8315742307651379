"""Several answers to one prompt at the same time: what came, what failed, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import anyio

from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Parameters
from trace_agents.llm import Message, Model, varied
from trace_agents.optimizers.asking import Answer, ask, cost_of
from trace_agents.optimizers.forms import Form

_REFINE = """\
Read your answer again beside #Feedback: what of it would still go wrong? Write the values better
in the same form, or the same once more if nothing would.
"""


@dataclass(frozen=True, slots=True)
class Spread:
    """How several candidates that are asked for at once are made to differ.

    One candidate is asked for at each pair of a model and a temperature, `count` times.
    """

    count: int = 1
    temperatures: tuple[float, ...] = ()
    """Without any, each model's own."""
    experts: tuple[Model | str, ...] = ()
    """Models that write beside the optimizer's own."""
    refine: int = 0
    """How often a model reads its answer again; each time it changes it, that is one more."""

    def __post_init__(self) -> None:
        if self.count < 1 or self.refine < 0:
            raise InvalidValue(
                f"count must be at least 1, refine at least 0; got {self.count} and {self.refine}"
            )


@dataclass(frozen=True, slots=True)
class Round:
    """The answers to one prompt, in the order of the samples, and the calls that failed."""

    answers: tuple[Answer, ...]
    failures: tuple[ModelError, ...] = ()

    @property
    def cost(self) -> tuple[int, float, int]:
        """Tokens and US dollars of all calls, and how many there were."""
        spent = [call for answer in self.answers for call in answer.spent]
        return cost_of([*spent, *self.failures])

    @property
    def problems(self) -> tuple[str, ...]:
        """What was dropped and what is missing, each once."""
        dropped = dict.fromkeys(problem for answer in self.answers for problem in answer.problems)
        lost = dict.fromkeys(f"a sample is missing: {failure}" for failure in self.failures)
        return (*dropped, *lost)


async def sample(
    writers: Sequence[Model],
    messages: Sequence[Message],
    free: Parameters,
    current: Mapping[str, object],
    form: Form,
    refine: int = 0,
) -> Round:
    """Return one answer of each writer, and what each made of its answer when it read it again.

    Raises:
        ModelError: not one writer answered; the error says what the calls were billed.
    """
    answers: dict[int, list[Answer]] = {}
    failures: list[ModelError] = []

    async def one(number: int) -> None:
        prompt = numbered(messages, number, len(writers))
        own = answers.setdefault(number, [])
        try:
            own.append(await ask(writers[number], prompt, free, current, form))
            for _ in range(refine):
                again: Message = {"role": "user", "content": _REFINE}
                prompt = [*own[-1].messages, again]
                own.append(await ask(writers[number], prompt, free, current, form))
        except ModelError as error:
            failures.append(error)

    async with anyio.create_task_group() as group:
        for number in range(len(writers)):
            group.start_soon(partial(one, number))
    found = tuple(answer for number in sorted(answers) for answer in answers[number])
    if not found:
        raise failures[0].costing(*cost_of(failures))
    return Round(found, tuple(failures))


def writers_of(llm: Model, spread: Spread, experts: Sequence[Model]) -> list[Model]:
    """Return a model for each candidate; a cache tells those apart that are the same."""
    temperatures: Sequence[float | None] = spread.temperatures or (None,)
    kinds = [(model, heat) for model in (llm, *experts) for heat in temperatures]
    if len(kinds) * spread.count == 1:
        model, heat = kinds[0]
        return [model if heat is None else varied(model, temperature=heat)]
    return [
        varied(model, temperature=heat, sample=number)
        for number in range(spread.count)
        for model, heat in kinds
    ]


def numbered(messages: Sequence[Message], number: int, count: int) -> list[Message]:
    """Return the prompt, so marked that a model without chance answers anew."""
    if count == 1:
        return list(messages)
    *others, last = messages
    told = (
        f"{last['content']}\n\nThis is sample {number + 1} of {count}; make it unlike the others."
    )
    return [*others, {"role": last["role"], "content": told}]
