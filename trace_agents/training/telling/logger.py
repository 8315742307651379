"""The one protocol of loggers, and the figures that an event holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trace_agents.training.telling.events import (
    EpisodeEnded,
    GateRound,
    ProposalRejected,
    Status,
    TrainingEvent,
    VersionPublished,
)


@dataclass(frozen=True, slots=True)
class Record:
    """One event of a run, with the figures in it."""

    step: int
    """Episodes that had ended: the axis on which figures of all kinds meet."""
    time: float
    """Unix seconds."""
    event: TrainingEvent
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])


class Logger(Protocol):
    """Something that keeps the records of a run.

    Its methods are called one at a time from a worker thread, so that they may block: `log` with
    the records since the last call, oldest first, and `close` once, after the last of them, also
    when the run failed or was cancelled. The connection is best opened at the first `log`.
    """

    def log(self, records: Sequence[Record]) -> None:
        """Keep the records."""
        ...

    def close(self) -> None:
        """Write what is left and let go of everything."""
        ...


def metrics_of(event: TrainingEvent) -> dict[str, float]:
    """Return the figures that an event adds, by name; none where it holds none.

    `train/score` and `gate/score` are of single episodes; `gate/difference` is candidate minus
    head over the pairs so far; `head/…` and `spent/…` are the run's state.
    """
    match event:
        case EpisodeEnded():
            score = {} if event.score is None else {f"{event.split}/score": event.score}
            return {**score, **_spent(event.status)}
        case GateRound():
            evidence = event.evidence
            return {"gate/difference": evidence.mean, "gate/difference_se": evidence.se}
        case VersionPublished():
            return {"head/version": float(event.version), **_head(event.status)}
        case ProposalRejected():
            return {"head/version": float(event.status.version), **_head(event.status)}
        case _:
            return {}


def _head(status: Status) -> dict[str, float]:
    found = {"head/mean": status.gate_mean, "head/se": status.gate_se}
    return {name: value for name, value in found.items() if value is not None}


def _spent(status: Status) -> dict[str, float]:
    spent = status.spent
    return {
        "spent/tokens": float(spent.tokens),
        "spent/usd": spent.usd,
        "spent/calls": float(spent.calls),
        "episodes/failed": float(status.failed),
    }
