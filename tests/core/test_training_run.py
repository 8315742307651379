"""A run as an object: its events, its end by word or by rule, and its result."""

from __future__ import annotations

import inspect
import os
import signal
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.core.training_toys import Climber, Dial, Scripted, closeness
from trace_agents.errors import InvalidValue
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.store import ParameterStore
from trace_agents.training import (
    EpisodeEnded,
    GuideFailed,
    Missed,
    RunEnded,
    RunStarted,
    RunUnfinished,
    Stop,
    StopReason,
    TrainingEvent,
    TrainResult,
    start_training,
    train,
)
from trace_agents.training.runs.arguments import Arguments
from trace_agents.training.runs.handle import Reader

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
TRAIN = [f"train {i}" for i in range(10)]
GATE = [f"gate {i}" for i in range(8)]


def dial(
    steps: Callable[[object], int] = lambda _: 1, fail: Callable[[object], bool] = lambda _: False
) -> Dial:
    return Dial(steps, fail, space=SPACE)


async def until_over(reader: Reader, heard: list[object]) -> None:
    heard.extend([event async for event in reader])


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
def test_several_readers_hear_every_event_of_a_run(anyio_backend: str) -> None:
    """What `on_event` gets, in its order, and then the iteration ends; also under trio."""
    told: list[TrainingEvent] = []
    heard: tuple[list[object], list[object]] = ([], [])

    async def main() -> TrainResult:
        async with (
            start_training(
                dial(),
                TRAIN,
                guide=closeness,
                gate_tasks=GATE,
                optimizer=Scripted({"dial": 40}),
                proposals=2,
                on_event=told.append,
            ) as run,
            anyio.create_task_group() as group,
        ):
            for one in heard:
                group.start_soon(until_over, run.events(), one)
        return run.result

    result = anyio.run(main, backend=anyio_backend)
    assert (result.best.values["dial"], result.stopped) == (40, "complete")
    assert list(heard[0]) == list(heard[1])
    assert heard[0] == told
    assert isinstance(told[0], RunStarted)
    assert isinstance(told[-1], RunEnded)


async def test_a_slow_reader_is_told_how_much_it_missed_and_holds_nobody_up() -> None:
    """It gets the newest events that its buffer holds; the run was over before it looked."""
    told: list[TrainingEvent] = []
    async with start_training(
        dial(),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Scripted(),
        proposals=3,
        on_event=told.append,
    ) as run:
        slow = run.events(buffer=4)
        await run.wait()
        heard = [event async for event in slow]
    assert heard == [Missed(len(told) - 4), *told[-4:]]
    assert [event async for event in run.events()] == []


async def test_a_run_ends_by_the_callers_word_with_its_result() -> None:
    """Before that it has none, and says so."""
    async with start_training(
        dial(), TRAIN, guide=closeness, gate_tasks=GATE, optimizer=Climber(), stop=anyio.Event()
    ) as run:
        with pytest.raises(RunUnfinished, match="no result yet"):
            _ = run.result
        async for event in run.events():
            if isinstance(event, EpisodeEnded) and event.status.decisions == 2:
                break
        result = await run.stop()
    assert (run.result, result.stopped) == (result, "asked")


async def test_a_block_that_raises_cancels_its_run() -> None:
    """The error arrives as it is; the run would never have ended."""
    workflow = dial(steps=lambda _: 10**9)
    run = start_training(
        workflow, TRAIN, guide=closeness, gate_tasks=GATE, optimizer=Climber(), proposals=1
    )

    async def block() -> None:
        async with run:
            await anyio.lowlevel.checkpoint()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await block()


async def test_a_run_that_fails_ends_the_block_that_waits_for_it() -> None:
    """With the error that `train` would raise."""

    def broken(_task: object, _output: object) -> float:
        raise RuntimeError("no judge")

    with pytest.raises(GuideFailed, match="no judge"):
        async with start_training(
            dial(), TRAIN, guide=broken, gate_tasks=GATE, optimizer=Climber(), proposals=9
        ):
            await anyio.sleep_forever()


def test_a_run_takes_the_arguments_of_train() -> None:
    """By the same names."""
    named = [
        p.name for p in inspect.signature(train).parameters.values() if p.kind is p.KEYWORD_ONLY
    ]
    assert named == list(Arguments.__annotations__)


async def ended_by(stop: Stop, workflow: Dial) -> TrainResult:
    return await train(
        workflow,
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Scripted({"dial": 20}, {"dial": 35}, {"dial": 42}),
        proposals=50,
        batch_size=4,
        stop=stop,
    )


@pytest.mark.parametrize(
    ("stop", "reason", "decisions"),
    [
        (Stop(target_score=-25), "target", 1),
        (Stop(target_score=-5), "target", 3),
        (Stop(target_score=-1000), "target", 0),
        (Stop(patience=4), "patience", 7),
        (Stop(), "complete", 50),
    ],
)
async def test_rules_of_the_score_end_a_run(
    stop: Stop, reason: StopReason, decisions: int, tmp_path: Path
) -> None:
    """After the decision that met them; the log says which."""
    result = await train(
        dial(),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Scripted({"dial": 20}, {"dial": 35}, {"dial": 42}),
        proposals=50,
        batch_size=2,
        stop=stop,
        run_dir=tmp_path,
    )
    assert (result.stopped, len(result.curve) - 1) == (reason, decisions)
    with ParameterStore(tmp_path, SPACE) as store:
        ends = [event.data["reason"] for event in store.events() if event.kind == "RunEnded"]
    assert ends == [reason]


async def test_too_many_failures_end_a_run() -> None:
    """Whatever the decisions are doing; those that fit in are no reason to."""
    failing = dial(fail=lambda task: task in TRAIN[:3])
    assert (await ended_by(Stop(max_failures=5), failing)).stopped == "failures"
    assert (await ended_by(Stop(max_failures=5), dial())).stopped == "complete"


async def test_a_file_ends_a_run(tmp_path: Path) -> None:
    """It may be there from the start."""
    (tmp_path / "stop").touch()
    result = await train(
        dial(),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Climber(),
        stop=Stop(file=str(tmp_path / "stop")),
    )
    assert result.stopped == "file"


async def test_a_signal_ends_a_run_gently() -> None:
    """The process lives on, and so do the episodes under way; its own handler comes back."""

    def on_event(event: TrainingEvent) -> None:
        if isinstance(event, EpisodeEnded) and event.status.episodes == 20:
            os.kill(os.getpid(), signal.SIGTERM)

    def own(_number: int, _frame: object) -> None: ...

    before = signal.signal(signal.SIGTERM, own)
    try:
        result = await train(
            dial(),
            TRAIN,
            guide=closeness,
            gate_tasks=GATE,
            optimizer=Climber(),
            stop=Stop(signals=(signal.SIGTERM,)),
            on_event=on_event,
        )
        assert (result.stopped, result.failed) == ("signal", 0)
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_rule_that_makes_no_sense_is_refused() -> None:
    """The sentence names it."""
    with pytest.raises(InvalidValue, match="patience"):
        Stop(patience=0)
    with pytest.raises(InvalidValue, match="max_failures"):
        Stop(max_failures=-1)
