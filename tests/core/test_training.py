from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.core.training_toys import SPACE, Climber, Dial, Scripted, closeness
from trace_agents.errors import ModelError
from trace_agents.graph import Graph, Kind
from trace_agents.store import ParameterStore
from trace_agents.training import (
    Budget,
    CurvePoint,
    Ledger,
    ProposalRejected,
    TrainingEvent,
    TrainResult,
    VersionPublished,
    train,
)

pytestmark = pytest.mark.filterwarnings("ignore:no episode has read the parameter 'spare'")

TRAIN = [f"train {i}" for i in range(10)]
GATE = [f"gate {i}" for i in range(8)]


async def climb(
    concurrency: int, delays: int, *, budget: Budget | None = None, lag: int = 1
) -> tuple[CurvePoint, ...]:
    draw = random.Random(delays)
    workflow = Dial(steps=lambda _: draw.randint(1, 30), fail=lambda task: task == "train 3")
    result = await train(
        workflow,
        TRAIN,
        guide=closeness,
        optimizer=Climber(),
        gate_tasks=GATE,
        proposals=12,
        budget=budget,
        concurrency=concurrency,
        batch_size=4,
        deterministic=True,
        seed=7,
        lag=lag,
    )
    return result.curve


@pytest.mark.parametrize("lag", [0, 1, 2])
@pytest.mark.parametrize("budget", [None, Budget(episodes=90)])
async def test_a_deterministic_run_does_not_depend_on_concurrency(
    lag: int, budget: Budget | None
) -> None:
    """The learning curve is the same at 1, 4 and 16 episodes at once, whatever the delays."""
    curve = await climb(1, 0, budget=budget, lag=lag)
    assert curve[-1].mean > curve[0].mean
    for concurrency, delays in ((4, 1), (16, 2), (16, 3)):
        assert await climb(concurrency, delays, budget=budget, lag=lag) == curve


def test_the_loop_runs_under_trio() -> None:
    """The same curve, on another event loop."""
    assert anyio.run(climb, 16, 1, backend="trio") == anyio.run(climb, 4, 2)


async def run(
    optimizer: Climber,
    *,
    workflow: Dial | None = None,
    proposals: int = 2,
    run_dir: Path | None = None,
    on_event: Callable[[TrainingEvent], None] | None = None,
    budget: Budget | Ledger | None = None,
    stop: anyio.Event | None = None,
) -> TrainResult:
    return await train(
        workflow or Dial(),
        TRAIN,
        guide=closeness,
        optimizer=optimizer,
        gate_tasks=GATE,
        proposals=proposals,
        batch_size=4,
        run_dir=run_dir,
        on_event=on_event,
        budget=budget,
        stop=stop,
    )


async def test_a_better_value_goes_live_with_its_evidence(tmp_path: Path) -> None:
    """The version, its evidence, the event and the saved file agree."""
    events: list[TrainingEvent] = []
    result = await run(Scripted({"dial": 40}), run_dir=tmp_path, on_event=events.append)
    assert (result.best.id, result.best.values["dial"]) == (1, 40)
    assert result.best.evidence is not None
    assert (result.best.evidence.baseline, result.best.evidence.mean) == (0, 40.0)
    published = [event for event in events if isinstance(event, VersionPublished)]
    assert [event.version for event in published] == [1]
    assert [point.version for point in result.curve] == [0, 1, 1]
    with ParameterStore(tmp_path, SPACE) as store:
        assert store.head == result.best
        assert [record.state for record in store.proposals()] == ["committed", "noop"]
        assert len(store.episodes()) == result.episodes


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"dial": 0}, "noop"),
        ({"dial": "fast"}, "invalid"),
        ({"dial": 101}, "invalid"),
        ({"dial": 40, "nobody": 1}, "invalid"),
        ("dial: 40", "invalid"),
        (None, "invalid"),
        (ModelError("the provider is down"), "invalid"),
    ],
)
async def test_a_bad_proposal_changes_nothing(change: object, state: str, tmp_path: Path) -> None:
    """It is recorded, and the run goes on to the next decision."""
    result = await run(Scripted(change, {"dial": 41}), run_dir=tmp_path)
    assert (len(result.versions), result.best.values["dial"]) == (2, 41)
    with ParameterStore(tmp_path, SPACE) as store:
        assert [record.state for record in store.proposals()] == [state, "committed"]


async def test_a_worse_proposal_is_rejected_and_the_optimizer_told() -> None:
    """The event says why."""
    events: list[TrainingEvent] = []
    optimizer = Scripted({"dial": 100}, {"dial": 30})
    result = await run(optimizer, on_event=events.append)
    rejected = [event for event in events if isinstance(event, ProposalRejected)]
    assert ("worse" in rejected[0].reason, len(result.versions)) == (True, 2)
    assert optimizer.told == [(False, -58.0), (True, -12.0)]


async def test_failing_episodes_are_counted_and_do_not_end_the_run() -> None:
    """Their errors reach the optimizer as words."""
    words: list[str] = []

    class Reader(Scripted):
        def backward(self, target: object, feedback: object) -> None:
            words.append(str(feedback))

    workflow = Dial(fail=lambda task: str(task).startswith("train"))
    result = await run(Reader(), workflow=workflow)
    assert (result.failed, len(result.versions)) == (8, 1)
    assert words[0].startswith("no score: the workflow raised ValueError: task train ")
    assert words[0].endswith(" is too hard")


async def test_a_parameter_that_nobody_reads_earns_a_warning() -> None:
    """The sentence names it."""
    result = await run(Scripted())
    assert len(result.warnings) == 1
    assert "'spare'" in result.warnings[0]


async def test_a_run_goes_on_from_the_head_of_its_folder(tmp_path: Path) -> None:
    """Versions, proposals and episode ids continue."""
    await run(Scripted({"dial": 20}), run_dir=tmp_path)
    result = await run(Scripted({"dial": 40}), run_dir=tmp_path)
    assert [version.values["dial"] for version in result.versions] == [0, 20, 40]


@pytest.mark.parametrize(
    ("theirs", "state"), [({"spare": "new"}, "committed"), ({"dial": 9}, "conflict")]
)
async def test_a_head_that_moved_meanwhile(
    theirs: dict[str, object], state: str, tmp_path: Path
) -> None:
    """The change is judged again on the new head, unless that changed the same parameter."""
    moved: list[int] = []

    def interfere(event: TrainingEvent) -> None:
        if type(event).__name__ == "GateRound" and not moved:
            with ParameterStore(tmp_path, SPACE) as other:
                moved.append(other.swap(theirs, expected=0).id)

    result = await run(Scripted({"dial": 40}), run_dir=tmp_path, on_event=interfere, proposals=1)
    with ParameterStore(tmp_path, SPACE) as store:
        assert [record.state for record in store.proposals()] == [state]
    if state == "committed":
        assert dict(result.best.values) == {"dial": 40, "spare": "new"}
        assert result.best.evidence is not None
        assert result.best.evidence.baseline == 1


async def test_stale_feedback_is_dropped_for_what_changed() -> None:
    """With a lag of 2 and no tolerance, the dial of old episodes is an input."""
    kinds: list[Kind] = []

    class Reader(Scripted):
        def backward(self, target: object, feedback: object) -> None:
            assert isinstance(target, Graph)
            kinds.append(target.nodes[0].kind)

    await train(
        Dial(),
        TRAIN,
        guide=closeness,
        optimizer=Reader({"dial": 10}, {"dial": 20}),
        gate_tasks=GATE,
        proposals=3,
        batch_size=1,
        lag=2,
        max_staleness=1,
        deterministic=True,
    )
    assert kinds == [Kind.PARAMETER, Kind.PARAMETER, Kind.INPUT]


async def test_64_episodes_at_once_each_see_one_version() -> None:
    """Swaps while they run do not reach them."""
    draw = random.Random(1)
    workflow = Dial(steps=lambda _: draw.randint(1, 60))
    result = await train(
        workflow,
        TRAIN,
        guide=closeness,
        optimizer=Climber(),
        gate_tasks=GATE,
        proposals=10,
        batch_size=64,
        concurrency=64,
    )
    live = {version.id: version.values["dial"] for version in result.versions}
    assert (result.peak_concurrency, len(live) > 2) == (64, True)
    for version, values in workflow.seen:
        assert values == {live[version]} if version >= 0 else len(values) == 1


@pytest.mark.parametrize("at", [1, 2, 3, 7, 15, 30, 45, 60, 75, 90, 110, 140])
async def test_cancelled_anywhere_nothing_is_left(at: int, tmp_path: Path) -> None:
    """No reservation, and the store equals what the log says was committed."""
    ledger, ticks = Ledger(), [0]
    with anyio.CancelScope() as scope:

        def tick() -> None:
            ticks[0] += 1
            if ticks[0] == at:
                scope.cancel()

        workflow = Dial(steps=lambda _: 2, tick=tick)
        await run(Climber(tick), workflow=workflow, budget=ledger, run_dir=tmp_path, proposals=8)
    assert scope.cancelled_caught
    assert ledger.reserved.episodes == 0
    with ParameterStore(tmp_path, SPACE) as store:
        log = [e.data["version"] for e in store.events() if e.kind == "VersionPublished"]
        assert log == [version.id for version in store.versions()[1:]]
        assert ledger.spent.episodes >= len(store.episodes())
        ended = [e.data["episode"] for e in store.events() if e.kind == "EpisodeEnded"]
        assert sorted(str(e) for e in ended) == sorted(r.episode for r in store.episodes())


async def test_stop_ends_the_run_with_a_result() -> None:
    """Without any budget; nothing stays reserved."""
    stop, ledger = anyio.Event(), Ledger()

    def on_event(event: TrainingEvent) -> None:
        if event.status.decisions == 3:
            stop.set()

    result = await run(Climber(), proposals=10**6, on_event=on_event, budget=ledger, stop=stop)
    assert result.best.id > 0
    assert ledger.reserved.episodes == 0


async def test_a_budget_ends_the_run_with_nothing_half_judged(tmp_path: Path) -> None:
    """The limit holds, and the last proposal is abandoned or decided."""
    result = await run(Climber(), proposals=99, budget=Budget(episodes=40), run_dir=tmp_path)
    assert result.spent.episodes <= 40
    assert any("episodes" in warning for warning in result.warnings)
    with ParameterStore(tmp_path, SPACE) as store:
        committed = [record for record in store.proposals() if record.state == "committed"]
        assert len(committed) == len(store.versions()) - 1


async def test_a_gate_on_train_tasks_is_refused() -> None:
    """The error shows the task; so is a run without an end."""
    with pytest.raises(ValueError, match="train 1"):
        await train(
            Dial(), TRAIN, guide=closeness, optimizer=Climber(), gate_tasks=TRAIN[1:2], proposals=1
        )
    with pytest.raises(ValueError, match="nothing would end"):
        await train(Dial(), TRAIN, guide=closeness, optimizer=Climber(), gate_tasks=GATE)
