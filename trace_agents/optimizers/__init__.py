"""Optimizers: from feedback to typed proposals."""

from trace_agents.optimizers.base import GraphOptimizer, Listener, Optimizer, Proposal, Target
from trace_agents.optimizers.optoprime import OptoPrime

__all__ = ["GraphOptimizer", "Listener", "Optimizer", "OptoPrime", "Proposal", "Target"]
