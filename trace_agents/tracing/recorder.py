"""What `node` and `bundle` keep for one episode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trace_agents.graph import Graph
from trace_agents.serialize import dump_graph
from trace_agents.tracing.context import Trace
from trace_agents.tracing.plain import to_graph

if TYPE_CHECKING:
    from trace_agents.tracing.nodes import Node
    from trace_agents.tracing.parameters import ParameterUse


@dataclass(slots=True, eq=False)
class NodeRecorder:
    """The nodes that `node` and `bundle` recorded in one episode: a `Recorder` of its trace."""

    trace: Trace
    nodes: list[Node] = field(default_factory=list["Node"])
    uses: dict[str, ParameterUse] = field(default_factory=dict[str, "ParameterUse"])

    @property
    def filename(self) -> str:
        """The file of graphs in a run's folder."""
        return "graphs.jsonl"

    def graph(self, trace: Trace) -> Graph:
        """Return the recorded nodes as plain data."""
        return replace(to_graph(self.nodes), episode=trace.episode, version=trace.version)

    def lines(self) -> Iterable[str]:
        """Return the graph as one line of JSON."""
        return [dump_graph(self.graph(self.trace))] if self.nodes else []


def nodes_of(trace: Trace) -> NodeRecorder:
    """Return the nodes of an episode's recording."""
    return trace.recorder(NodeRecorder, lambda: NodeRecorder(trace))
