"""What `train` reports while it runs: frozen events, each with the state of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from trace_agents.store import CanaryEvidence, Evidence, ProposalState
from trace_agents.training.budgets.budget import Budget, Spent
from trace_agents.training.telling.stopping import StopReason


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a run at one moment."""

    version: int
    """Id of the live version."""
    gate_mean: float | None
    """Mean gate score of the live version, once it is known."""
    gate_se: float | None
    spent: Spent
    limit: Budget
    running: int
    peak: int
    decisions: int
    episodes: int
    failed: int
    """Episodes that did not end with a score."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins, or goes on after it was interrupted."""

    status: Status
    train_tasks: int
    gate_tasks: int
    held_out: bool
    """Whether the run itself split the gate tasks off."""
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class EpisodeEnded:
    """An episode is over and recorded."""

    status: Status
    episode: str
    split: str
    version: int
    outcome: str
    score: float | None
    error: str | None
    read: tuple[str, ...] = ()
    """Names of the parameters that it read."""


@dataclass(frozen=True, slots=True)
class ProposalMade:
    """The optimizer proposed to change these parameters."""

    status: Status
    number: int
    changed: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateRound:
    """One round of a candidate's judgement is over."""

    status: Status
    number: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class VersionPublished:
    """A candidate passed the gate and is live."""

    status: Status
    number: int
    version: int
    changed: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The live version was worse in service than the one before, whose values are live again."""

    status: Status
    version: int
    """Id of the new version."""
    to: int
    """Id of the version whose values it has."""
    evidence: Evidence
    reason: str


@dataclass(frozen=True, slots=True)
class ProposalRejected:
    """A proposal changed nothing; `state` says in which way, `reason` why."""

    status: Status
    number: int
    state: ProposalState
    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the user should know."""

    status: Status
    message: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over; nothing comes after this."""

    status: Status
    reason: StopReason
    message: str


TrainingEvent: TypeAlias = (
    RunStarted
    | EpisodeEnded
    | ProposalMade
    | GateRound
    | VersionPublished
    | RolledBack
    | ProposalRejected
    | Warned
    | RunEnded
)


def event_data(event: TrainingEvent) -> dict[str, object]:
    """Return an event as a JSON object; of the run's state it says what was spent until then."""
    data = {name: _plain(getattr(event, name)) for name in event.__slots__ if name != "status"}
    return {**data, "spent": _plain(event.status.spent)}


def _plain(value: object) -> object:
    if isinstance(value, (Evidence, CanaryEvidence, Spent)):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    return value
