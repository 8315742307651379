"""Nodes as plain data: the graph of some nodes and all they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, cast

from trace_agents.errors import InvalidValue
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason
from trace_agents.tracing.values import jsonable
from trace_agents.tracing.walk import ancestors

if TYPE_CHECKING:
    from trace_agents.tracing.context import Mark
    from trace_agents.tracing.nodes import Node


def to_graph(
    ends: Iterable[Node],
    ids: dict[Node, str] | None = None,
    *,
    on_path: Container[Node] | None = None,
    mark: Mark | None = None,
) -> Graph:
    """Return the graph of `ends` and all they came from; `ids` receives the node ids.

    Args:
        ends: the nodes to begin with.
        ids: receives the node ids.
        on_path: keep only these nodes and their direct inputs.
        mark: the recording; brings episode and version.

    Raises:
        InvalidValue: two different parameters have one name.
    """
    naming = _Naming({} if ids is None else ids)
    order = ancestors([end.use() for end in ends])
    nodes: list[GraphNode] = []
    edges: list[Edge] = []
    kept = order if on_path is None else _with_inputs(order, on_path)
    for current in kept:
        key = naming.name(current)
        nodes.append(_plain(current, key))
        if on_path is None or current in on_path:
            edges.extend(_edges(current, key, naming.ids))
    episode, version = (mark.episode, mark.version) if mark is not None else ("", None)
    return Graph(tuple(nodes), tuple(edges), episode, version)


def _edges(current: Node, key: str, ids: dict[Node, str]) -> Iterable[Edge]:
    labels = current.made.labels
    for label, parent in zip(labels, current.parents, strict=True):
        yield Edge(ids[parent], key, parent.reason, label)


def _with_inputs(order: list[Node], on_path: Container[Node]) -> list[Node]:
    wanted: set[Node] = set()
    for current in order:
        if current in on_path:
            wanted.add(current)
            wanted.update(current.parents)
    return [current for current in order if current in wanted]


class _Naming:
    """Ids for nodes: readable, and unique within the graph."""

    def __init__(self, ids: dict[Node, str]) -> None:
        self.ids = ids
        self._taken: dict[str, Node] = {}
        self._counts: Counter[str] = Counter()

    def name(self, current: Node) -> str:
        """Return the id of a node, and remember it."""
        base = current.name or "node"
        if current.reason is Reason.PARAMETER:
            key = f"parameter:{base}"
            if key in self._taken:
                raise InvalidValue(
                    f"two parameters are named {base!r}, or one was read before and after a "
                    "change; name them apart, and call backward before the next step"
                )
        else:
            key = base
            while key in self._taken:
                self._counts[base] += 1
                key = f"{base}_{self._counts[base]}"
        self._taken[key] = current
        self.ids[current] = key
        return key


def _plain(current: Node, key: str) -> GraphNode:
    value = jsonable(current.raw)
    return GraphNode(
        key,
        current.kind,
        current.name or key,
        value,
        description=current.description,
        error=cast(str, value) if current.kind is Kind.EXCEPTION else None,
        operation=current.op_name if current.kind is not Kind.PARAMETER else "",
        constants={name: jsonable(value) for name, value in current.constants.items()},
    )
