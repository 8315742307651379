"""Feedback on its way back: minimal subgraphs, and rules of one's own."""

from trace_agents.propagate.backward import Feedbacks, backward
from trace_agents.propagate.propagators import (
    GraphPropagator,
    Propagator,
    Rule,
    SumPropagator,
)
from trace_agents.propagate.subgraph import TraceGraph

__all__ = [
    "Feedbacks",
    "GraphPropagator",
    "Propagator",
    "Rule",
    "SumPropagator",
    "TraceGraph",
    "backward",
]
