"""The report: first and best version on tasks that neither taught nor judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.core.training_toys import Dial, Scripted, closeness
from trace_agents.errors import InvalidValue
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.store import ParameterStore, verify
from trace_agents.training import Budget, Gate, Report, TrainResult, resume, train

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
TRAIN = [f"train {i}" for i in range(8)]
GATE = [f"gate {i}" for i in range(4)]
REPORT = [f"report {i}" for i in range(5)]


async def run(
    folder: Path | None = None,
    *,
    dial: int = 40,
    budget: Budget | None = None,
    tick: Callable[[], None] = lambda: None,
    stop: anyio.Event | None = None,
    proposals: int = 2,
) -> TrainResult:
    return await train(
        Dial(space=SPACE, tick=tick, fail=lambda task: task == "report 3"),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        report_tasks=REPORT,
        optimizer=Scripted({"dial": dial}),
        proposals=proposals,
        batch_size=4,
        budget=budget,
        run_dir=folder,
        stop=stop,
    )


async def test_a_report_compares_the_first_and_the_best_version(tmp_path: Path) -> None:
    """Task by task; a task that failed on a side is left out, and none was seen before."""
    result = await run(tmp_path)
    assert result.report == Report(0, 1, 4, -42.0, 0.0, -2.0, 0.0, 40.0, 0.0, 40.0, 40.0, 1)
    with ParameterStore(tmp_path, SPACE) as store:
        told = {record.task for split in ("train", "gate") for record in store.episodes(split)}
        assert told.isdisjoint(REPORT)
        assert sorted(str(r.task) for r in store.episodes("report")) == sorted(REPORT * 2)
        assert store.pending() == {}
        assert verify(store) == ()


async def test_where_nothing_was_learnt_the_version_is_run_once(tmp_path: Path) -> None:
    """There is nothing to compare it with."""
    result = await run(tmp_path, dial=0)
    assert result.report is not None
    assert (result.report.first, result.report.best, result.report.gain) == (0, 0, 0.0)
    with ParameterStore(tmp_path, SPACE) as store:
        assert len(store.episodes("report")) == len(REPORT)


@pytest.mark.parametrize("budget", [Budget(episodes=30), Budget(tokens=90)])
async def test_the_budget_keeps_room_for_the_report(budget: Budget) -> None:
    """A run that ends because nothing is left has its report all the same."""
    result = await run(budget=budget, proposals=9)
    assert result.stopped == "budget"
    assert result.report is not None
    assert result.spent.episodes <= 30
    assert result.spent.tokens <= 90


async def test_a_run_without_room_for_its_report_says_so() -> None:
    """It warns at the start and goes on without; tasks that are not new are refused."""
    result = await run(budget=Budget(episodes=4))
    assert "no room for the 10 episodes of a report" in result.warnings[0]
    assert result.report is None
    with pytest.raises(InvalidValue, match="report tasks are also train or gate tasks"):
        await train(
            Dial(space=SPACE), TRAIN, guide=closeness, gate_tasks=GATE, report_tasks=GATE[:1]
        )


async def test_a_run_that_is_stopped_has_no_report() -> None:
    """Whoever stops a run does not wait for it; a warning says so."""
    stop = anyio.Event()
    stop.set()
    result = await run(stop=stop)
    assert result.report is None
    assert any("no report" in warning for warning in result.warnings)


@pytest.mark.parametrize("at", [18, 22, 24])
async def test_a_report_that_was_interrupted_is_completed(at: int, tmp_path: Path) -> None:
    """What was measured is not measured again; a complete one is returned as it is."""
    whole = await run()
    ticks = [0]
    with anyio.CancelScope() as scope:

        def tick() -> None:
            ticks[0] += 1
            if ticks[0] == at:
                scope.cancel()

        await run(tmp_path, tick=tick)
    assert scope.cancelled_caught
    for _ in range(2):
        result = await resume(
            tmp_path,
            Dial(space=SPACE, fail=lambda task: task == "report 3"),
            guide=closeness,
            optimizer=Scripted({"dial": 40}),
        )
        assert result.report == whole.report
    with ParameterStore(tmp_path, SPACE) as store:
        scored = [(r.version, r.task) for r in store.episodes("report") if r.score is not None]
        assert len(scored) == len(set(scored)) == 8
        assert [event.kind for event in store.events()].count("Reported") == 1


async def test_a_gate_with_a_constraint_has_to_be_given_again(tmp_path: Path) -> None:
    """A function is not in the log; the rest of the gate is."""
    gate = Gate(z=0.0, constraint=lambda rollout: "too high" if rollout.output == 40 else None)
    result = await train(
        Dial(space=SPACE),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Scripted({"dial": 40}),
        proposals=1,
        batch_size=4,
        run_dir=tmp_path,
        gate=gate,
    )
    assert len(result.versions) == 1
    space, again = Dial(space=SPACE), Scripted({"dial": 40}, {"dial": 30})
    with pytest.raises(InvalidValue, match="constraint"):
        await resume(tmp_path, space, guide=closeness, optimizer=again, proposals=3)
    result = await resume(tmp_path, space, guide=closeness, optimizer=again, proposals=3, gate=gate)
    assert dict(result.best.values) == {"dial": 30}
