"""Where the arms of the experiment run: one team, its tasks, training and testing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio

from trace_agents.graph import Graph, Values
from trace_agents.propagate import TraceGraph, backward
from trace_agents.store import Version
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
from trace_agents_multiagent.demo.settings import Settings
from trace_agents_multiagent.household import MAX_STEPS, HouseTask, judge, read_tasks

FAILED = -float(MAX_STEPS)
"""The score of an episode that failed: as bad as one that ran out of steps."""

Progress = Callable[[str, TrainingEvent | None], None]
"""Called with what runs now, and with each event of a training."""


class Laboratory:
    """Runs trainings and tests of one team, and counts what it ran."""

    def __init__(self, settings: Settings, progress: Progress, stop: anyio.Event) -> None:
        self.settings = settings
        self.team = build_team(settings)
        self.episodes = 0
        self.peak = 0
        self._progress = progress
        self._stop = stop
        self._tests = tasks_of("test", settings.test_seeds, settings.seed)
        self._gates = tasks_of("gate", settings.gate_tasks, settings.seed)
        self._trains = self._train_tasks()

    @property
    def seed_values(self) -> dict[str, object]:
        """The prompts with which the team begins."""
        return self.team.parameters().defaults()

    async def train(self, arm: str, run_dir: Path | None = None) -> TrainResult:
        """Train from the seed prompts; with a folder the run and its spans are kept there."""
        settings = self.settings
        result = await train(
            self.team,
            self._trains,
            guide=guide_of(arm),
            optimizer=build_optimizer(settings, self.team.parameters(), arm),
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
            stop=self._stop,
        )
        self.episodes += result.episodes
        self.peak = max(self.peak, result.peak_concurrency)
        return result

    async def test(self, label: str, values: Values) -> tuple[Rollout, ...]:
        """Run every test task with these prompts."""
        self._progress(f"testing: {label}", None)
        rollouts = await evaluate(
            self.team,
            self._tests,
            values,
            guide=judge,
            concurrency=self.settings.concurrency,
            split="test",
        )
        self.episodes += len(rollouts)
        return rollouts

    async def one_episode(self, best: Version) -> tuple[Graph | None, TraceGraph | None]:
        """Run one train task once more, to show its DAG and the way its feedback takes."""
        (rollout,) = await evaluate(
            self.team,
            self._trains[:1],
            best.values,
            guide=judge,
            concurrency=1,
            split="train",
            keep_graphs=True,
        )
        self.episodes += 1
        if rollout.graph is None or rollout.feedback is None:
            return rollout.graph, None
        names = self.team.parameters().trainable
        return rollout.graph, backward(rollout.graph, rollout.feedback.text, parameters=names)

    def compare(self, before: Sequence[Rollout], after: Sequence[Rollout]) -> Comparison:
        """Return the gain, paired by test task; failed episodes count as out of steps."""
        return paired(before, after, failure_score=FAILED, seed=self.settings.seed)

    def _train_tasks(self) -> Sequence[HouseTask]:
        if self.settings.train_file is not None:
            return read_tasks(self.settings.train_file)
        return tasks_of("train", self.settings.train_tasks, self.settings.seed)
