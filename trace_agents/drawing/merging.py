"""Repeated structure of a graph as one node each: chains, siblings, inputs, runs of one agent.

Every function merges nodes that can be merged without making a cycle, in linear time, and leaves
the nodes in `kept` alone. Values are plain: a merged graph is a new graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from trace_agents.drawing.words import bare_operation, short
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason, topological

_TIMES = "\N{MULTIPLICATION SIGN}"
_NAMED = 3
"""The most operations, and the most agents, that a merged node's name lists."""


@dataclass(frozen=True, slots=True)
class Group:
    """What a merged node stands for."""

    operations: tuple[str, ...]
    """The names of the first few different operations, without their agents."""
    agents: tuple[str, ...] = ()
    """The first few different agents."""
    count: int = 1
    """How many nodes of the first graph."""

    @property
    def name(self) -> str:
        """The operations and how many nodes they are; the agents, where there are several."""
        agents = f"{_listed(self.agents)}: " if len(self.agents) > 1 else ""
        if len(self.operations) == 1:
            return f"{agents}{short(self.operations[0], 40)} {_TIMES}{self.count}"
        return f"{agents}{_listed(self.operations)} ({_TIMES}{self.count})"


@dataclass(frozen=True, slots=True)
class Merged:
    """A graph in which some nodes stand for several."""

    graph: Graph
    groups: Mapping[str, Group] = field(default_factory=dict[str, Group])
    """Those nodes, by id."""

    def group(self, node: GraphNode) -> Group:
        """Return what a node stands for: itself, where nothing was merged into it."""
        known = self.groups.get(node.id)
        if known is not None:
            return known
        agents = (node.agent,) if node.agent else ()
        return Group((bare_operation(node).removeprefix(f"{node.agent}."),), agents)

    def signature(self, node: GraphNode) -> tuple[object, ...]:
        """Return what nodes have in common that do the same."""
        known = self.groups.get(node.id)
        if known is not None:
            return known.operations, known.agents
        return bare_operation(node), node.agent


def chains(state: Merged, kept: frozenset[str]) -> Merged:
    """Merge operations of which each is all that the next one reads, and is read by it alone.

    Parameters do not count as what an operation reads; constants of one operation join it.
    """
    graph = state.graph
    follows: dict[str, str] = {}
    for node in graph.nodes:
        if node.id not in kept and node.kind is not Kind.OUTPUT:
            read = _flowing(graph, node.id)
            if len(read) == 1 and _joins(graph, read[0], node.id, kept):
                follows[read[0]] = node.id
    later = set(follows.values())
    parts: list[list[str]] = []
    for start in follows:
        if start in later:
            continue
        part = [start]
        while part[-1] in follows:
            part.append(follows[part[-1]])
        constants = [c for member in part[1:] for c in _constants(graph, member, kept)]
        parts.append([part[0], *constants, *part[1:]])
    return _contract(state, parts, keeps_value=True)


def siblings(state: Merged, kept: frozenset[str]) -> Merged:
    """Merge nodes of one operation that read the same nodes and are read by the same ones."""
    graph = state.graph
    alike: dict[object, list[str]] = {}
    for node in graph.nodes:
        if node.id not in kept:
            key = (
                state.signature(node),
                node.kind,
                frozenset((e.source, e.label) for e in graph.inputs.get(node.id, ())),
                frozenset((e.target, e.label) for e in graph.consumers.get(node.id, ())),
            )
            alike.setdefault(key, []).append(node.id)
    return _contract(state, (part for part in alike.values() if len(part) > 1))


def inputs(state: Merged, kept: frozenset[str]) -> Merged:
    """Merge every input that one operation alone reads into that operation."""
    graph = state.graph
    parts: list[list[str]] = []
    for node in graph.nodes:
        if node.id not in kept and node.kind is not Kind.OUTPUT:
            own = _constants(graph, node.id, kept)
            if own:
                parts.append([*own, node.id])
    return _contract(state, parts, keeps_value=True)


def agents(state: Merged, kept: frozenset[str]) -> Merged:
    """Merge what one agent of one episode did without a break."""
    return _runs(state, kept, lambda node: node.agent and f"{_episode(node)}/{node.agent}")


def episodes(state: Merged, kept: frozenset[str]) -> Merged:
    """Merge what one of several episodes did."""
    return _runs(state, kept, _episode)


def _runs(state: Merged, kept: frozenset[str], key: Callable[[GraphNode], str | None]) -> Merged:
    # neighbours in an order in which the operations could run: merged, they make no cycle
    graph = state.graph
    parts: list[list[str]] = []
    current: str | None = None
    for node in _order(graph, kept, key):
        group = None if node.id in kept else key(node)
        if group and group == current:
            parts[-1].append(node.id)
        else:
            parts.append([node.id])
        current = group
    return _contract(state, (part for part in parts if len(part) > 1))


def _order(
    graph: Graph, kept: frozenset[str], key: Callable[[GraphNode], str | None]
) -> list[GraphNode]:
    """Return the nodes, inputs before what reads them; roots that join no run come first."""
    place = {node.id: index for index, node in enumerate(graph.nodes)}
    forward = all(place[e.source] < place[e.target] for es in graph.inputs.values() for e in es)
    nodes = list(graph.nodes) if forward else [graph.by_id[key] for key in topological(graph)]
    apart = {n.id for n in nodes if n.id not in graph.inputs and (n.id in kept or not key(n))}
    return sorted(nodes, key=lambda node: node.id not in apart)


def _episode(node: GraphNode) -> str:
    return node.id.rpartition("/")[0]


def _flowing(graph: Graph, node_id: str) -> list[str]:
    """Return what a node reads, without parameters and without its constants."""
    sources = dict.fromkeys(edge.source for edge in graph.inputs.get(node_id, ()))
    return [
        source
        for source in sources
        if source in graph.inputs
        or (graph.by_id[source].kind is not Kind.PARAMETER and not _is_read_by_one(graph, source))
    ]


def _joins(graph: Graph, source: str, target: str, kept: frozenset[str]) -> bool:
    readers = graph.consumers[source]
    return (
        source not in kept
        and source in graph.inputs
        and graph.by_id[source].kind is not Kind.OUTPUT
        and all(edge.target == target for edge in readers)
    )


def _constants(graph: Graph, node_id: str, kept: frozenset[str]) -> list[str]:
    sources = dict.fromkeys(edge.source for edge in graph.inputs.get(node_id, ()))
    return [
        source
        for source in sources
        if source not in kept and source not in graph.inputs and _is_read_by_one(graph, source)
    ]


def _is_read_by_one(graph: Graph, node_id: str) -> bool:
    # `all` ends at the second reader: a hub is asked once for each of its many
    readers = graph.consumers.get(node_id, ())
    return bool(readers) and all(edge.target == readers[0].target for edge in readers)


def _contract(state: Merged, parts: Iterable[list[str]], *, keeps_value: bool = False) -> Merged:
    """Return the graph with one node for each part: its last one, under a name for all."""
    graph = state.graph
    home: dict[str, str] = {}
    made: dict[str, GraphNode] = {}
    groups = dict(state.groups)
    for part in parts:
        members = [graph.by_id[node_id] for node_id in part]
        group = _joined(state.group(member) for member in members)
        home.update(dict.fromkeys(part, part[-1]))
        for node_id in part:
            groups.pop(node_id, None)
        groups[part[-1]] = group
        made[part[-1]] = _standing_for(members, group, keeps_value=keeps_value)
    if not made:
        return state
    nodes = (made.get(n.id, n) for n in graph.nodes if home.get(n.id, n.id) == n.id)
    return Merged(replace(graph, nodes=tuple(nodes), edges=_moved(graph.edges, home)), groups)


def _standing_for(members: list[GraphNode], group: Group, *, keeps_value: bool) -> GraphNode:
    last = members[-1]
    kinds = {member.kind for member in members}
    owners = {member.agent for member in members}
    return replace(
        last,
        name=group.name,
        kind=last.kind if len(kinds) == 1 else Kind.OPERATION,
        agent=last.agent if len(owners) == 1 else None,
        value=last.value if keeps_value else None,
    )


def _joined(groups: Iterable[Group]) -> Group:
    operations: dict[str, None] = {}
    owners: dict[str, None] = {}
    count = 0
    for group in groups:
        count += group.count
        if len(operations) <= _NAMED:
            operations.update(dict.fromkeys(group.operations))
        if len(owners) <= _NAMED:
            owners.update(dict.fromkeys(group.agents))
    return Group(tuple(operations)[: _NAMED + 1], tuple(owners)[: _NAMED + 1], count)


def _listed(names: tuple[str, ...]) -> str:
    more = " …" if len(names) > _NAMED else ""
    return ", ".join(short(name, 30) for name in names[:_NAMED]) + more


def _moved(edges: Iterable[Edge], home: Mapping[str, str]) -> tuple[Edge, ...]:
    """Return the edges between what is left, each kind once between two nodes."""
    moved: dict[tuple[str, str, Reason], Edge] = {}
    for edge in edges:
        source, target = home.get(edge.source, edge.source), home.get(edge.target, edge.target)
        if source != target:
            same = source == edge.source and target == edge.target
            key = (source, target, edge.reason)
            if key not in moved:
                moved[key] = edge if same else Edge(source, target, edge.reason)
    return tuple(moved.values())
