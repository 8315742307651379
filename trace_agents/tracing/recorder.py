"""What `node` and `bundle` keep for one episode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trace_agents.graph import Graph
from trace_agents.serialize import dump_graph
from trace_agents.tracing.context import Scope, Trace
from trace_agents.tracing.plain import to_graph

if TYPE_CHECKING:
    from trace_agents.tracing.nodes import Node


@dataclass(frozen=True, slots=True, eq=False)
class NodeRecorder:
    """The nodes that `node` and `bundle` recorded in one episode: a `Recorder` of its trace."""

    scope: Scope

    @property
    def filename(self) -> str:
        """The file of graphs in a run's folder."""
        return "graphs.jsonl"

    def graph(self, trace: Trace) -> Graph:
        """Return the recorded nodes as plain data."""
        return self._graph()

    def lines(self) -> Iterable[str]:
        """Return the graph as one line of JSON."""
        return [dump_graph(self._graph())]

    def _graph(self) -> Graph:
        return to_graph(self.scope.nodes, mark=self.scope.mark)


def keep(trace: Trace, made: Node) -> None:
    """Add a node to the recording that it belongs to."""
    scope = trace.scope
    if scope.mark.body:
        return  # the inside of an operation is held by the operation's node
    if not scope.nodes:
        trace.recorder(NodeRecorder, lambda: NodeRecorder(scope))
    scope.nodes.append(made)
