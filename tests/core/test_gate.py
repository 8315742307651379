from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.core.training_toys import SPACE, Dial
from trace_agents.errors import BudgetExhausted
from trace_agents.store import Evidence, Version
from trace_agents.training import Budget, EpisodeRunner, Gate, Judge, Ledger, Rollout

HEAD = Version(0, None, {**SPACE.defaults(), "dial": 10})


def candidate(dial: int) -> Version:
    return Version(-1, 0, {**SPACE.defaults(), "dial": dial})


def judge_of(
    gate: Gate, guide: Callable[[object, object], float], budget: Budget | None = None
) -> tuple[Judge, list[Rollout], list[Evidence]]:
    rollouts: list[Rollout] = []
    rounds: list[Evidence] = []
    ledger = Ledger(budget)
    runner = EpisodeRunner(Dial(), guide, concurrency=4, ledger=ledger)
    tasks = list(range(8))
    judge = Judge(
        gate, tasks, runner, ledger, rollouts.append, lambda _, evidence: rounds.append(evidence)
    )
    return judge, rollouts, rounds


def plain(_task: object, output: object) -> float:
    return float(str(output))


async def test_a_better_candidate_passes_after_all_rounds() -> None:
    """The evidence names the baseline and both means."""
    judge, _, rounds = judge_of(Gate(), plain)
    verdict = await judge.judge(candidate(20), HEAD)
    assert verdict.accepted
    assert verdict.evidence == Evidence(8, 10.0, 0.0, 10.0, 20.0, 0)
    assert [evidence.n for evidence in rounds] == [2, 4, 8]


async def test_a_worse_candidate_is_out_after_the_first_round() -> None:
    """It costs two pairs, not eight."""
    judge, rollouts, _ = judge_of(Gate(), plain)
    verdict = await judge.judge(candidate(5), HEAD)
    assert (verdict.accepted, len(rollouts)) == (False, 4)


async def test_an_equal_candidate_is_rejected() -> None:
    """Strictly better is asked for."""
    judge, _, _ = judge_of(Gate(), lambda _task, _output: 1.0)
    assert not (await judge.judge(candidate(20), HEAD)).accepted


async def test_an_uncertain_gain_is_rejected() -> None:
    """One lucky task does not carry seven that say nothing."""

    def lucky(task: object, output: object) -> float:
        return float(task == 7 and output == 20) * 8 - float(task == 3 and output == 20) * 7

    judge, _, _ = judge_of(Gate(rounds=(1.0,)), lucky)
    verdict = await judge.judge(candidate(20), HEAD)
    assert verdict.evidence.mean > 0
    assert not verdict.accepted


async def test_scores_are_not_measured_twice() -> None:
    """A second candidate finds the head's scores, a repeated one its own."""
    judge, rollouts, _ = judge_of(Gate(), plain)
    await judge.judge(candidate(20), HEAD)
    await judge.judge(candidate(30), HEAD)
    await judge.judge(candidate(20), HEAD)
    assert len(rollouts) == 24


async def test_a_candidate_that_breaks_tasks_is_rejected() -> None:
    """Its failed pairs do not just fall out of the mean."""

    def fragile(task: object, output: object) -> float:
        if output == 20 and task == 1:
            raise ValueError("broken")
        return float(str(output))

    judge, _, _ = judge_of(Gate(), fragile)
    assert "failed" in (await judge.judge(candidate(20), HEAD)).reason


async def test_a_failure_score_counts_failures() -> None:
    """With a mild one the gain on the other tasks wins."""

    def fragile(task: object, output: object) -> float:
        if output == 20 and task == 1:
            raise ValueError("broken")
        return float(str(output))

    judge, _, _ = judge_of(Gate(failure_score=9.0), fragile)
    verdict = await judge.judge(candidate(20), HEAD)
    assert (verdict.accepted, verdict.evidence.n) == (True, 8)


async def test_a_round_beyond_the_budget_decides_nothing() -> None:
    """No episode of it starts, and none stays reserved."""
    judge, rollouts, _ = judge_of(Gate(), plain, Budget(episodes=6))
    with pytest.raises(BudgetExhausted):
        await judge.judge(candidate(20), HEAD)
    assert (len(rollouts), judge.ledger.reserved.episodes) == (4, 0)


def test_rounds_must_grow_to_all_tasks() -> None:
    """A gate that never sees some tasks is refused."""
    with pytest.raises(ValueError, match="grow"):
        Gate(rounds=(0.5,))
