"""Recording: nodes, bundled functions, modules, and the one ContextVar that says for whom."""

from trace_agents.tracing.bundle import Bundle, bundle
from trace_agents.tracing.context import (
    Recorder,
    Trace,
    current_trace,
    recording,
    stop_tracing,
)
from trace_agents.tracing.failure import ExecutionError
from trace_agents.tracing.feedback import backward
from trace_agents.tracing.module import Module, model
from trace_agents.tracing.nodes import ExceptionNode, MessageNode, Node
from trace_agents.tracing.parameters import ParameterNode, node
from trace_agents.tracing.plain import to_graph

__all__ = [
    "Bundle",
    "ExceptionNode",
    "ExecutionError",
    "MessageNode",
    "Module",
    "Node",
    "ParameterNode",
    "Recorder",
    "Trace",
    "backward",
    "bundle",
    "current_trace",
    "model",
    "node",
    "recording",
    "stop_tracing",
    "to_graph",
]
