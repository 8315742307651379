"""Nodes, parameters with their types, and the DAG of an episode, as plain data."""

from trace_agents.graph.dag import (
    STRUCTURE,
    Edge,
    Graph,
    GraphNode,
    Kind,
    Reason,
    merge,
    topological,
)
from trace_agents.graph.parameters import Parameter, Parameters, Values
from trace_agents.graph.projections import BlackCodeFormatter, Projection
from trace_agents.graph.types import (
    Bool,
    Bullets,
    Choice,
    Code,
    JsonList,
    JsonObject,
    Number,
    Text,
    ValueType,
    dump,
    type_from_json,
    type_of,
)

__all__ = [
    "STRUCTURE",
    "BlackCodeFormatter",
    "Bool",
    "Bullets",
    "Choice",
    "Code",
    "Edge",
    "Graph",
    "GraphNode",
    "JsonList",
    "JsonObject",
    "Kind",
    "Number",
    "Parameter",
    "Parameters",
    "Projection",
    "Reason",
    "Text",
    "ValueType",
    "Values",
    "dump",
    "merge",
    "topological",
    "type_from_json",
    "type_of",
]
