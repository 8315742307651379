"""What `train` does where the caller leaves something out, and how it says what is wrong."""

from __future__ import annotations

import pytest

import trace_agents as ta
from tests.core.training_toys import Dial, Scripted, closeness
from trace_agents.errors import InvalidValue, StoreError
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.testing import FunctionModel, ScriptedModel
from trace_agents.training import Budget, RunStarted, TrainingEvent, VersionPublished, train

TASKS = [f"task {i}" for i in range(12)]
DIAL = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
HELLO = "<variable><name>dial</name><value>40</value></variable>"


async def test_a_quarter_of_the_tasks_is_held_out_by_the_seed() -> None:
    """Both parts are in the result, and the first event says so."""
    events: list[TrainingEvent] = []
    parts: list[tuple[object, ...]] = []
    for seed in (1, 1, 2):
        result = await train(
            Dial(space=DIAL),
            TASKS,
            guide=closeness,
            optimizer=Scripted(),
            proposals=1,
            seed=seed,
            on_event=events.append,
        )
        assert sorted(map(str, result.train_tasks + result.gate_tasks)) == sorted(TASKS)
        parts.append(result.gate_tasks)
    assert (parts[0] == parts[1], parts[0] != parts[2], len(parts[0])) == (True, True, 3)
    first = events[0]
    assert isinstance(first, RunStarted)
    assert (first.train_tasks, first.gate_tasks, first.held_out) == (9, 3, True)


async def test_equal_tasks_stay_on_one_side() -> None:
    """A gate never judges on a task that was learned from, however often it is listed."""
    result = await train(
        Dial(space=DIAL), TASKS[:5] * 3, guide=closeness, optimizer=Scripted(), proposals=1
    )
    assert not set(result.train_tasks) & set(result.gate_tasks)
    assert len(result.train_tasks + result.gate_tasks) == 15


async def test_too_few_tasks_to_hold_some_out_are_refused() -> None:
    """The sentence says what to do."""
    with pytest.raises(InvalidValue, match="at least 4 tasks, or gate_tasks="):
        await train(Dial(), TASKS[:3] * 9, guide=closeness, optimizer=Scripted(), proposals=1)


async def test_a_model_is_enough_for_optoprime() -> None:
    """No optimizer has to be built; the model's value passes the gate."""
    result = await train(
        Dial(space=DIAL),
        TASKS,
        guide=closeness,
        optimizer_model=FunctionModel(lambda _: HELLO),
        proposals=1,
        budget=Budget(episodes=100),
    )
    assert result.best.values == {"dial": 40}


async def test_without_a_model_declared_ranges_are_searched() -> None:
    """The LLM-free search finds the better end, and free text is said to stay as it is."""
    with pytest.warns(UserWarning, match="'spare'"):
        result = await train(
            Dial(), TASKS, guide=closeness, budget=Budget(episodes=300), seed=3, proposals=8
        )
    assert result.curve[-1].mean > result.curve[0].mean
    assert any("'spare'" in warning for warning in result.warnings)


async def test_without_a_model_free_text_cannot_be_trained() -> None:
    """The sentence names both ways out; two optimizers at once are refused as well."""
    space = Parameters([Parameter("prompt", "Be kind.")])
    with pytest.raises(InvalidValue, match=r"'prompt'.*optimizer_model=.*Choice"):
        await train(Dial(space=space), TASKS, guide=closeness, proposals=1)
    with pytest.raises(InvalidValue, match="no parameter that may change"):
        await train(Dial(space=space.freeze("*")), TASKS, guide=closeness, proposals=1)
    with pytest.raises(InvalidValue, match="both"):
        await train(
            Dial(),
            TASKS,
            guide=closeness,
            optimizer=Scripted(),
            optimizer_model=ScriptedModel([]),
            proposals=1,
        )


async def test_a_users_mistake_arrives_alone() -> None:
    """A store that fails is one StoreError; a bug in a callback keeps its group."""

    def raise_mistake(_event: TrainingEvent) -> None:
        raise StoreError("the disk is full")

    def raise_bug(event: TrainingEvent) -> None:
        if not isinstance(event, RunStarted):
            raise KeyError("bug")

    for hook, expected in ((raise_mistake, StoreError), (raise_bug, ExceptionGroup)):
        with pytest.raises(expected):
            await train(
                Dial(space=DIAL),
                TASKS,
                guide=closeness,
                optimizer=Scripted(),
                proposals=1,
                on_event=hook,
            )


async def test_an_unread_parameter_earns_one_python_warning() -> None:
    """It names the parameter and says what to do; one that was read earns none."""
    with pytest.warns(UserWarning, match="'spare'.*freeze it") as caught:
        await train(Dial(), TASKS, guide=closeness, optimizer=Scripted(), proposals=2)
    assert (len(caught), caught[0].filename) == (1, __file__)
    await train(Dial(space=DIAL), TASKS, guide=closeness, optimizer=Scripted(), proposals=2)


async def test_a_guide_that_always_raises_ends_the_run_with_its_error() -> None:
    """Nothing could be learnt; the sentence shows what the guide raised."""

    def broken(_task: object, _output: object) -> float:
        raise KeyError("expected")

    with pytest.raises(ta.EpisodeFailed, match="the guide raised KeyError: 'expected'"):
        await train(Dial(space=DIAL), TASKS, guide=broken, optimizer=Scripted(), proposals=9)


async def test_a_guide_that_raises_at_times_costs_no_episode() -> None:
    """The event reports it, the optimizer is not told, and the budget counts only verdicts."""
    events: list[TrainingEvent] = []
    words: list[str] = []

    class Reader(Scripted):
        def backward(self, target: object, feedback: object) -> None:
            words.append(str(feedback))

    def moody(task: object, output: object) -> tuple[float, str]:
        if str(task) == "task 1":
            raise KeyError("no answer is known")
        return closeness(task, output)

    result = await train(
        Dial(space=DIAL),
        TASKS[:4],
        gate_tasks=TASKS[4:],
        guide=moody,
        optimizer=Reader({"dial": 40}),
        batch_size=4,
        proposals=1,
        on_event=events.append,
    )
    outcomes = [str(getattr(event, "outcome", "")) for event in events]
    assert outcomes.count("unjudged") == 1
    assert any(isinstance(event, VersionPublished) for event in events)
    assert (len(words), all("score" in word for word in words)) == (3, True)
    assert (result.episodes - result.spent.episodes, result.failed) == (1, 1)
