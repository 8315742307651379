"""Propagators: what feedback becomes on its way from a node to its inputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar

from trace_agents.errors import InvalidValue
from trace_agents.graph import Graph, GraphNode, topological
from trace_agents.propagate.backward import Feedbacks, at_outputs, backward
from trace_agents.propagate.subgraph import TraceGraph

M = TypeVar("M")

Rule: TypeAlias = Callable[[GraphNode, Sequence[GraphNode], M], Sequence[M]]
"""`rule(node, inputs, received)`: what each of the inputs gets, in their order."""


class GraphPropagator:
    """Minimal subgraphs, the default: every parameter receives what it caused."""

    def propagate(self, graph: Graph, feedback: Feedbacks) -> TraceGraph:
        """Return the minimal subgraph; see `backward`."""
        return backward(graph, feedback)


class Propagator(ABC, Generic[M]):
    """A table of local rules: how each operation passes on what it received.

    An operation without a rule of its own follows `rule`, which gives every input all of it.
    The walk is a reverse topological one, iterative: as linear as `add` is constant.
    """

    def __init__(self, rules: Mapping[str, Rule[M]] | None = None) -> None:
        self._rules = dict(rules or {})

    def register(self, operation: str, rule: Rule[M]) -> None:
        """Use `rule` for the operations of that name, such as `add` or a bundled function's."""
        self._rules[operation] = rule

    @abstractmethod
    def start(self, node: GraphNode, feedback: str) -> M:
        """Return what an output that got `feedback` passes on."""

    @abstractmethod
    def add(self, one: M, other: M) -> M:
        """Return the sum of what a node received from two consumers."""

    def rule(self, node: GraphNode, inputs: Sequence[GraphNode], received: M) -> Sequence[M]:
        """Return what each input gets: without a rule of the operation's own, all of it."""
        return [received] * len(inputs)

    def propagate(self, graph: Graph, feedback: Feedbacks) -> dict[str, M]:
        """Return what every node received, by node id; nodes that received nothing are left out.

        Raises:
            KeyError: feedback for a node that is not in the graph.
            InvalidValue: a rule returned another number of messages than there are inputs.
        """
        known = graph.by_id
        received = {n: self.start(known[n], t) for n, t in at_outputs(graph, feedback).items()}
        for node_id in reversed(topological(graph)):
            if node_id in received:
                self._pass_on(known[node_id], graph, received)
        return received

    def _pass_on(self, node: GraphNode, graph: Graph, received: dict[str, M]) -> None:
        inputs = [graph.by_id[edge.source] for edge in graph.inputs.get(node.id, ())]
        if not inputs:
            return
        rule = self._rules.get(node.operation or node.name, self.rule)
        parts = rule(node, inputs, received[node.id])
        if len(parts) != len(inputs):
            raise InvalidValue(
                f"the rule of {node.operation or node.name!r} returned {len(parts)} messages "
                f"for {len(inputs)} inputs; return one for each"
            )
        for source, part in zip(inputs, parts, strict=True):
            before = received.get(source.id)
            received[source.id] = part if before is None else self.add(before, part)


class SumPropagator(Propagator[str]):
    """All feedback goes to every ancestor of an output; where ways meet, the lines are joined.

    A line that came by several ways stands there once.
    """

    def start(self, node: GraphNode, feedback: str) -> str:
        """Return the feedback as it is."""
        return feedback

    def add(self, one: str, other: str) -> str:
        """Return both, each line once."""
        if one == other:
            return one
        return "\n".join(dict.fromkeys([*one.splitlines(), *other.splitlines()]))
