"""The experiment: train, control, and measure on tasks that nobody trained on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from trace_agents.graph import Graph, Values
from trace_agents.propagate import TraceGraph, backward
from trace_agents.store import Version
from trace_agents.tracing import Trace
from trace_agents.training import (
    Comparison,
    Gate,
    Rollout,
    TrainingEvent,
    TrainResult,
    evaluate,
    paired,
    train,
)
from trace_agents_multiagent.demo.build import (
    build_optimizer,
    build_team,
    guide_of,
    tasks_of,
)
from trace_agents_multiagent.demo.settings import CONTROLS, Settings
from trace_agents_multiagent.household import MAX_STEPS, HouseTask, judge, read_tasks
from trace_agents_multiagent.team import HouseholdTeam

FAILED = -float(MAX_STEPS)
"""The score of a test episode that failed: as bad as one that ran out of steps."""
SPANS = "spans.jsonl"


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
    seconds: float = 0.0
    stopped: bool = False
    """Whether the user ended the run before its test."""


Progress = Callable[[str, TrainingEvent | None], None]
"""Called with what runs now, and with each event of a training."""


class Experiment:
    """One run of the demo. Nothing in it outlives `run`."""

    def __init__(self, settings: Settings, progress: Progress, stop: anyio.Event) -> None:
        self._settings = settings
        self._progress = progress
        self._stop = stop
        self._team: HouseholdTeam = build_team(settings)
        self._tests = tasks_of("test", settings.test_seeds, settings.seed)
        self._gates = tasks_of("gate", settings.gate_tasks, settings.seed)
        self._trains = self._train_tasks()
        self._failures: list[Rollout] = []
        self._episodes = 0
        self._peak = 0

    async def run(self) -> Outcome:
        """Train and measure; return what was measured up to a stop."""
        began = time.monotonic()
        trained = await self._train("trained", self._settings.run_dir)
        outcome = Outcome(self._settings, trained, stopped=True)
        if not self._stop.is_set():
            comparisons = await self._measure(trained.best)
            episode, path = await self._one_episode(trained.best)
            outcome = Outcome(
                self._settings,
                trained,
                comparisons,
                len(self._failures),
                next((r.error or "" for r in self._failures), ""),
                episode,
                path,
                stopped=self._stop.is_set(),
            )
        seconds = time.monotonic() - began
        return replace(outcome, episodes=self._episodes, peak=self._peak, seconds=seconds)

    async def _measure(self, best: Version) -> dict[str, Comparison]:
        seeds = self._team.parameters().defaults()
        before = await self._test("before", seeds)
        after = await self._test("after", best.values)
        found = {"trained": self._paired(before, after)}
        for arm in CONTROLS if self._settings.controls else ():
            if self._stop.is_set():
                break
            values = seeds if arm == "frozen" else (await self._train(arm, None)).best.values
            controlled = await self._test(f"{arm} control", values)
            found[arm] = self._paired(before, controlled)
            found[f"trained - {arm}"] = self._paired(controlled, after)
        return found

    def _paired(self, before: Sequence[Rollout], after: Sequence[Rollout]) -> Comparison:
        return paired(before, after, failure_score=FAILED, seed=self._settings.seed)

    async def _train(self, arm: str, run_dir: Path | None) -> TrainResult:
        settings = self._settings
        with _SpanFile(run_dir) as spans:
            result = await train(
                self._team,
                self._trains,
                guide=guide_of(arm),
                optimizer=build_optimizer(settings, self._team.parameters(), arm),
                gate_tasks=self._gates,
                gate=Gate(failure_score=FAILED),
                budget=settings.budget,
                concurrency=settings.concurrency,
                batch_size=settings.batch_size,
                proposals=settings.proposals,
                deterministic=settings.deterministic,
                seed=settings.seed,
                run_dir=run_dir,
                on_event=lambda event: self._progress(arm, event),
                on_trace=spans.write if run_dir else None,
                stop=self._stop,
            )
        self._episodes += result.episodes
        self._peak = max(self._peak, result.peak_concurrency)
        return result

    async def _test(self, label: str, values: Values) -> tuple[Rollout, ...]:
        self._progress(f"testing: {label}", None)
        rollouts = await evaluate(
            self._team,
            self._tests,
            values,
            guide=judge,
            concurrency=self._settings.concurrency,
            split="test",
        )
        self._episodes += len(rollouts)
        self._failures += [rollout for rollout in rollouts if rollout.score is None]
        return rollouts

    async def _one_episode(self, best: Version) -> tuple[Graph | None, TraceGraph | None]:
        """Run one train task once more, to show its DAG and the way its feedback took."""
        rollouts = await evaluate(
            self._team,
            self._trains[:1],
            best.values,
            guide=judge,
            concurrency=1,
            split="train",
            keep_graphs=True,
        )
        self._episodes += len(rollouts)
        graph, feedback = rollouts[0].graph, rollouts[0].feedback
        if graph is None or feedback is None:
            return graph, None
        names = self._team.parameters().trainable
        return graph, backward(graph, feedback.text, parameters=names)

    def _train_tasks(self) -> Sequence[HouseTask]:
        if self._settings.train_file is not None:
            return read_tasks(self._settings.train_file)
        return tasks_of("train", self._settings.train_tasks, self._settings.seed)


class _SpanFile:
    """The trace file of a run: every episode's spans, written when the episode has ended."""

    def __init__(self, run_dir: Path | None) -> None:
        self._file = (run_dir / SPANS).open("w", encoding="utf-8") if run_dir else None

    def __enter__(self) -> _SpanFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, trace: Trace) -> None:
        """Append what the episode recorded."""
        for recorder in trace.recorders:
            if self._file is not None and recorder.filename == SPANS:
                self._file.writelines(f"{line}\n" for line in recorder.lines())
