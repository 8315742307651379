"""Runs that cannot learn say so, and a run never takes another trainer's version for its own."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

import trace_agents as ta
from tests.core.training_toys import Dial, Scripted, closeness
from trace_agents.errors import ModelError, ModelUnavailable, UnknownModel
from trace_agents.graph import Number, Parameter, Parameters, Values
from trace_agents.optimizers.base import Proposal
from trace_agents.store import ParameterStore
from trace_agents.testing import FunctionModel
from trace_agents.training import (
    Budget,
    ProposalRejected,
    RunEnded,
    Stop,
    TrainingEvent,
    TrainResult,
    VersionPublished,
    Warned,
    resume,
    start_training,
    train,
)

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
TRAIN = [f"train {i}" for i in range(10)]
GATE = [f"gate {i}" for i in range(8)]


async def dialled(
    optimizer: Scripted, *, proposals: int = 12, algorithm: str | None = None
) -> TrainResult:
    return await train(
        Dial(space=SPACE),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=optimizer,
        proposals=proposals,
        batch_size=2,
        algorithm=algorithm,
    )


@pytest.mark.parametrize("algorithm", [None, "beam"])
async def test_a_model_that_is_refused_three_times_in_a_row_ends_the_run(
    algorithm: str | None,
) -> None:
    """Also in a search, and though the sentences differ in a number; the result says why."""
    errors = [UnknownModel(f"no model 'x' (request {number})") for number in range(12)]
    result = await dialled(Scripted(*errors), algorithm=algorithm)
    assert (result.stopped, len(result.curve)) == ("optimizer", 1 + 3)
    assert any("run ended" in w and "request 2" in w for w in result.warnings)
    assert any("3 of 3 questions" in w and "no model 'x'" in w for w in result.warnings)


@pytest.mark.parametrize(
    "errors",
    [
        [ModelUnavailable("busy")] * 5,
        [ModelError("refused"), ModelError("refused"), ModelError("too long")] * 2,
        [ModelError("refused"), ModelError("refused"), {"dial": 40}, ModelError("refused")],
    ],
)
async def test_errors_that_may_pass_end_no_run(errors: list[object]) -> None:
    """Those of a busy model, those that change, and those with an answer between them."""
    result = await dialled(Scripted(*errors), proposals=len(errors))
    assert (result.stopped, len(result.curve)) == ("complete", 1 + len(errors))


async def test_a_few_questions_without_an_answer_earn_no_warning() -> None:
    """Only a run that got none half of the time says so."""
    result = await dialled(Scripted(ModelUnavailable("busy")), proposals=3)
    assert not any("had no answer" in warning for warning in result.warnings)


async def test_a_run_whose_feedback_reaches_no_parameter_says_so() -> None:
    """It is told before the run's last event: the output was made of plain text."""
    tone = ta.node("a", "tone", trainable=True, constraint=ta.Choice(("a", "b")))
    heard: list[TrainingEvent] = []

    async def answer(task: ta.Node) -> str:
        await anyio.lowlevel.checkpoint()
        return f"{tone.data} answer to {task.data}"

    result = await train(
        ta.wrap(answer, parameters=[tone]),
        TRAIN,
        guide=lambda _, output: float("b" in str(output)),
        optimizer_model=FunctionModel(lambda _: ""),
        proposals=2,
        on_event=heard.append,
    )
    assert any("2 of 2 proposals" in w and "no feedback" in w for w in result.warnings)
    assert isinstance(heard[-1], RunEnded)


async def test_a_run_whose_episodes_fail_names_their_most_common_error() -> None:
    """Nothing is said of parameters that were not read: that is not what is wrong."""

    def fail(task: object) -> bool:
        return str(task) != TRAIN[0]

    result = await train(
        Dial(fail=fail, space=SPACE),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Scripted(),
        proposals=2,
    )
    (found,) = [w for w in result.warnings if "ended without a score" in w]
    assert "most often: the workflow raised ValueError: task" in found
    assert f"of {result.episodes} episodes" in found
    empty = ta.node("a", "tone", trainable=True, constraint=ta.Choice(("a", "b")))

    def broken() -> object:
        return empty.data

    lost = await train(
        ta.wrap(broken, parameters=[empty]), TRAIN, guide=lambda _a, _b: 1.0, proposals=2
    )
    assert lost.failed == lost.episodes
    assert not any("has read" in warning for warning in lost.warnings)


class Beside(Scripted):
    """A trainer beside this one: it publishes a version while this one thinks."""

    def __init__(self, url: str, at: int) -> None:
        super().__init__()
        self.url, self.at = url, at

    async def propose(self, values: Values | None = None) -> Proposal:
        self.count += 1
        if self.count == self.at:
            with ParameterStore(self.url, SPACE) as store:
                store.swap({"dial": 42}, expected=store.head.id, evidence=None)
        return await super().propose(values)


async def test_the_curve_follows_a_version_that_another_trainer_published(
    tmp_path: Path,
) -> None:
    """It is measured, so that the target is met; no event gives it an older version's score."""
    heard: list[TrainingEvent] = []
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    result = await train(
        Dial(space=SPACE),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Beside(url, at=2),
        batch_size=2,
        proposals=6,
        store=url,
        stop=Stop(target_score=-1),
        on_event=heard.append,
    )
    assert (result.best.id, result.stopped) == (1, "target")
    found = [(point.decision, point.version, point.mean) for point in result.curve]
    assert found == [(-1, 0, -42), (0, 0, -42), (1, 1, 0)]
    known = {(event.status.version, event.status.gate_mean) for event in heard}
    assert known <= {(0, None), (0, -42), (1, None), (1, 0)}
    assert any(isinstance(event, ProposalRejected) for event in heard)


async def test_a_resumed_run_measures_the_version_of_another_trainer(tmp_path: Path) -> None:
    """What it never measured gets no score of its own, but for the next decision."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    await train(
        Dial(space=SPACE),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Scripted(),
        batch_size=2,
        proposals=1,
        store=url,
    )
    with ParameterStore(url, SPACE) as store:
        store.swap({"dial": 41}, expected=store.head.id, evidence=None)
    result = await resume(
        None,
        Dial(space=SPACE),
        guide=closeness,
        optimizer=Scripted(),
        proposals=2,
        store=url,
    )
    found = [(point.version, point.mean) for point in result.curve]
    assert found == [(0, -42), (0, -42), (1, -1)]


def free(budget: Budget, events: list[TrainingEvent]) -> TrainResult:
    tone = ta.node("a", "tone", trainable=True, constraint=ta.Choice(("a", "b")))

    def answer(task: ta.Node) -> object:
        return tone + " " + task

    workflow = ta.wrap(answer, parameters=[tone])

    async def learn() -> TrainResult:
        async with start_training(
            workflow, TRAIN, guide=lambda _a, _b: 1.0, budget=budget, on_event=events.append
        ) as run:
            pass
        return run.result

    return anyio.run(learn)


def decisions(events: list[TrainingEvent]) -> int:
    return sum(isinstance(event, (ProposalRejected, VersionPublished)) for event in events)


def test_a_budget_that_nothing_uses_ends_the_run_after_a_while() -> None:
    """It warns after the first batch, and stops after twenty decisions that cost nothing."""
    events: list[TrainingEvent] = []
    result = free(Budget(usd=2, tokens=500), events)
    assert (result.stopped, decisions(events)) == ("free", 20)
    warned = [e for e in events if isinstance(e, Warned)]
    assert "no tokens or dollars" in warned[0].message
    assert warned[0].status.decisions == 1
    assert any("run ended" in warning for warning in result.warnings)


def test_a_run_that_episodes_limit_goes_on() -> None:
    """They end it for certain: free batches are welcome."""
    events: list[TrainingEvent] = []
    assert free(Budget(usd=2, episodes=400), events).stopped == "budget"
    assert decisions(events) > 20
    assert not any("limits the run" in e.message for e in events if isinstance(e, Warned))


async def test_batches_that_cost_something_are_not_free() -> None:
    """A run that only tokens limit uses them up, over more than twenty decisions."""
    result = await train(
        Dial(space=SPACE),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Scripted(),
        batch_size=2,
        budget=Budget(tokens=400),
    )
    assert (result.stopped, len(result.curve) > 21) == ("budget", True)
