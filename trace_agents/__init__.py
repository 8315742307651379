"""Train the agents you already have.

`wrap` an agent, `train` it, apply what was learnt; or trace plain Python with `node` and `bundle`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from trace_agents.errors import (
    BudgetExhausted,
    EpisodeFailed,
    ExecutionError,
    ExtraNotInstalled,
    ForeignNode,
    InvalidValue,
    MalformedReply,
    ModelError,
    NotWrappable,
    SandboxError,
    StoreError,
    TaskFileError,
    TraceAgentsError,
    TraceFileError,
    TraceMissingInputsError,
    UnknownModel,
    UnknownParameter,
    VersionConflict,
)
from trace_agents.feedback import Feedback
from trace_agents.graph import (
    BlackCodeFormatter,
    Choice,
    Code,
    Graph,
    Number,
    Parameter,
    Parameters,
    Text,
)
from trace_agents.loading import load_traces
from trace_agents.propagate import GraphPropagator, Propagator, SumPropagator, TraceGraph
from trace_agents.tracing import (
    ExceptionNode,
    MessageNode,
    Module,
    Node,
    ParameterNode,
    Trace,
    backward,
    bundle,
    current_trace,
    model,
    node,
    recording,
    stop_tracing,
)
from trace_agents.workflow import Workflow
from trace_agents.wrapping import applied, wrap

if TYPE_CHECKING:
    from trace_agents.optimizers import OptoPrime, Proposal
    from trace_agents.training import Budget, Gate, TrainResult, evaluate, train

_LATER = {
    "Budget": "trace_agents.training",
    "Gate": "trace_agents.training",
    "OptoPrime": "trace_agents.optimizers",
    "Proposal": "trace_agents.optimizers",
    "TrainResult": "trace_agents.training",
    "evaluate": "trace_agents.training",
    "train": "trace_agents.training",
}
"""What brings a database or a model layer is imported at its first use: the import stays light."""


def __getattr__(name: str) -> object:
    """Return a name that is imported at its first use."""
    if name not in _LATER:
        raise AttributeError(f"module 'trace_agents' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


__all__ = [
    "BlackCodeFormatter",
    "Budget",
    "BudgetExhausted",
    "Choice",
    "Code",
    "EpisodeFailed",
    "ExceptionNode",
    "ExecutionError",
    "ExtraNotInstalled",
    "Feedback",
    "ForeignNode",
    "Gate",
    "Graph",
    "GraphPropagator",
    "InvalidValue",
    "MalformedReply",
    "MessageNode",
    "ModelError",
    "Module",
    "Node",
    "NotWrappable",
    "Number",
    "OptoPrime",
    "Parameter",
    "ParameterNode",
    "Parameters",
    "Propagator",
    "Proposal",
    "SandboxError",
    "StoreError",
    "SumPropagator",
    "TaskFileError",
    "Text",
    "Trace",
    "TraceAgentsError",
    "TraceFileError",
    "TraceGraph",
    "TraceMissingInputsError",
    "TrainResult",
    "UnknownModel",
    "UnknownParameter",
    "VersionConflict",
    "Workflow",
    "applied",
    "backward",
    "bundle",
    "current_trace",
    "evaluate",
    "load_traces",
    "model",
    "node",
    "recording",
    "stop_tracing",
    "train",
    "wrap",
]
