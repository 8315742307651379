"""Train the agents you already have.

`wrap` an agent, `train` it, apply what was learnt; or trace plain Python with `node` and `bundle`.
"""

from typing import TYPE_CHECKING

from trace_agents.errors import (
    BudgetExhausted,
    EpisodeFailed,
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
    Bool,
    Bullets,
    Choice,
    Code,
    Graph,
    JsonList,
    JsonObject,
    Number,
    Parameter,
    Parameters,
    Text,
)
from trace_agents.lazily import importing
from trace_agents.loading import load_traces
from trace_agents.propagate import GraphPropagator, Propagator, SumPropagator, TraceGraph
from trace_agents.tracing import (
    ExceptionNode,
    ExecutionError,
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
    from trace_agents.optimizers import GEPA, OPRO, OptoPrime, Proposal, Search, TextGrad
    from trace_agents.training import (
        Budget,
        Gate,
        GuideFailed,
        Retry,
        Run,
        Spent,
        Stop,
        TrainResult,
        evaluate,
        resume,
        start_training,
        train,
    )

_later = {
    "Budget": "trace_agents.training",
    "GEPA": "trace_agents.optimizers",
    "Gate": "trace_agents.training",
    "GuideFailed": "trace_agents.training",
    "OPRO": "trace_agents.optimizers",
    "OptoPrime": "trace_agents.optimizers",
    "Proposal": "trace_agents.optimizers",
    "Retry": "trace_agents.training",
    "Run": "trace_agents.training",
    "Search": "trace_agents.optimizers",
    "Spent": "trace_agents.training",
    "Stop": "trace_agents.training",
    "TextGrad": "trace_agents.optimizers",
    "TrainResult": "trace_agents.training",
    "evaluate": "trace_agents.training",
    "resume": "trace_agents.training",
    "start_training": "trace_agents.training",
    "train": "trace_agents.training",
}
# what brings a database or a model layer: the import of this package stays light
__getattr__ = importing(__name__, _later)


def __dir__() -> list[str]:
    """Return all names, also those that nobody used yet."""
    return sorted({*globals(), *_later})


__all__ = [
    "GEPA",
    "OPRO",
    "BlackCodeFormatter",
    "Bool",
    "Budget",
    "BudgetExhausted",
    "Bullets",
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
    "GuideFailed",
    "InvalidValue",
    "JsonList",
    "JsonObject",
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
    "Retry",
    "Run",
    "SandboxError",
    "Search",
    "Spent",
    "Stop",
    "StoreError",
    "SumPropagator",
    "TaskFileError",
    "Text",
    "TextGrad",
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
    "resume",
    "start_training",
    "stop_tracing",
    "train",
    "wrap",
]
