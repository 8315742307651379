from __future__ import annotations

import asyncio
import json
from pathlib import Path

import anyio
import pytest

from tests.core.training_toys import SPACE, Dial, closeness
from trace_agents.errors import BudgetExhausted, TaskFileError
from trace_agents.feedback import Guide
from trace_agents.store import Version
from trace_agents.training import Budget, EpisodeRunner, Ledger, evaluate, paired, read_tasks

V0 = Version(0, None, SPACE.defaults())


def runner_of(workflow: Dial, guide: Guide = closeness, **limits: float) -> EpisodeRunner:
    ledger = Ledger(Budget(episodes=2))
    return EpisodeRunner(
        workflow, guide, concurrency=2, ledger=ledger, deadline=limits.get("deadline")
    )


async def test_an_episode_carries_its_version_score_graph_and_cost() -> None:
    """The graph is the episode's own."""
    rollout = await runner_of(Dial()).run("t", V0, "train", 5)
    assert (rollout.episode, rollout.status, rollout.score) == ("train-5-v0", "done", -42.0)
    assert rollout.graph is not None
    assert (rollout.graph.episode, rollout.tokens, set(rollout.read)) == ("train-5-v0", 3, {"dial"})


async def test_a_guide_that_raises_leaves_the_episode_unjudged() -> None:
    """So is one that gives no finite number."""

    async def broken(_task: object, _output: object) -> float:
        raise KeyError("expected")

    rollout = await runner_of(Dial(), broken).run("t", V0, "train", 0)
    assert rollout.status == "unjudged"
    assert rollout.error == "the guide raised KeyError: 'expected'"
    rollout = await runner_of(Dial(), lambda _t, _o: float("nan")).run("t", V0, "train", 0)
    assert "finite" in str(rollout.error)


async def test_a_deadline_ends_an_episode() -> None:
    """It is counted as a timeout, and its place is free again."""
    runner = runner_of(Dial(steps=lambda _: 10**9), deadline=0.01)
    rollout = await runner.run("t", V0, "train", 0)
    assert (rollout.status, rollout.score, runner.running) == ("timeout", None, 0)


async def test_a_workflow_that_cancels_itself_is_an_outcome() -> None:
    """The waiter gets a rollout, not a silence."""

    def fail(_task: object) -> bool:
        raise asyncio.CancelledError

    rollout = await runner_of(Dial(fail=fail)).run("t", V0, "train", 0)
    assert (rollout.status, rollout.error) == ("cancelled", "the workflow cancelled itself")


async def test_a_cancelled_caller_leaves_no_reservation() -> None:
    """Cancellation passes through."""
    ledger = Ledger(Budget(episodes=1))
    with anyio.CancelScope() as scope:
        workflow = Dial(steps=lambda _: 5, tick=scope.cancel)
        await EpisodeRunner(workflow, closeness, concurrency=1, ledger=ledger).run(
            "t", V0, "train", 0
        )
    assert scope.cancelled_caught
    assert (ledger.reserved.episodes, ledger.spent.episodes) == (0, 0)


async def test_evaluation_keeps_the_order_and_the_budget() -> None:
    """Slow tasks come where they stood; too many tasks are refused."""
    workflow = Dial(steps=lambda task: 10 - int(str(task)))
    rollouts = await evaluate(workflow, range(10), {"dial": 40}, guide=closeness)
    assert [rollout.task for rollout in rollouts] == list(range(10))
    with pytest.raises(BudgetExhausted):
        await evaluate(workflow, range(10), {}, guide=closeness, ledger=Ledger(Budget(episodes=9)))


async def test_a_comparison_is_paired() -> None:
    """A constant gain has a narrow interval; failed pairs are counted."""
    workflow = Dial(fail=lambda task: task == 3)
    before = await evaluate(workflow, range(10), {"dial": 10}, guide=closeness)
    after = await evaluate(workflow, range(10), {"dial": 40}, guide=closeness)
    gain = paired(before, after)
    assert (gain.n, gain.dropped, gain.gain, gain.low, gain.high) == (9, 1, 30.0, 30.0, 30.0)
    with pytest.raises(ValueError, match="same tasks"):
        paired(before, after[1:])


def test_tasks_are_read_from_a_list_or_from_lines(tmp_path: Path) -> None:
    """Both give the same tasks."""
    tasks = [{"q": 1}, "two"]
    (tmp_path / "a.json").write_text(json.dumps(tasks, indent=1))
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, tasks)) + "\n\n")
    assert read_tasks(tmp_path / "a.json") == read_tasks(tmp_path / "a.jsonl") == tasks


@pytest.mark.parametrize(
    ("text", "message"), [('"ok"\n{"q": }', "line 2"), ("[1,\n2", "line 2"), ("\n", "no task")]
)
def test_a_bad_task_file_names_the_line(text: str, message: str, tmp_path: Path) -> None:
    """The reader finds the place."""
    path = tmp_path / "tasks.txt"
    path.write_text(text)
    with pytest.raises(TaskFileError, match=message):
        read_tasks(path)
