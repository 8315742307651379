"""Nodes as plain data: the graph of some nodes and all they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from trace_agents.errors import InvalidValue
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason
from trace_agents.tracing.operators import Operators

if TYPE_CHECKING:
    from trace_agents.tracing.nodes import Node


def to_graph(ends: Iterable[Node], ids: dict[int, str] | None = None) -> Graph:
    """Return the graph of `ends` and all they came from; `ids` receives the node ids.

    Raises:
        InvalidValue: two different parameters have one name.
    """
    chosen: dict[int, str] = {} if ids is None else ids
    taken: dict[str, object] = {}
    counts: Counter[str] = Counter()
    nodes: list[GraphNode] = []
    edges: list[Edge] = []
    for current in ancestors(ends):
        chosen[id(current)] = key = _identify(current, taken, counts)
        nodes.append(_plain(current, key))
        edges.extend(
            Edge(chosen[id(parent)], key, parent.reason, label)
            for label, parent in current.inputs.items()
        )
    return Graph(tuple(nodes), tuple(edges))


def ancestors(ends: Iterable[Node]) -> list[Node]:
    """Return `ends` and all they came from, inputs first; iterative, linear."""
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(end.use(), False) for end in reversed(list(ends))]
    while stack:
        current, done = stack.pop()
        if done:
            order.append(current)
        elif id(current) not in seen:
            seen.add(id(current))
            stack.append((current, True))
            stack.extend((parent, False) for parent in reversed(current.parents))
    return order


def _identify(current: Node, taken: dict[str, object], counts: Counter[str]) -> str:
    if current.reason is Reason.PARAMETER:
        key = f"parameter:{current.name}"
        if taken.setdefault(key, current) is not current:
            raise InvalidValue(
                f"two parameters are named {current.name!r}, or one was read before and after a "
                "change; name them apart, and call backward before the next step"
            )
        return key
    key = base = current.name or "node"
    while key in taken:
        counts[base] += 1
        key = f"{base}_{counts[base]}"
    taken[key] = current
    return key


_PLAIN = (str, int, float, bool, type(None))


def _plain(current: Node, key: str) -> GraphNode:
    value = _jsonable(current.raw)
    error = cast(str, value) if current.kind is Kind.EXCEPTION else None
    return GraphNode(
        key, current.kind, current.name or key, value, None, current.description, error
    )


def _jsonable(value: object, depth: int = 4) -> object:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Operators):
        return _jsonable(value.raw, depth)
    if depth and isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return {str(k): _jsonable(v, depth - 1) for k, v in items}
    if depth and isinstance(value, list | tuple):
        return [_jsonable(v, depth - 1) for v in cast("list[object]", value)]
    return repr(value)
