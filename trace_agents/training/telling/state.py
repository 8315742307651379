"""One run's state: what it counts, what it reports, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

import anyio

from trace_agents.store import ParameterStore, Version
from trace_agents.training.budgets.budget import Ledger, Spent
from trace_agents.training.episodes.pending import to_body
from trace_agents.training.episodes.runner import EpisodeRunner, Rollout
from trace_agents.training.tasks.lists import Tasks
from trace_agents.training.telling.events import (
    EpisodeEnded,
    Status,
    TrainingEvent,
    Warned,
    event_data,
)
from trace_agents.training.telling.failures import Failures
from trace_agents.training.telling.stopping import StopReason

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
class Report:
    """The first and the best version of a run, paired on tasks that it never saw before."""

    first: int
    """Id of the live version when the run began."""
    best: int
    """Id of the live version at its end."""
    n: int
    """Tasks on which both have a score."""
    before: float
    """Mean score of the first version."""
    before_se: float
    after: float
    """Mean score of the best version."""
    after_se: float
    gain: float
    """Mean of best minus first, task by task."""
    gain_se: float
    low: float
    """Lower end of the gain's 95 % interval: percentile bootstrap over the pairs."""
    high: float
    dropped: int
    """Tasks without a score on one side."""


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
    stopped: StopReason = "complete"
    """Why the run ended."""
    run: int = 0
    """Number of the run in its database."""
    report: Report | None = None
    """What the report tasks say, if there were any."""


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
    measured: tuple[int, float, float] | None = None
    """A version, its mean gate score and the standard error: the last that was live here."""
    failures: Failures = field(default_factory=Failures)
    read: set[str] = field(default_factory=set[str])
    warnings: list[str] = field(default_factory=list[str])
    curve: list[CurvePoint] = field(default_factory=list[CurvePoint])
    report: Report | None = None
    stopped: tuple[StopReason, str] | None = None
    """Why the run ends, once it is known, and a sentence."""
    heard: Callable[[Rollout], None] | None = None
    """Told of every train episode that is over."""
    dirty: anyio.Event = field(default_factory=anyio.Event)
    """Set while finished episodes wait to be written down."""
    _ended: list[tuple[Rollout, EpisodeEnded]] = field(
        default_factory=list[tuple[Rollout, EpisodeEnded]]
    )

    @property
    def status(self) -> Status:
        """The state of the run at this moment."""
        live = self.store.latest.id
        known = self.measured is not None and self.measured[0] == live
        _, mean, error = self.measured if self.measured and known else (live, None, None)
        return Status(
            live,
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
        self.flush()
        self.store.append(type(event).__name__, event_data(event))

    def notify(self, event: TrainingEvent) -> None:
        """Tell the listener of an event that is in the log."""
        if self.on_event is not None:
            self.on_event(event)

    def ended(self, rollout: Rollout) -> None:
        """Count a finished episode; `flush` writes it down and reports it."""
        self.episodes += 1
        self.failed += rollout.score is None
        self.read |= rollout.read
        if rollout.status != "stopped":
            self.failures.add(rollout.error, failed=rollout.score is None)
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
        self._ended.append((rollout, event))
        if self.heard is not None and rollout.split == "train":
            self.heard(rollout)
        self.dirty.set()

    def flush(self) -> None:
        """Write the finished episodes down in one step; only then are they reported."""
        if not self._ended:
            return
        ended, self._ended = self._ended, []
        self.dirty = anyio.Event()
        train = [rollout for rollout, _ in ended if rollout.split == "train"]
        self.store.record_ended(
            [rollout.record() for rollout, _ in ended],
            {r.episode: to_body(r) for r in train} if self.durable else {},
            [(type(event).__name__, event_data(event)) for _, event in ended],
        )
        for _, event in ended:
            self.notify(event)

    def end(self, reason: StopReason, message: str) -> None:
        """Note why the run ends; the first reason counts."""
        self.stopped = self.stopped or (reason, message)

    def warn(self, message: str) -> None:
        """Report a warning, once."""
        if message not in self.warnings:
            self.warnings.append(message)
            self.emit(Warned(self.status, message))

    def plot(self, decision: int) -> None:
        """Add the live version to the learning curve, as it was measured."""
        if self.measured is not None:
            point = CurvePoint(decision, *self.measured)
            self.curve.append(point)
            self.flush()
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
            self.stopped[0] if self.stopped else "complete",
            self.store.run,
            self.report,
        )
