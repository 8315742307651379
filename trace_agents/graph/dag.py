"""The DAG of an episode as plain data: what happened, and which value flowed where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """What a node stands for."""

    PARAMETER = "parameter"
    TOOL_DEFINITION = "tool_definition"
    INPUT = "input"
    LLM_CALL = "llm_call"
    TOOL_CALL = "tool_call"
    MESSAGE = "message"
    OPERATION = "operation"
    EXCEPTION = "exception"
    OUTPUT = "output"
    AGENT = "agent"
    CHAIN = "chain"


class Reason(StrEnum):
    """How an edge is known (DESIGN, invariant 5)."""

    DECLARED = "declared"
    LINK = "link"
    TOOL_CALL_ID = "tool_call_id"
    MESSAGE_ID = "message_id"
    CONTENT = "content"
    PARAMETER = "parameter"
    CONTAINMENT = "containment"


STRUCTURE = frozenset({Reason.CONTAINMENT})
"""Reasons that say where a node lies, not what flowed into it: feedback does not follow them."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Data that flowed from node `source` to node `target`."""

    source: str
    target: str
    reason: Reason = Reason.DECLARED
    label: str = ""
    """The argument's name at the target, where it has one."""


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One event, value or parameter of an episode. `value` is JSON-like data."""

    id: str
    kind: Kind
    name: str
    value: object = None
    agent: str | None = None
    description: str = ""
    error: str | None = None
    finished: bool = True
    spans: tuple[str, ...] = ()
    """Hex ids of the spans that tell this event; empty for what no span told."""
    operation: str = ""
    """What was done, where the name has a number that makes it unique: `add` of `add7`."""
    constants: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)
    """Arguments that were plain values, by name; those that were nodes are edges."""


@dataclass(frozen=True)
class Graph:
    """An immutable DAG: nodes in the order in which they happened, and edges with reasons."""

    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[Edge, ...] = ()
    episode: str = ""
    version: int | None = None
    problems: tuple[str, ...] = field(default=(), compare=False)
    """What could not be read, in sentences."""

    @cached_property
    def by_id(self) -> Mapping[str, GraphNode]:
        """The nodes by their id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def inputs(self) -> Mapping[str, tuple[Edge, ...]]:
        """The data-flow edges into each node that has any."""
        return _grouped((e for e in self.edges if e.reason not in STRUCTURE), "target")

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Edge, ...]]:
        """The data-flow edges out of each node that has any."""
        return _grouped((e for e in self.edges if e.reason not in STRUCTURE), "source")

    def of_kind(self, *kinds: Kind) -> Iterator[GraphNode]:
        """Yield the nodes of these kinds, in order."""
        return (node for node in self.nodes if node.kind in kinds)

    @property
    def outputs(self) -> tuple[GraphNode, ...]:
        """The nodes of kind output, else the data nodes that nothing consumed."""
        declared = tuple(self.of_kind(Kind.OUTPUT))
        return declared or tuple(
            n
            for n in self.nodes
            if n.id not in self.consumers and n.kind not in (Kind.AGENT, Kind.CHAIN)
        )


def _grouped(edges: Iterable[Edge], end: str) -> Mapping[str, tuple[Edge, ...]]:
    groups: dict[str, list[Edge]] = {}
    for edge in edges:
        groups.setdefault(getattr(edge, end), []).append(edge)
    return {node: tuple(group) for node, group in groups.items()}


def topological(graph: Graph) -> list[str]:
    """Return the node ids, every node after those whose data it took; linear, iterative.

    Nodes that a cycle holds (no recording makes one; a hostile file may) come last, in order.
    """
    waiting = {node.id: len(graph.inputs.get(node.id, ())) for node in graph.nodes}
    ready = [node.id for node in reversed(graph.nodes) if waiting[node.id] == 0]
    order: list[str] = []
    while ready:
        current = ready.pop()
        order.append(current)
        for edge in reversed(graph.consumers.get(current, ())):
            waiting[edge.target] -= 1
            if waiting[edge.target] == 0:
                ready.append(edge.target)
    if len(order) < len(graph.nodes):
        placed = set(order)
        order.extend(node.id for node in graph.nodes if node.id not in placed)
    return order


def merge(graphs: Iterable[Graph], episode: str = "", version: int | None = None) -> Graph:
    """Return one graph with the nodes and edges of all; a node with a known id is kept once."""
    nodes: dict[str, GraphNode] = {}
    edges: dict[Edge, None] = {}
    problems: list[str] = []
    for graph in graphs:
        for node in graph.nodes:
            nodes.setdefault(node.id, node)
        edges.update(dict.fromkeys(graph.edges))
        problems.extend(graph.problems)
    return Graph(tuple(nodes.values()), tuple(edges), episode, version, tuple(problems))
