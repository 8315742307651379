"""A candidate that has passed the gate does a part of the train episodes before it goes live."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
import pytest

from tests.core.training_toys import Climber, Dial, Scripted, closeness
from trace_agents.errors import InvalidValue
from trace_agents.feedback import Guide
from trace_agents.graph import Graph, Kind, Number, Parameter, Parameters
from trace_agents.optimizers.base import Target
from trace_agents.store import CanaryEvidence, ParameterStore, verify
from trace_agents.training import Budget, TrainResult, resume, train
from trace_agents.training.judging.canary import Canary

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
TRAIN = [f"train {i}" for i in range(10)]
GATE = [f"gate {i}" for i in range(6)]
TRAFFIC = {"head": 0.75, "candidate": 0.25}


def misleading(task: object, output: object) -> float:
    """More is better at the gate, and worse in service, on tasks that differ a little."""
    value, task = float(str(output)), str(task)
    return value if task.startswith("gate") else int(task[-1]) / 10 - value


async def run(  # noqa: PLR0913 - the options of a run, all named
    optimizer: Climber,
    folder: Path | None = None,
    *,
    guide: Guide = closeness,
    traffic: Mapping[str, float] | None = TRAFFIC,
    tick: Callable[[], None] = lambda: None,
    proposals: int = 6,
    lag: int = 1,
    concurrency: int = 16,
    deterministic: bool = True,
    budget: Budget | None = None,
) -> TrainResult:
    draw = random.Random(concurrency)
    return await train(
        Dial(space=SPACE, tick=tick, steps=lambda _: draw.randint(1, 5)),
        TRAIN,
        guide=guide,
        gate_tasks=GATE,
        optimizer=optimizer,
        proposals=proposals,
        batch_size=8,
        deterministic=deterministic,
        run_dir=folder,
        traffic=traffic,
        lag=lag,
        concurrency=concurrency,
        budget=budget,
    )


async def test_a_candidate_does_its_part_before_it_goes_live(tmp_path: Path) -> None:
    """A quarter of the next batch, and what it did there is part of its evidence."""
    result = await run(Scripted({"dial": 20}), tmp_path, proposals=3)
    assert result.best.evidence is not None
    assert result.best.evidence.canary == CanaryEvidence(2, -22.0, 14, -42.0, 0.0)
    assert result.best.evidence.n == len(GATE)
    with ParameterStore(tmp_path, SPACE) as store:
        tried = [record.index for record in store.episodes("train") if record.version < 0]
        assert sorted(tried) == [11, 15]
        assert {r.version for r in store.episodes("train") if r.index in range(16, 24)} == {1}
        assert verify(store) == ()


async def test_a_candidate_that_does_worse_does_not_go_live(tmp_path: Path) -> None:
    """Although the gate liked it; the reason says what was seen where."""
    result = await run(Scripted({"dial": 20}), tmp_path, guide=misleading, proposals=3)
    assert len(result.versions) == 1
    with ParameterStore(tmp_path, SPACE) as store:
        record = store.proposals()[0]
        assert record.state == "rejected"
        assert any("worse in service" in problem for problem in record.problems)
        assert record.evidence is not None
        assert record.evidence.mean == 20.0
        assert record.evidence.canary is not None
        assert record.evidence.canary.mean < -18


async def test_without_episodes_to_share_the_gate_decides() -> None:
    """After the last decision of a run there is no batch that could be shared."""
    result = await run(Scripted({"dial": 20}), proposals=1)
    assert result.best.evidence is not None
    assert (result.best.id, result.best.evidence.canary) == (1, None)


@pytest.mark.parametrize("lag", [1, 2])
async def test_a_deterministic_run_shares_alike_at_any_concurrency(lag: int) -> None:
    """Which episode ran with what follows from the decisions alone."""
    whole = await run(Climber(), lag=lag, proposals=10)
    assert whole.best.id > 1
    assert any(v.evidence is not None and v.evidence.canary for v in whole.versions)
    for concurrency in (1, 3):
        other = await run(Climber(), lag=lag, proposals=10, concurrency=concurrency)
        assert (other.curve, other.versions) == (whole.curve, whole.versions)


async def test_a_free_run_shares_too() -> None:
    """Where batches are what is done first, nothing waits for ever."""
    result = await run(Climber(), deterministic=False, proposals=12, concurrency=3)
    assert len(result.curve) == 13
    assert any(v.evidence is not None and v.evidence.canary for v in result.versions)


async def test_a_budget_that_ends_leaves_nothing_waiting() -> None:
    """Episodes that were held back for a candidate are let go."""
    for episodes in range(20, 60, 3):
        result = await run(Climber(), proposals=20, budget=Budget(episodes=episodes))
        assert result.spent.episodes <= episodes


@pytest.mark.parametrize("at", range(9, 200, 17))
async def test_a_trial_that_was_interrupted_is_made_again(at: int, tmp_path: Path) -> None:
    """With the same outcome; what its episodes gave is used."""
    whole = await run(Climber())

    class Again(Climber):
        def remember(self, tried: object) -> None:
            self.count = len(tried)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    ticks = [0]
    with anyio.CancelScope() as scope:

        def tick() -> None:
            ticks[0] += 1
            if ticks[0] == at:
                scope.cancel()

        await run(Again(tick), tmp_path, tick=tick)
    assert scope.cancelled_caught
    result = await resume(tmp_path, Dial(space=SPACE), guide=closeness, optimizer=Again())
    assert [dict(v.values) for v in result.versions] == [dict(v.values) for v in whole.versions]
    assert result.curve == whole.curve
    with ParameterStore(tmp_path, SPACE) as store:
        assert (store.pending(), verify(store)) == ({}, ())
        names = [record.index for record in store.episodes("train")]
        assert sorted(names) == list(range(48))


async def test_feedback_on_a_candidate_that_did_not_go_live_is_stale() -> None:
    """Its value is that of no version: an optimizer sees it, and learns no change from it."""
    kinds: list[tuple[Kind, object]] = []

    class Reader(Scripted):
        def backward(self, target: Target, feedback: str | Mapping[str, str]) -> None:
            assert isinstance(target, Graph)
            kinds.append((target.nodes[0].kind, target.nodes[0].value))

    await train(
        Dial(space=SPACE),
        TRAIN,
        guide=misleading,
        gate_tasks=GATE,
        optimizer=Reader({"dial": 20}),
        proposals=2,
        batch_size=8,
        deterministic=True,
        traffic=TRAFFIC,
        max_staleness=0,
    )
    assert (Kind.INPUT, 20) in kinds
    assert {kind for kind, value in kinds if value == 0} == {Kind.PARAMETER}


def test_the_shared_episodes_are_spread_evenly() -> None:
    """None in the first batch, which no decision comes before."""
    canary = Canary(0.1, 8, lambda: 0, first=100)
    taken = [index for index in range(100, 200) if canary.takes(index)]
    assert taken == [109, 119, 129, 139, 149, 159, 169, 179, 189, 199]


@pytest.mark.parametrize(
    "traffic", [{"head": 0.9}, {"head": 0.9, "candidate": 0.2}, {"head": 1.0, "candidate": 0.0}]
)
async def test_parts_that_make_no_whole_are_refused(traffic: Mapping[str, float]) -> None:
    """The sentence shows what they should look like; so is a lag that leaves nothing to share."""
    with pytest.raises(InvalidValue, match=r'"candidate": 0\.1'):
        await run(Scripted(), traffic=traffic)
    with pytest.raises(InvalidValue, match="lag of 1 or more"):
        await run(Scripted(), lag=0)
