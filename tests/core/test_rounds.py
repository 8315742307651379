from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.core.training_toys import Dial, closeness
from trace_agents.errors import InvalidValue
from trace_agents.graph import Number, Parameter, Parameters, Values
from trace_agents.optimizers import Proposal
from trace_agents.store import ParameterStore, verify
from trace_agents.training import (
    Algorithm,
    BasicSearch,
    BeamSearch,
    Budget,
    EpisodeEnded,
    Member,
    PrioritySearch,
    ProposalRejected,
    TrainingEvent,
    TrainResult,
    UCBSearch,
    resume,
    train,
)

pytestmark = pytest.mark.filterwarnings("ignore:no episode has read the parameter 'spare'")

TRAIN = [f"train {i}" for i in range(10)]
GATE = [f"gate {i}" for i in range(8)]
SPACE = Parameters([Parameter("dial", 500, Number(0, 1000, integer=True))])
EVERY = ["basic", "beam", "ucb", "priority"]


class Wanderer:
    """An optimizer that proposes a step of a random size and direction."""

    def __init__(self, seed: int = 0) -> None:
        self._draw = random.Random(seed)
        self.told: list[tuple[bool, float | None]] = []

    def zero_feedback(self) -> None: ...

    def backward(self, target: object, feedback: object) -> None: ...

    async def propose(self, values: Values | None = None) -> Proposal:
        assert values is not None
        new = min(1000, max(0, int(str(values["dial"])) + self._draw.randint(-20, 20)))
        return Proposal({"dial": new}, f"from {values['dial']} to {new}", tokens=5)

    async def step(self) -> Proposal:
        raise NotImplementedError

    def step_sync(self) -> Proposal:
        raise NotImplementedError

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        del proposal
        self.told.append((accepted, score))


async def search(
    algorithm: Algorithm | str,
    *,
    seed: int = 0,
    concurrency: int = 8,
    proposals: int = 6,
    budget: Budget | None = None,
    events: list[TrainingEvent] | None = None,
    run_dir: Path | None = None,
    optimizer: Wanderer | None = None,
) -> TrainResult:
    heard: list[TrainingEvent] = [] if events is None else events
    draw = random.Random(seed)
    return await train(
        Dial(steps=lambda _: draw.randint(1, 9), space=SPACE),
        TRAIN,
        guide=closeness,
        optimizer=optimizer or Wanderer(seed),
        gate_tasks=GATE,
        proposals=proposals,
        batch_size=4,
        concurrency=concurrency,
        algorithm=algorithm,
        budget=budget,
        deterministic=True,
        lag=0,
        seed=seed,
        on_event=heard.append,
        run_dir=run_dir,
    )


@pytest.mark.parametrize("algorithm", EVERY)
async def test_every_algorithm_improves_the_live_version(algorithm: str, tmp_path: Path) -> None:
    """What it publishes has evidence of the gate, and the store equals its log."""
    result = await search(algorithm, run_dir=tmp_path)
    assert result.curve[-1].mean > result.curve[0].mean
    assert all(version.evidence is not None for version in result.versions[1:])
    with ParameterStore(tmp_path, SPACE) as store:
        verify(store)
        assert all(record.state != "open" for record in store.proposals())


@pytest.mark.parametrize("algorithm", EVERY)
async def test_the_same_seed_searches_alike_at_any_concurrency(algorithm: str) -> None:
    """Which episodes end first decides nothing."""
    curves = [(await search(algorithm, concurrency=c)).curve for c in (1, 3, 16)]
    assert curves[0] == curves[1] == curves[2]


async def test_the_beam_size_has_an_effect() -> None:
    """A wider beam builds on more candidates in each round, and ends higher over ten seeds."""
    ends: dict[int, list[float]] = {1: [], 4: []}
    children: dict[int, int] = {}
    for width in ends:
        events: list[TrainingEvent] = []
        for seed in range(10):
            events.clear()
            result = await search(BeamSearch(width, branch=2), seed=seed, events=events)
            ends[width].append(result.curve[-1].mean)
        made = {e.number for e in events if isinstance(e, ProposalRejected)}
        children[width] = len(made)
    assert children[4] > 2 * children[1]
    assert sum(ends[4]) > sum(ends[1])


async def test_parents_and_children_run_on_the_tasks_of_the_batch() -> None:
    """A round compares all of its candidates on the same tasks, under ids of their own."""
    events: list[TrainingEvent] = []
    await search(BasicSearch(branch=3), proposals=1, events=events)
    ended = [event for event in events if isinstance(event, EpisodeEnded)]
    searched = [event for event in ended if event.split == "search"]
    assert len(searched) == 3 * 4
    assert len({event.version for event in searched}) == 3
    assert all(event.version < 0 for event in searched)


async def test_the_optimizer_hears_of_every_proposal_once() -> None:
    """Each with its mean on the round's tasks, and whether it stayed in the pool."""
    optimizer = Wanderer()
    events: list[TrainingEvent] = []
    await search(BeamSearch(2, 2), events=events, optimizer=optimizer)
    scored = [score for _, score in optimizer.told if score is not None]
    assert len(scored) == len(
        {
            e.version
            for e in events
            if isinstance(e, EpisodeEnded) and e.split == "search" and e.version < 0
        }
    )
    assert any(accepted for accepted, _ in optimizer.told)


async def test_a_budget_ends_a_search_and_is_not_passed(tmp_path: Path) -> None:
    """What a round has left open is closed as abandoned, and nothing stays reserved."""
    result = await search("beam", proposals=50, budget=Budget(episodes=60), run_dir=tmp_path)
    assert result.stopped == "budget"
    assert result.spent.episodes <= 60
    with ParameterStore(tmp_path, SPACE) as store:
        verify(store)
        assert {record.state for record in store.proposals()} <= {
            "committed",
            "rejected",
            "noop",
            "abandoned",
        }


async def test_a_search_goes_on_after_its_budget_is_raised(tmp_path: Path) -> None:
    """The algorithm is in the log; the pool begins anew at the live version."""
    first = await search(
        PrioritySearch(size=5, explore=2),
        proposals=30,
        budget=Budget(episodes=80),
        run_dir=tmp_path,
    )
    again = await resume(
        tmp_path,
        Dial(space=SPACE),
        guide=closeness,
        optimizer=Wanderer(5),
        budget=Budget(episodes=400),
    )
    assert again.curve[-1].mean > first.curve[-1].mean


class OfMyOwn:
    """An algorithm of the user's: always the newest."""

    branch = 1

    def parents(self, pool: Sequence[Member]) -> Sequence[Member]:
        return pool[-1:]

    def kept(self, pool: Sequence[Member]) -> Sequence[Member]:
        return pool[-1:]


async def test_an_algorithm_of_the_users_own(tmp_path: Path) -> None:
    """It runs; a resumed run says that it cannot make it again."""
    await search(OfMyOwn(), run_dir=tmp_path)
    with pytest.raises(InvalidValue, match="OfMyOwn"):
        await resume(tmp_path, Dial(space=SPACE), guide=closeness, optimizer=Wanderer())


async def test_an_unknown_algorithm_is_refused() -> None:
    """The sentence names those that there are."""
    with pytest.raises(InvalidValue, match="minibatch, basic, beam, ucb, priority"):
        await search("bream")


async def test_an_upper_bound_looks_at_what_was_seen_least() -> None:
    """With much exploration UCB builds on more different parents than with none."""
    parents: dict[float, int] = {}
    for exploration in (0.0, 50.0):
        events: list[TrainingEvent] = []
        await search(UCBSearch(exploration=exploration), proposals=12, events=events)
        again = [e.version for e in events if isinstance(e, EpisodeEnded) and e.split == "search"]
        parents[exploration] = sum(1 for v in set(again) if again.count(v) > 4)
    assert parents[50.0] > parents[0.0]
