"""The budget holds at every instant of a run, whatever its episodes cost and however they mix."""

from __future__ import annotations

import random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.training_toys import Dial, Scripted, closeness
from trace_agents.errors import BudgetExhausted
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.tracing import current_trace
from trace_agents.training import Budget, Ledger, Spent, evaluate, train

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
DEAREST_CALL = 20
CALLS = 4
BASE = 3  # what an episode of the toy spends before its first step


class Watched:
    """A workflow whose every step is a model call, and the most that was ever held and spent."""

    def __init__(self, limit: int, estimate: int | None, seed: int, *, equal: bool) -> None:
        known = None if estimate is None else Spent(tokens=estimate)
        self.ledger = Ledger(Budget(tokens=limit, episodes=300, estimate=known))
        self.draw, self.equal = random.Random(seed), equal
        self.most = self.calls_after_stop = 0
        self.workflow = Dial(steps=self.steps, tick=self.call, space=SPACE)

    def steps(self, _task: object) -> int:
        return CALLS if self.equal else self.draw.randint(1, CALLS)

    def call(self) -> None:
        trace = current_trace()
        assert trace is not None
        trace.spend(tokens=DEAREST_CALL if self.equal else self.draw.randint(0, DEAREST_CALL))
        self.look()

    def look(self, *_: object) -> None:
        self.most = max(self.most, self.ledger.spent.tokens + self.ledger.reserved.tokens)

    async def train(self, concurrency: int) -> None:
        await train(
            self.workflow,
            [f"train {i}" for i in range(7)],
            gate_tasks=[f"gate {i}" for i in range(5)],
            guide=closeness,
            optimizer=Scripted(*({"dial": value} for value in (5, 9, 3, 40))),
            budget=self.ledger,
            concurrency=concurrency,
            batch_size=3,
            proposals=5,
            on_event=self.look,
        )


limits = st.integers(90, 3000)
seeds = st.integers(0, 10**6)
parallel = st.integers(1, 9)


@settings(deadline=None, max_examples=60)
@given(limits, seeds, parallel, st.integers(0, 50))
def test_with_a_true_estimate_the_limit_is_never_passed(
    limit: int, seed: int, concurrency: int, more: int
) -> None:
    """Spent and reserved together stay within it at every call of every episode."""
    run = Watched(limit, BASE + CALLS * DEAREST_CALL + more, seed, equal=False)
    anyio.run(run.train, concurrency)
    assert run.most <= limit
    assert run.ledger.reserved == Spent()


@settings(deadline=None, max_examples=60)
@given(limits, seeds, parallel)
def test_without_an_estimate_the_first_episode_tells_the_price(
    limit: int, seed: int, concurrency: int
) -> None:
    """Where all episodes cost the same, the limit is never passed, from the first wave on."""
    run = Watched(limit, None, seed, equal=True)
    anyio.run(run.train, concurrency)
    assert run.most <= limit
    assert run.ledger.spent.tokens > 0


@settings(deadline=None, max_examples=60)
@given(limits, seeds, parallel)
def test_episodes_dearer_than_any_before_are_stopped_at_the_limit(
    limit: int, seed: int, concurrency: int
) -> None:
    """It is passed by no more than the calls that were under way: one of each episode."""
    run = Watched(limit, None, seed, equal=False)
    anyio.run(run.train, concurrency)
    # the toy spends BASE and its first call before it waits for anything
    assert run.most <= limit + concurrency * (BASE + DEAREST_CALL)
    assert run.ledger.reserved == Spent()


async def test_the_first_episode_runs_alone_while_its_price_is_unknown() -> None:
    """Afterwards the others run side by side; without such a limit they do at once."""
    for budget, alone in ((Budget(tokens=10**6), 1), (Budget(episodes=50), 0)):
        running: list[int] = []
        guide_saw = running.append
        active = [0]

        def steps(_task: object, active: list[int] = active, saw: object = guide_saw) -> int:
            active[0] += 1
            assert callable(saw)
            saw(active[0])
            return 5

        def judge(_task: object, _output: object, active: list[int] = active) -> float:
            active[0] -= 1
            return 1.0

        ledger = Ledger(budget)
        await evaluate(Dial(steps), range(8), {}, guide=judge, ledger=ledger, concurrency=8)
        assert running == [1] * alone + list(range(1, 9 - alone))


async def test_one_episode_beyond_the_limit_is_stopped_and_says_so() -> None:
    """Nothing more starts; what it spent is spent, and its verdict is nobody's."""
    watched = Watched(40, None, 0, equal=True)
    with pytest.raises(BudgetExhausted, match="40 tokens"):
        await evaluate(
            watched.workflow, range(2), {}, guide=closeness, ledger=watched.ledger, concurrency=2
        )
    assert watched.ledger.spent.tokens == BASE + 2 * DEAREST_CALL
    (rollout,) = await evaluate(
        watched.workflow, [1], {}, guide=closeness, ledger=Ledger(Budget(tokens=40))
    )
    assert (rollout.status, rollout.score) == ("stopped", None)
    assert "budget ended" in str(rollout.error)
