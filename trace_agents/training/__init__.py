"""Training: episodes, budget, gate, the asynchronous loop, and evaluation."""

from trace_agents.training.budget import Budget, Ledger, Reservation, Spent
from trace_agents.training.entry import train
from trace_agents.training.episodes import EpisodeRunner, Rollout
from trace_agents.training.evaluation import Comparison, evaluate, paired
from trace_agents.training.events import (
    EpisodeEnded,
    GateRound,
    ProposalMade,
    ProposalRejected,
    RunStarted,
    Status,
    TrainingEvent,
    VersionPublished,
    Warned,
)
from trace_agents.training.gate import Gate, Judge, Verdict
from trace_agents.training.loop import GuideFailed
from trace_agents.training.past import Rememberer, Tried
from trace_agents.training.resuming import resume
from trace_agents.training.state import CurvePoint, TrainResult
from trace_agents.training.tasks import read_tasks

__all__ = [
    "Budget",
    "Comparison",
    "CurvePoint",
    "EpisodeEnded",
    "EpisodeRunner",
    "Gate",
    "GateRound",
    "GuideFailed",
    "Judge",
    "Ledger",
    "ProposalMade",
    "ProposalRejected",
    "Rememberer",
    "Reservation",
    "Rollout",
    "RunStarted",
    "Spent",
    "Status",
    "TrainResult",
    "TrainingEvent",
    "Tried",
    "Verdict",
    "VersionPublished",
    "Warned",
    "evaluate",
    "paired",
    "read_tasks",
    "resume",
    "train",
]
