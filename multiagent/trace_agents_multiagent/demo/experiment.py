"""The experiment: train, control, and measure on tasks that nobody trained on."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import anyio
from anyio import to_process

from trace_agents.graph import Graph
from trace_agents.propagate import TraceGraph
from trace_agents.training import Comparison, Rollout, TrainResult
from trace_agents_multiagent.demo.laboratory import Laboratory, Progress
from trace_agents_multiagent.demo.settings import Settings

APART = ("shuffled", "random")
"""The controls that train too: they run in processes of their own, beside the main arm."""


@dataclass(frozen=True)
class Outcome:
    """What the demo measured."""

    settings: Settings
    trained: TrainResult
    comparisons: Mapping[str, Comparison] = field(default_factory=dict[str, Comparison])
    """Test scores before and after, of the trained team and of each control, by arm; under
    `trained - ARM` those of the control against those of the trained team."""
    failed: int = 0
    """Test episodes that failed; they count as out of steps."""
    failure: str = ""
    """What the first of them said."""
    episode: Graph | None = None
    path: TraceGraph | None = None
    episodes: int = 0
    peak: int = 0
    """The most episodes that were under way at once in one process."""
    seconds: float = 0.0
    stopped: bool = False
    """Whether the user ended the run before its test."""


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What a control in another process brings back."""

    rollouts: tuple[Rollout, ...]
    episodes: int


def run_control(settings: Settings, arm: str) -> ControlResult:
    """Train one control and test it; called in a process of its own."""
    # Ctrl-C reaches every process of a terminal; the main one decides what ends when
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return anyio.run(_control, settings, arm)


async def _control(settings: Settings, arm: str) -> ControlResult:
    laboratory = Laboratory(settings, lambda _arm, _event: None, anyio.Event())
    trained = await laboratory.train(arm)
    rollouts = await laboratory.test(arm, trained.best.values)
    return ControlResult(rollouts, laboratory.episodes)


async def run_experiment(settings: Settings, progress: Progress, stop: anyio.Event) -> Outcome:
    """Train and measure; after a stop, return what was learnt up to it."""
    began = time.monotonic()
    laboratory = Laboratory(settings, progress, stop)
    beside = _Beside(settings, progress, stop)
    outcomes: list[Outcome] = []  # the last one stands, also after a stop
    async with anyio.create_task_group() as group:
        group.start_soon(_cancel_when, stop, group.cancel_scope)
        group.start_soon(beside.run)
        with anyio.CancelScope(shield=True):
            # a stop ends the training from within: what runs is finished, all of it is kept
            trained = await laboratory.train("trained", settings.run_dir)
            outcomes.append(Outcome(settings, trained, stopped=True))
        outcomes.append(await _measure(laboratory, outcomes[-1], beside))
        group.cancel_scope.cancel()
    return replace(
        outcomes[-1],
        episodes=laboratory.episodes + sum(r.episodes for r in beside.results.values()),
        peak=laboratory.peak,
        seconds=time.monotonic() - began,
    )


async def _cancel_when(stop: anyio.Event, scope: anyio.CancelScope) -> None:
    await stop.wait()
    scope.cancel()


@dataclass
class _Beside:
    """The controls that run beside the main arm, each in a process of its own."""

    settings: Settings
    progress: Progress
    stop: anyio.Event
    results: dict[str, ControlResult] = field(default_factory=dict[str, ControlResult])
    done: anyio.Event = field(default_factory=anyio.Event)

    async def run(self) -> None:
        async with anyio.create_task_group() as group:
            for arm in APART if self.settings.controls else ():
                group.start_soon(self._one, arm)
        self.done.set()

    async def _one(self, arm: str) -> None:
        try:
            self.results[arm] = await to_process.run_sync(
                run_control, self.settings, arm, cancellable=True
            )
        except KeyboardInterrupt:  # Ctrl-C came while the process was starting: the run ends
            self.stop.set()
            return
        self.progress(f"{arm} control: trained and tested", None)


async def _measure(laboratory: Laboratory, outcome: Outcome, beside: _Beside) -> Outcome:
    best = outcome.trained.best
    before = await laboratory.test("before", laboratory.seed_values)
    after = await laboratory.test("after", best.values)
    tested = {"trained": after}
    if outcome.settings.controls:
        tested["frozen"] = await laboratory.test("frozen", laboratory.seed_values)
    episode, path = await laboratory.one_episode(best)
    await beside.done.wait()
    tested |= {arm: beside.results[arm].rollouts for arm in APART if arm in beside.results}
    failures = [r for rollouts in (before, *tested.values()) for r in rollouts if r.score is None]
    found = {arm: laboratory.compare(before, rollouts) for arm, rollouts in tested.items()}
    leads = {
        f"trained - {arm}": laboratory.compare(rollouts, after)
        for arm, rollouts in tested.items()
        if arm != "trained"
    }
    return replace(
        outcome,
        comparisons=found | leads,
        failed=len(failures),
        failure=next((rollout.error or "" for rollout in failures), ""),
        episode=episode,
        path=path,
        stopped=False,
    )
