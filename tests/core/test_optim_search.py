"""Search: scores in, typed points out, and no model anywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import anyio
import pytest

from tests.core.training_toys import Dial, closeness
from trace_agents.errors import ExtraNotInstalled, InvalidValue
from trace_agents.graph import (
    Choice,
    Edge,
    Graph,
    GraphNode,
    Kind,
    Number,
    Parameter,
    Parameters,
)
from trace_agents.graph.types import Bool
from trace_agents.optimizers import Proposal, Search, Tried
from trace_agents.optimizers.engines import EngineName
from trace_agents.tracing.bundle import bundle
from trace_agents.tracing.parameters import ParameterNode, node
from trace_agents.training import Budget, Gate, train

MIXED = Parameters(
    [
        Parameter("style", "plain", Choice(("plain", "formal", "kind"))),
        Parameter("cite", False, Bool()),
        Parameter("tries", 1, Number(1, 9, integer=True)),
        Parameter("heat", 1.0, Number(0, 2, step=0.25)),
        Parameter("share", 0.5, Number(0, 1)),
    ]
)
LINES = Parameters(Parameter(f"x{i}", 0.9, Number(0, 1)) for i in range(4))


def goodness(values: Mapping[str, object]) -> float:
    """Return 1 for the one best point of MIXED, and less for others."""
    tries, heat, share = (float(str(values[name])) for name in ("tries", "heat", "share"))
    named = (values["style"] == "kind") + (values["cite"] is True)
    far = abs(tries - 6) / 8 + abs(heat - 0.5) / 2 + abs(share - 0.2)
    return (named + 3 - far) / 5


async def searched(search: Search, count: int) -> list[Mapping[str, object]]:
    """Return what a search proposed when everything was evaluated in turn."""
    points: list[Mapping[str, object]] = []
    for _ in range(count):
        proposal = await search.propose()
        points.append({**search.parameters.defaults(), **proposal.changes})
        search.tell(proposal, accepted=False, score=goodness(points[-1]))
    return points


@pytest.mark.parametrize(("engine", "goal"), [("evolution", 0.97), ("tpe", 0.95)])
async def test_forty_trials_come_near_the_best(engine: EngineName, goal: float) -> None:
    """Both own engines find most of what there is, with choices, bools and numbers at once."""
    runs = [await searched(Search(MIXED, seed=seed, engine=engine), 40) for seed in range(3)]
    assert sum(max(map(goodness, points)) for points in runs) / 3 > goal
    assert all(MIXED.check(point) == point for points in runs for point in points)


async def test_search_learns_from_scores() -> None:
    """Twenty trials find more than sixty by chance."""
    own = [await searched(Search(MIXED, seed=seed), 20) for seed in range(5)]
    blind = [await searched(Search(MIXED, seed=s, engine="random"), 60) for s in range(5)]
    found, drawn = (sum(max(map(goodness, run)) for run in runs) for runs in (own, blind))
    assert found > drawn


async def test_what_does_not_matter_does_not_hide_what_does() -> None:
    """Among twelve parameters the two that change the score are found."""
    idle = [Parameter(f"idle{i}", "a", Choice(("a", "b", "c", "d"))) for i in range(10)]
    space = Parameters([*idle, *(p for p in MIXED.values() if p.name in ("style", "tries"))])
    search = Search(space, seed=0)
    best = 0.0
    for _ in range(40):
        proposal = await search.propose()
        values = {**space.defaults(), **proposal.changes}
        score = float(values["style"] == "kind") - abs(float(str(values["tries"])) - 6) / 8
        search.tell(proposal, accepted=False, score=score)
        best = max(best, score)
    assert best == 1.0


@pytest.mark.parametrize(("space", "engine"), [(LINES, "tpe"), (MIXED, "evolution")])
async def test_the_space_decides_on_the_engine(space: Parameters, engine: EngineName) -> None:
    """Four continuous numbers are searched by TPE, what has fewer by evolution."""
    assert await scored(Search(space, seed=3)) == await scored(Search(space, seed=3, engine=engine))


async def scored(search: Search) -> list[Mapping[str, object]]:
    """Return what a search proposed for a score of its own making."""
    points: list[Mapping[str, object]] = []
    for number in range(14):
        proposal = await search.propose()
        points.append(proposal.changes)
        search.tell(proposal, accepted=False, score=float(number * 7 % 5))
    return points


async def test_what_is_long_ago_is_forgotten() -> None:
    """With `recent`, a best that lies too far back is no best any more, and may be tried again."""
    search = Search(Parameters([Parameter("cite", False, Bool())]), recent=2)
    for score in (0.9, 0.1, 0.2):
        search.tell(await search.propose(), accepted=False, score=score)
    assert search.best is not None
    assert search.best.score == 0.2


async def test_a_resumed_search_goes_on_alike() -> None:
    """From the memos of the first half another instance makes the second half."""
    whole = await searched(Search(MIXED, seed=6), 24)
    first, tried = Search(MIXED, seed=6), list[Tried]()
    for _ in range(12):
        proposal = await first.propose()
        score = goodness({**MIXED.defaults(), **proposal.changes})
        first.tell(proposal, accepted=False, score=score)
        stored = replace(proposal, memo=json.loads(json.dumps(proposal.memo)))
        tried.append(Tried(stored, accepted=False, score=score))
    second = Search(MIXED, seed=6)
    second.remember(tried)
    assert await searched(second, 12) == whole[12:]


async def test_the_seed_fixes_every_choice() -> None:
    """The same seed makes the same proposals, another one others."""
    one, same, other = [await searched(Search(MIXED, seed=s), 20) for s in (3, 3, 4)]
    assert one == same
    assert one != other


async def test_a_search_begins_where_it_stands() -> None:
    """The first proposal keeps the values, and nothing is proposed twice."""
    points = await searched(Search(MIXED, seed=0), 30)
    assert points[0] == MIXED.defaults()
    assert all(point not in points[:place] for place, point in enumerate(points))


async def test_a_small_space_is_searched_to_its_end() -> None:
    """Every point runs once; then the best one is proposed, and the proposal says so."""
    space = Parameters(p for p in MIXED.values() if p.name in ("style", "cite"))
    search = Search(space, seed=0)
    seen: list[dict[str, object]] = []
    for _ in range(6):
        proposal = await search.propose()
        seen.append({**space.defaults(), **proposal.changes})
        search.tell(proposal, accepted=False, score=float(seen[-1]["style"] == "kind"))
    assert len({str(point) for point in seen}) == 6
    last = await search.propose()
    assert last.changes["style"] == "kind"
    assert "everything was tried" in last.reasoning


async def replayed(order: int) -> list[Mapping[str, object]]:
    """Return the proposals of four workers whose evaluations end in an order of their own."""
    search, made = Search(MIXED, seed=5, parallel=4), list[tuple[int, Mapping[str, object]]]()
    rng, started = Random(order), iter(range(24))

    async def work() -> None:
        for number in started:
            proposal = await search.propose()
            made.append((number, proposal.changes))
            for _ in range(rng.randrange(30)):
                await anyio.lowlevel.checkpoint()
            values = {**MIXED.defaults(), **proposal.changes}
            search.tell(proposal, accepted=False, score=goodness(values))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(work)
    return [changes for _, changes in sorted(made, key=lambda pair: pair[0])]


async def test_proposals_are_the_same_however_long_each_evaluation_takes() -> None:
    """With `parallel`, proposal i depends on the results 0 … i - parallel alone."""
    first = await replayed(0)
    assert len(first) == 24
    assert [await replayed(order) for order in (1, 2, 3)] == [first] * 3


def test_the_replay_is_the_same_under_trio() -> None:
    """Another event loop, another order, the same proposals."""
    assert anyio.run(replayed, 3, backend="trio") == anyio.run(replayed, 4)


async def test_a_score_belongs_to_the_value_that_ran() -> None:
    """A stale parameter, which is shown as an input, counts with the value that it had."""
    nodes = (
        GraphNode("p1", Kind.INPUT, "style", "kind"),
        GraphNode("p2", Kind.PARAMETER, "cite", value=True),
        GraphNode("out", Kind.OUTPUT, "out", "…"),
    )
    graph = Graph(nodes, (Edge("p1", "out"), Edge("p2", "out")), "ep")
    search = Search(MIXED.only("style", "cite"))
    search.backward(graph, "score 0.75")
    await search.propose()
    assert search.best is not None
    assert search.best.values == {"style": "kind", "cite": True}


async def test_a_cancelled_proposal_holds_up_nobody() -> None:
    """Who gives up waiting counts as told."""
    search = Search(MIXED, parallel=1)
    running = await search.propose()
    with anyio.move_on_after(0):
        await search.propose()
    search.tell(running, accepted=False, score=0.1)
    with anyio.fail_after(5):
        assert (await search.propose()).changes


async def test_free_text_stays_and_the_proposal_says_why() -> None:
    """A search pretends nothing: what it cannot change is named."""
    search = Search(
        Parameters([Parameter("prompt", "Be kind."), Parameter("n", 1.0), *MIXED.values()])
    )
    proposal = await search.propose()
    assert "'prompt' stays as it is" in proposal.problems[0]
    assert "'n' stays as it is" in proposal.problems[1]
    assert "Number(0, 1)" in proposal.problems[1]


async def test_nothing_to_search_is_no_error() -> None:
    """With free text alone the proposal is empty and says so."""
    proposal = await Search(Parameters([Parameter("prompt", "Be kind.")])).propose()
    assert proposal.changes == {}
    assert "OptoPrime" in proposal.problems[0]


async def test_a_frozen_parameter_is_not_searched() -> None:
    """`freeze` holds for a search too."""
    search = Search(MIXED.freeze("style"), seed=0)
    points = await searched(search, 10)
    assert {point["style"] for point in points} == {"plain"}


async def test_a_trial_that_failed_is_not_tried_again() -> None:
    """A proposal without a score is known, and is nobody's parent."""
    search = Search(Parameters([Parameter("cite", False, Bool())]))
    first = await search.propose()
    search.tell(first, accepted=False, score=0.0)
    failed = await search.propose()
    search.tell(failed, accepted=False)
    assert (await search.propose()).changes == {}
    assert search.best is not None
    assert search.best.values == {"cite": False}


async def test_feedback_without_a_score_is_named() -> None:
    """Words alone move no search; the proposal asks for a score."""
    x = parameter(1.0)
    search = Search([x])
    search.backward(double(x), "warmer, please")
    assert "'score 0.7'" in (await search.propose()).problems[0]


@bundle()
def double(x: float) -> float:
    """Return twice x."""
    return 2 * x


def parameter(value: float) -> ParameterNode:
    return node(value, "x", trainable=True, constraint=Number(0, 10, step=0.5))


async def test_feedback_with_scores_and_step_are_enough() -> None:
    """The loop of the tutorials finds the best value: zero, run, backward, step."""
    x = parameter(1.0)
    search = Search([x], seed=2)
    for _ in range(30):
        search.zero_feedback()
        out = double(x)
        search.backward(out, f"score {-abs(out.data - 13):g}\nsome words")
        await search.step()
    assert search.best is not None
    assert search.best.values == {"x": 6.5}


@pytest.mark.parametrize("deterministic", [True, False])
async def test_train_takes_a_search(deterministic: bool) -> None:
    """`train` finds the dial's best place without a model."""
    space = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
    result = await train(
        Dial(space=space),
        range(8),
        guide=closeness,
        optimizer=Search(space, seed=0),
        gate_tasks=range(100, 104),
        proposals=30,
        batch_size=2,
        gate=Gate(z=0),
        deterministic=deterministic,
        budget=Budget(episodes=2000),
    )
    dial = result.best.values["dial"]
    assert isinstance(dial, int)
    assert abs(dial - 42) <= 3


async def test_a_missing_engine_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without optuna the error says what to install; it is never chosen silently."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ExtraNotInstalled, match=r"trace-agents\[optuna\]"):
        Search(MIXED, engine="optuna")
    assert isinstance(await Search(LINES).propose(), Proposal)


def test_a_wrong_option_is_refused() -> None:
    """The sentence says which one."""
    with pytest.raises(InvalidValue, match="'anneal'"):
        Search(MIXED, engine="anneal")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidValue, match="parallel"):
        Search(MIXED, parallel=0)
    with pytest.raises(InvalidValue, match="recent"):
        Search(MIXED, recent=0)


async def test_optuna_searches_the_same_space() -> None:
    """With the extra, proposals are typed and repeatable as those of the own engines."""
    pytest.importorskip("optuna")
    one, same = [await searched(Search(MIXED, seed=1, engine="optuna"), 25) for _ in range(2)]
    assert one == same
    assert all(MIXED.check(point) == point for point in one)
    assert max(map(goodness, one)) > 0.8
