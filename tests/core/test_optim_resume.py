"""Runs that were interrupted between decisions: the optimizers go on as if nothing had been."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.core.training_toys import Dial, closeness
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.llm import Message, Model
from trace_agents.optimizers import GEPA, OPRO, Optimizer, OptoPrime, TextGrad
from trace_agents.testing import FunctionModel
from trace_agents.training import Budget, Gate, TrainResult, resume, train

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
MAKES: dict[str, Callable[[Model], Optimizer]] = {
    "OptoPrime": lambda model: OptoPrime(SPACE, llm=model),
    "OptoPrime, candidates": lambda model: OptoPrime(SPACE, llm=model, candidates=3),
    "OPRO": lambda model: OPRO(SPACE, llm=model, samples=3),
    "GEPA": lambda model: GEPA(SPACE, llm=model),
    "TextGrad": lambda model: TextGrad(SPACE, llm=model),
}


def echoing(prompts: list[str]) -> FunctionModel:
    """Return a model whose answer follows from every sign of its prompt."""

    def answer(messages: Sequence[Message]) -> str:
        prompts.append(json.dumps(list(messages)))
        number = int(hashlib.sha256(prompts[-1].encode()).hexdigest()[:6], 16) % 101
        if "#Criticise" in messages[-1]["content"]:
            return f"make it {number}"
        return f"<variable><name>dial</name><value>{number}</value></variable>"

    return FunctionModel(answer)


async def learn(optimizer: Optimizer, proposals: int, folder: Path | None = None) -> TrainResult:
    return await train(
        Dial(space=SPACE),
        range(6),
        guide=closeness,
        optimizer=optimizer,
        gate_tasks=range(100, 103),
        gate=Gate(z=0),
        proposals=proposals,
        batch_size=2,
        deterministic=True,
        budget=Budget(episodes=500),
        run_dir=folder,
    )


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
async def test_a_resumed_run_asks_and_decides_as_an_unbroken_one(
    make: Callable[[Model], Optimizer], tmp_path: Path
) -> None:
    """Every prompt after the interruption is the same to the sign, and so is every version."""
    asked: list[str] = []
    unbroken = await learn(make(echoing(asked)), 7)
    again: list[str] = []
    await learn(make(echoing(again)), 3, tmp_path)
    resumed = await resume(
        tmp_path,
        Dial(space=SPACE),
        guide=closeness,
        optimizer=make(echoing(again)),
        proposals=7,
    )
    assert again == asked
    assert [v.values for v in resumed.versions] == [v.values for v in unbroken.versions]
    assert len(unbroken.versions) > 1


async def test_the_gate_ranks_the_candidates() -> None:
    """Of several candidates the one that scores best goes live, wherever it stands."""

    def answer(messages: Sequence[Message]) -> str:
        number = int(messages[-1]["content"].rpartition("sample ")[2][0])
        value = (10, 90, 42)[number - 1]
        return f"<variable><name>dial</name><value>{value}</value></variable>"

    result = await learn(OptoPrime(SPACE, llm=FunctionModel(answer), candidates=3), 1)
    assert [version.values["dial"] for version in result.versions] == [0, 42]
