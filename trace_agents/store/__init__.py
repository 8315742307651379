"""The run's memory: versions of the parameters, episodes, proposals and events, in SQLite."""

from trace_agents.store.records import (
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
    "EpisodeRecord",
    "Event",
    "Evidence",
    "Origin",
    "ParameterStore",
    "ProposalRecord",
    "ProposalState",
    "Version",
    "canonical",
    "diff",
    "read_values",
    "typed",
]
