"""The memory of runs: versions, episodes, proposals and events, in SQLite or PostgreSQL."""

from trace_agents.store.folding import State, fold, verify
from trace_agents.store.records import (
    CanaryEvidence,
    EpisodeRecord,
    Event,
    Evidence,
    Origin,
    ProposalRecord,
    ProposalState,
    Version,
    canonical,
    diff,
    read_values,
)
from trace_agents.store.store import ParameterStore, typed

__all__ = [
    "CanaryEvidence",
    "EpisodeRecord",
    "Event",
    "Evidence",
    "Origin",
    "ParameterStore",
    "ProposalRecord",
    "ProposalState",
    "State",
    "Version",
    "canonical",
    "diff",
    "fold",
    "read_values",
    "typed",
    "verify",
]
