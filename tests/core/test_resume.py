"""A run that was killed goes on: nothing that was acknowledged is lost, and nothing paid twice."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import anyio
import pytest

import trace_agents as ta
from tests.core.killed_run import GATE, PROPOSALS, SPACE, TRAIN, Remembering, run, workflow
from tests.core.training_toys import Dial, Scripted, closeness
from trace_agents.errors import InvalidValue, StoreError
from trace_agents.guides import contains, llm_judge
from trace_agents.llm import Message
from trace_agents.store import EpisodeRecord, ParameterStore, Version, verify
from trace_agents.testing import FunctionModel
from trace_agents.training import (
    Budget,
    RunStarted,
    Spent,
    TrainingEvent,
    TrainResult,
    VersionPublished,
    resume,
    train,
)
from trace_agents.training.tasks.lists import TaskOrder

ROOT = Path(__file__).parent.parent.parent


def child(folder: Path, mode: str, moment: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.core.killed_run", str(folder), mode, str(moment)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def killed_at(folder: Path, moment: int) -> None:
    with child(folder, "self", moment) as process:
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


async def go_on(folder: Path, events: list[TrainingEvent] | None = None) -> TrainResult:
    return await resume(
        folder,
        workflow(),
        guide=closeness,
        optimizer=Remembering(),
        on_event=None if events is None else events.append,
    )


def acknowledged(folder: Path) -> tuple[tuple[EpisodeRecord, ...], tuple[Version, ...], Spent]:
    with ParameterStore(folder, SPACE) as store:
        assert verify(store) == ()
        spent = [event.data["spent"] for event in store.events() if "spent" in event.data]
        last = cast("dict[str, int]", spent[-1])
        return store.episodes(), store.versions(), Spent(**last)


def check_whole(folder: Path, result: TrainResult) -> None:
    """Every decision was made once, from episodes that were used once, and the log says so."""
    with ParameterStore(folder, SPACE) as store:
        decided = [p for p in store.proposals() if p.state != "abandoned"]
        assert len(decided) == PROPOSALS
        trained = store.episodes("train")
        assert sorted(record.index for record in trained) == list(range(4 * PROPOSALS))
        assert store.pending() == {}
        assert verify(store) == ()
        log = [e.data["version"] for e in store.events() if e.kind == "VersionPublished"]
        assert log == [version.id for version in store.versions()[1:]]
        ended = [str(e.data["episode"]) for e in store.events() if e.kind == "EpisodeEnded"]
        assert sorted(ended) == sorted(record.episode for record in store.episodes())
        paid = sum(int(record.metrics["tokens"]) for record in store.episodes())
        assert result.spent.tokens >= paid + sum(p.tokens for p in decided)
        assert (result.episodes, result.best) == (len(store.episodes()), store.head)
    assert len(result.curve) == PROPOSALS + 1


@pytest.mark.parametrize("moment", [2, 5, 30, 70, 131, 200, 290, 331, 391])
async def test_a_killed_run_goes_on_as_if_nothing_had_been(moment: int, tmp_path: Path) -> None:
    """Killed at an event, in an episode or in a proposal: the same learning curve in the end."""
    killed_at(tmp_path, moment)
    episodes, versions, spent = acknowledged(tmp_path)
    events: list[TrainingEvent] = []
    result = await go_on(tmp_path, events)
    first = events[0]
    assert isinstance(first, RunStarted)
    assert first.resumed
    assert replace(first.status.spent, seconds=0.0) == replace(spent, seconds=0.0)
    assert first.status.spent.seconds >= spent.seconds
    after, versions_after, _ = acknowledged(tmp_path)
    assert set(map(repr, episodes)) <= set(map(repr, after))
    assert versions_after[: len(versions)] == versions
    check_whole(tmp_path, result)
    assert result.curve == (await run(None, lambda: None)).curve


@pytest.mark.parametrize(("moment", "later"), [(90, 60), (396, 3)])
async def test_a_run_may_be_killed_more_than_once(moment: int, later: int, tmp_path: Path) -> None:
    """Cancelled while it goes on, it goes on again from there.

    The second case leaves gate scores of a candidate that nobody decided on.
    """
    killed_at(tmp_path, moment)
    for _ in range(3):
        with anyio.CancelScope() as scope:
            steps = [0]

            def tick(steps: list[int] = steps, scope: anyio.CancelScope = scope) -> None:
                steps[0] += 1
                if steps[0] == later:
                    scope.cancel()

            await resume(tmp_path, workflow(tick), guide=closeness, optimizer=Remembering(tick))
        assert scope.cancelled_caught
    result = await go_on(tmp_path)
    check_whole(tmp_path, result)
    assert result.curve == (await run(None, lambda: None)).curve


async def test_an_episode_that_runs_again_reads_the_version_it_was_to_read(
    tmp_path: Path,
) -> None:
    """Also where the head has moved on while it ran the first time."""
    slow = TaskOrder(TRAIN, 0).task(5)
    scope = anyio.CancelScope()

    async def start(folder: Path, on_event: Callable[[TrainingEvent], None]) -> None:
        await train(
            Dial(steps=lambda task: 3000 if task == slow else 1, space=SPACE),
            TRAIN,
            guide=closeness,
            gate_tasks=GATE,
            optimizer=Scripted({"dial": 10}, {"dial": 20}),
            proposals=2,
            batch_size=4,
            deterministic=True,
            run_dir=folder,
            on_event=on_event,
        )

    def cancel(event: TrainingEvent) -> None:
        if isinstance(event, VersionPublished):
            scope.cancel()

    with scope:
        await start(tmp_path / "broken", cancel)
    assert "train-5-v0" not in {record.episode for record in acknowledged(tmp_path / "broken")[0]}
    rest = Scripted({"dial": 20})
    await resume(tmp_path / "broken", Dial(space=SPACE), guide=closeness, optimizer=rest)
    await start(tmp_path / "whole", lambda _: None)
    names = [
        {record.episode for record in acknowledged(tmp_path / name)[0] if record.split == "train"}
        for name in ("broken", "whole")
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize("lines", [1, 7, 40])
async def test_killed_from_outside_a_free_run_loses_nothing(lines: int, tmp_path: Path) -> None:
    """Where batches are what is done first, each episode is still used once."""
    with child(tmp_path, "free", 0) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
    assert process.returncode == -signal.SIGKILL
    episodes, versions, _ = acknowledged(tmp_path)
    result = await go_on(tmp_path)
    after, versions_after, _ = acknowledged(tmp_path)
    assert set(map(repr, episodes)) <= set(map(repr, after))
    assert versions_after[: len(versions)] == versions
    check_whole(tmp_path, result)


async def test_a_complete_run_returns_its_result_at_once(tmp_path: Path) -> None:
    """No episode runs."""
    before = await run(tmp_path, lambda: None)
    after = await go_on(tmp_path)
    assert (after.curve, after.best, after.episodes) == (before.curve, before.best, before.episodes)
    assert replace(after.spent, seconds=0.0) == replace(before.spent, seconds=0.0)


async def test_more_budget_lets_a_run_go_on(tmp_path: Path) -> None:
    """What was spent counts; the tasks come from the folder, the model's name would as well."""
    reply = "<variable><name>dial</name><value>40</value></variable>"
    short = await train(
        Dial(space=SPACE),
        [*TRAIN, *GATE],
        guide=closeness,
        optimizer_model=FunctionModel(lambda _: reply),
        budget=Budget(episodes=14),
        batch_size=4,
        run_dir=tmp_path,
    )
    assert short.best.id == 0
    result = await resume(
        tmp_path,
        Dial(space=SPACE),
        guide=closeness,
        optimizer_model=FunctionModel(lambda _: reply),
        budget=Budget(episodes=60),
    )
    assert (result.best.values["dial"], result.gate_tasks) == (40, short.gate_tasks)
    assert short.spent.episodes < result.spent.episodes <= 60


async def test_spent_model_calls_stay_spent(tmp_path: Path) -> None:
    """The limit holds over both parts of a run: those of the judge and of the optimizer count."""
    asked: list[int] = []

    def reply(messages: Sequence[Message]) -> str:
        asked.append(len(messages))
        step = f"<variable><name>dial</name><value>{len(asked) % 100}</value></variable>"
        return step if "Rubric" not in messages[-1]["content"] else '{"score": 0.5}'

    model = FunctionModel(reply)
    guide = llm_judge(model, rubric="It is near 42.")
    workflow = Dial(space=SPACE)
    one, tasks = Spent(calls=1), [*TRAIN, *GATE]
    limits = Budget(calls=24, estimate=one)
    short = await train(
        workflow, tasks, guide=guide, optimizer_model=model, budget=limits, run_dir=tmp_path
    )
    assert 0 < short.spent.calls == len(asked) <= 24
    more = Budget(calls=60, estimate=one)
    result = await resume(tmp_path, workflow, guide=guide, optimizer_model=model, budget=more)
    assert short.spent.calls < result.spent.calls == len(asked) <= 60
    with ParameterStore(tmp_path, SPACE) as store:
        made = sum(record.calls for record in store.proposals())
        episodes = sum(record.metrics["calls"] for record in store.episodes())
    assert made > 0
    assert made + episodes == len(asked)


async def test_what_only_the_caller_can_make_is_asked_for(tmp_path: Path) -> None:
    """An optimizer, tasks that are no JSON, and a folder without a run."""
    with pytest.raises(StoreError, match="begin a run with train"):
        await resume(tmp_path, Dial(space=SPACE), guide=closeness)
    tasks: list[object] = [{i} for i in range(8)]
    await train(
        Dial(space=SPACE),
        tasks,
        guide=closeness,
        optimizer=Scripted(),
        proposals=1,
        run_dir=tmp_path,
    )
    with pytest.raises(InvalidValue, match="type Scripted that only you"):
        await resume(tmp_path, Dial(space=SPACE), guide=closeness)
    with pytest.raises(InvalidValue, match="no JSON"):
        await resume(tmp_path, Dial(space=SPACE), guide=closeness, optimizer=Scripted())
    with pytest.raises(InvalidValue, match="6 train and 2 gate tasks"):
        await resume(
            tmp_path, Dial(space=SPACE), guide=closeness, optimizer=Scripted(), tasks=tasks[:4]
        )
    result = await resume(
        tmp_path,
        Dial(space=SPACE),
        guide=closeness,
        optimizer=Scripted({"dial": 40}),
        tasks=tasks,
        proposals=2,
    )
    assert result.best.values["dial"] == 40


async def test_a_torn_line_of_a_trace_file_is_cut_off(tmp_path: Path) -> None:
    """What a killed process had half written does not spoil what is written after it."""
    greeting = ta.node("Hello", "greeting", trainable=True)

    def greet(name: ta.Node) -> ta.Node:
        return greeting + ", " + name

    for torn in ('{"schema": 1, "nod', ""):
        await train(
            ta.wrap(greet, parameters=[greeting]),
            [*TRAIN, *GATE],
            guide=contains("Hi"),
            optimizer=Scripted(),
            proposals=1,
            run_dir=tmp_path,
        )
        with (tmp_path / "graphs.jsonl").open("a", encoding="utf-8") as file:
            file.write(torn)
    graphs = ta.load_traces(tmp_path / "graphs.jsonl")
    with ParameterStore(tmp_path, ta.wrap(greet, parameters=[greeting]).parameters()) as store:
        assert len(graphs) == len(store.episodes())
    assert not any(graph.problems for graph in graphs)


async def test_a_run_of_an_earlier_release_goes_on(tmp_path: Path) -> None:
    """Its database is taken over, and its decisions are as if it had never been interrupted."""
    old = Path(__file__).with_name("run_schema_1.sql").read_text(encoding="utf-8")
    with contextlib.closing(sqlite3.connect(tmp_path / "run.db")) as connection:
        connection.executescript(old)
    with ParameterStore(tmp_path, SPACE) as store:
        before = [record for record in store.proposals(2) if record.state != "abandoned"]
        assert verify(store) == ()
        store.run = 2
        assert len(store.pending()) > 0
    result = await go_on(tmp_path)
    with ParameterStore(tmp_path, SPACE) as store:
        after = [record for record in store.proposals(2) if record.state != "abandoned"]
        assert after[: len(before)] == before
        assert verify(store) == ()
        trained = sorted(record.index for record in store.episodes("train", 2))
        assert trained == list(range(trained[0], trained[0] + 4 * PROPOSALS))
    assert (len(after), len(result.curve)) == (PROPOSALS, PROPOSALS + 1)
