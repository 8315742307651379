"""Optimizers: from feedback to typed proposals."""

from trace_agents.optimizers.base import (
    FeedbackOptimizer,
    GraphOptimizer,
    Listener,
    Optimizer,
    Proposal,
    Rememberer,
    Target,
    Tried,
)
from trace_agents.optimizers.gepa import GEPA
from trace_agents.optimizers.opro import OPRO
from trace_agents.optimizers.optoprime import OptoPrime
from trace_agents.optimizers.sampling import Spread
from trace_agents.optimizers.search import Search
from trace_agents.optimizers.textgrad import TextGrad

__all__ = [
    "GEPA",
    "OPRO",
    "FeedbackOptimizer",
    "GraphOptimizer",
    "Listener",
    "Optimizer",
    "OptoPrime",
    "Proposal",
    "Rememberer",
    "Search",
    "Spread",
    "Target",
    "TextGrad",
    "Tried",
]
