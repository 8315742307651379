"""Training: episodes, budget, gate, the asynchronous loop, and evaluation."""

from trace_agents.optimizers.base import Rememberer, Tried
from trace_agents.training.algorithms import (
    Algorithm,
    BasicSearch,
    BeamSearch,
    Member,
    PrioritySearch,
    UCBSearch,
)
from trace_agents.training.arena import Evolved
from trace_agents.training.budget import Budget, Ledger, Reservation, Spent
from trace_agents.training.entry import start_training, train
from trace_agents.training.episodes import EpisodeRunner, Rollout
from trace_agents.training.evaluation import Comparison, evaluate, paired
from trace_agents.training.events import (
    EpisodeEnded,
    GateRound,
    ProposalMade,
    ProposalRejected,
    RolledBack,
    RunEnded,
    RunStarted,
    Status,
    TrainingEvent,
    VersionPublished,
    Warned,
)
from trace_agents.training.evolving import evolve
from trace_agents.training.focus import Batches
from trace_agents.training.gate import Constraint, Gate, Verdict
from trace_agents.training.handle import Missed, Run, RunUnfinished
from trace_agents.training.judge import Judge
from trace_agents.training.loader import DataLoader
from trace_agents.training.logger import Logger, Record
from trace_agents.training.loop import GuideFailed
from trace_agents.training.proposers import MakeOptimizer
from trace_agents.training.resuming import resume
from trace_agents.training.retrying import Retry
from trace_agents.training.service import Rollback
from trace_agents.training.state import CurvePoint, Report, TrainResult
from trace_agents.training.stopping import Stop, StopReason
from trace_agents.training.tasks import read_tasks

__all__ = [
    "Algorithm",
    "BasicSearch",
    "Batches",
    "BeamSearch",
    "Budget",
    "Comparison",
    "Constraint",
    "CurvePoint",
    "DataLoader",
    "EpisodeEnded",
    "EpisodeRunner",
    "Evolved",
    "Gate",
    "GateRound",
    "GuideFailed",
    "Judge",
    "Ledger",
    "Logger",
    "MakeOptimizer",
    "Member",
    "Missed",
    "PrioritySearch",
    "ProposalMade",
    "ProposalRejected",
    "Record",
    "Rememberer",
    "Report",
    "Reservation",
    "Retry",
    "Rollback",
    "RolledBack",
    "Rollout",
    "Run",
    "RunEnded",
    "RunStarted",
    "RunUnfinished",
    "Spent",
    "Status",
    "Stop",
    "StopReason",
    "TrainResult",
    "TrainingEvent",
    "Tried",
    "UCBSearch",
    "Verdict",
    "VersionPublished",
    "Warned",
    "evaluate",
    "evolve",
    "paired",
    "read_tasks",
    "resume",
    "start_training",
    "train",
]
