from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.core.training_toys import SPACE, Dial
from trace_agents.errors import BudgetExhausted
from trace_agents.store import Evidence, Version
from trace_agents.tracing.context import current_trace
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


async def test_the_best_of_several_candidates_wins() -> None:
    """They do the same tasks, and the worse half is out after each round."""
    judge, rollouts, _ = judge_of(Gate(), plain)
    candidates = [
        replace(candidate(dial), id=-place) for place, dial in ((1, 12), (2, 40), (3, 30))
    ]
    verdicts = await judge.judge_all([*candidates, replace(candidate(4), id=-4)], HEAD)
    assert [verdict.accepted for verdict in verdicts] == [False, True, False, False]
    assert [verdict.evidence.n for verdict in verdicts] == [2, 8, 4, 2]
    assert "other candidates did better" in verdicts[0].reason
    assert "worse" in verdicts[3].reason
    assert len(rollouts) == 8 + 2 + 8 + 4 + 2


async def test_of_two_accepted_candidates_one_goes_live() -> None:
    """Where one round decides, the better one; the other is told so."""
    judge, _, _ = judge_of(Gate(rounds=(1.0,)), plain)
    verdicts = await judge.judge_all([candidate(20), replace(candidate(30), id=-2)], HEAD)
    assert [verdict.accepted for verdict in verdicts] == [False, True]
    assert verdicts[0].reason == "another candidate was better"


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (Gate(max_usd=0.001), "0.02 US dollars in the mean, over the limit of 0.001"),
        (Gate(max_seconds=0.0), "seconds in the mean, over the limit of 0"),
        (Gate(constraint=lambda rollout: f"{rollout.output} is rude"), "constraint: 20 is rude"),
        (Gate(constraint=lambda rollout: str(1 / 0)), "raised ZeroDivisionError"),
    ],
)
async def test_a_candidate_that_breaks_a_hard_limit_is_rejected(gate: Gate, words: str) -> None:
    """After the first round, although its scores are better; the reason is named."""

    def dear(task: object, output: object) -> float:
        trace = current_trace()
        if trace is not None and output == 20:
            trace.spend(usd=0.02)
        return plain(task, output)

    judge, _, rounds = judge_of(gate, dear)
    verdict = await judge.judge(candidate(20), HEAD)
    assert (verdict.accepted, verdict.evidence.mean > 0, len(rounds)) == (False, True, 1)
    assert words in verdict.reason


async def test_a_candidate_within_the_limits_passes() -> None:
    """The head may break them: it is not on trial."""
    gate = Gate(max_usd=0.1, constraint=lambda r: "too low" if r.output == 10 else None)
    judge, _, _ = judge_of(gate, plain)
    assert (await judge.judge(candidate(20), HEAD)).accepted


async def test_values_that_were_taken_back_are_not_tried_again() -> None:
    """Not one episode is spent on them."""
    judge, rollouts, _ = judge_of(Gate(), plain)
    judge.condemn(candidate(20).values)
    verdict = await judge.judge(candidate(20), HEAD)
    assert (verdict.accepted, len(rollouts)) == (False, 0)
    assert "rolled back" in verdict.reason


def test_a_gate_comes_back_from_the_log_without_its_constraint() -> None:
    """Everything else is as it was."""
    gate = Gate(0.1, 2.0, (0.5, 1.0), -1.0, 0.5, 3.0, lambda _: None)
    assert Gate.from_json(gate.to_json()) == replace(gate, constraint=None)
