"""Training: episodes, budget, gate, the asynchronous loop, and evaluation."""

from trace_agents.optimizers.base import Rememberer, Tried
from trace_agents.training.budgets.budget import Budget, Ledger, Reservation, Spent
from trace_agents.training.episodes.evaluation import Comparison, evaluate, paired
from trace_agents.training.episodes.mistakes import GuideFailed
from trace_agents.training.episodes.retrying import Retry
from trace_agents.training.episodes.runner import EpisodeRunner, Rollout
from trace_agents.training.judging.gate import Constraint, Gate, Verdict
from trace_agents.training.judging.judge import Judge
from trace_agents.training.judging.service import Rollback
from trace_agents.training.proposals.focus import Batches
from trace_agents.training.proposals.proposers import MakeOptimizer
from trace_agents.training.runs.entry import start_training, train
from trace_agents.training.runs.handle import Missed, Run, RunUnfinished
from trace_agents.training.runs.resuming import resume
from trace_agents.training.search.algorithms import (
    Algorithm,
    BasicSearch,
    BeamSearch,
    Member,
    PrioritySearch,
    UCBSearch,
)
from trace_agents.training.search.arena import Evolved
from trace_agents.training.search.evolving import evolve
from trace_agents.training.tasks.lists import read_tasks
from trace_agents.training.tasks.loader import DataLoader
from trace_agents.training.telling.events import (
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
from trace_agents.training.telling.logger import Logger, Record
from trace_agents.training.telling.state import CurvePoint, Report, TrainResult
from trace_agents.training.telling.stopping import Stop, StopReason

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
