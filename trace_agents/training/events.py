"""What `train` reports while it runs: frozen events, each with the state of the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TypeAlias, cast

from trace_agents.store import Evidence, ProposalState
from trace_agents.training.budget import Budget, Spent


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


TrainingEvent: TypeAlias = (
    RunStarted
    | EpisodeEnded
    | ProposalMade
    | GateRound
    | VersionPublished
    | ProposalRejected
    | Warned
)


def event_data(event: TrainingEvent) -> dict[str, object]:
    """Return an event as a JSON object; of the run's state it says what was spent until then."""
    data = cast("dict[str, object]", asdict(event))
    status = cast("dict[str, object]", data.pop("status"))
    return {**data, "spent": status["spent"]}
