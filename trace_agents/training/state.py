"""One run's state: what it counts, what it reports, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from trace_agents.store import ParameterStore, Version
from trace_agents.training.budget import Ledger, Spent
from trace_agents.training.episodes import EpisodeRunner, Rollout
from trace_agents.training.events import EpisodeEnded, Status, TrainingEvent, Warned, event_data
from trace_agents.training.pending import to_body
from trace_agents.training.tasks import Tasks

OnEvent: TypeAlias = Callable[[TrainingEvent], None]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The live version after one decision; decision -1 is before the first."""

    decision: int
    version: int
    mean: float
    """Mean gate score of the version."""
    se: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a run ends with."""

    best: Version
    versions: tuple[Version, ...]
    episodes: int
    """Episodes that this run finished, train and gate, with the failed ones."""
    failed: int
    peak_concurrency: int
    seconds: float
    spent: Spent
    curve: tuple[CurvePoint, ...]
    warnings: tuple[str, ...]
    train_tasks: tuple[object, ...] = ()
    gate_tasks: tuple[object, ...] = ()
    """The tasks that judged; split off from yours where you gave none."""


@dataclass(slots=True)
class RunState:
    """The mutable state of one `train` call."""

    store: ParameterStore
    ledger: Ledger
    runner: EpisodeRunner
    tasks: Tasks
    on_event: OnEvent | None = None
    durable: bool = False
    """Whether anybody could go on with the run if it were killed."""
    episodes: int = 0
    failed: int = 0
    decisions: int = 0
    gate: tuple[float, float] | None = None
    read: set[str] = field(default_factory=set[str])
    warnings: list[str] = field(default_factory=list[str])
    curve: list[CurvePoint] = field(default_factory=list[CurvePoint])

    @property
    def status(self) -> Status:
        """The state of the run at this moment."""
        mean, error = self.gate or (None, None)
        return Status(
            self.store.head.id,
            mean,
            error,
            self.ledger.spent,
            self.ledger.budget,
            self.runner.running,
            self.runner.peak,
            self.decisions,
            self.episodes,
            self.failed,
        )

    def emit(self, event: TrainingEvent) -> None:
        """Add an event to the store's log and tell the listener."""
        self.log(event)
        self.notify(event)

    def log(self, event: TrainingEvent) -> None:
        """Add an event to the store's log."""
        self.store.append(type(event).__name__, event_data(event))

    def notify(self, event: TrainingEvent) -> None:
        """Tell the listener of an event that is in the log."""
        if self.on_event is not None:
            self.on_event(event)

    def ended(self, rollout: Rollout) -> None:
        """Record a finished episode and report it."""
        self.episodes += 1
        self.failed += rollout.score is None
        self.read |= rollout.read
        event = EpisodeEnded(
            self.status,
            rollout.episode,
            rollout.split,
            rollout.version,
            rollout.status,
            rollout.score,
            rollout.error,
            tuple(sorted(rollout.read)),
        )
        with self.store.transaction():
            self.store.record_episode(rollout.record())
            if self.durable and rollout.split == "train":
                self.store.keep_pending(rollout.episode, to_body(rollout))
            self.log(event)
        self.notify(event)

    def warn(self, message: str) -> None:
        """Report a warning, once."""
        if message not in self.warnings:
            self.warnings.append(message)
            self.emit(Warned(self.status, message))

    def plot(self, decision: int) -> None:
        """Add the head to the learning curve."""
        if self.gate is not None:
            point = CurvePoint(decision, self.store.head.id, *self.gate)
            self.curve.append(point)
            self.store.append("CurvePoint", asdict(point))

    def result(self) -> TrainResult:
        """Return what the run ends with."""
        spent = self.ledger.spent
        return TrainResult(
            self.store.head,
            self.store.versions(),
            self.episodes,
            self.failed,
            self.runner.peak,
            spent.seconds,
            spent,
            tuple(self.curve),
            tuple(self.warnings),
            self.tasks.train,
            self.tasks.gate,
        )
