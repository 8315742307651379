"""A graph as pseudo-code: one line for each operation, as a model or a person reads it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from trace_agents.drawing.collapsing import nearest
from trace_agents.drawing.words import (
    Remarks,
    clip,
    one_line,
    operation,
    short,
    value_text,
    word,
)
from trace_agents.graph import Edge, Graph, GraphNode, Kind, topological

_MOVES = (Kind.LLM_CALL, Kind.TOOL_CALL, Kind.MESSAGE, Kind.OUTPUT, Kind.EXCEPTION)
_CALLS = (Kind.LLM_CALL, Kind.TOOL_CALL, Kind.OPERATION, Kind.EXCEPTION)
_STRUCTURAL = (Kind.AGENT, Kind.CHAIN)
_CONSTANT = 80
"""The most characters of an argument that was a plain value."""
_VALUE = 200
"""The most characters of one value."""


def to_code(graph: Graph, feedback: Remarks | None = None, *, limit: int = 1_000) -> str:
    """Return one line for every operation, each after the lines that it reads.

    Parameters and inputs are assignments. Of more than `limit` nodes those are shown that lie
    nearest to parameters, outputs, errors and feedback; a comment stands for each gap.
    """
    said = feedback or {}
    shown = nearest(graph, limit, said)
    names = own_names(graph.nodes)
    lines = [f"# episode {graph.episode}"] if graph.episode else []
    gap = 0
    for node_id in topological(graph):
        if node_id not in shown:
            gap += 1
            continue
        lines.extend(_gap(gap))
        gap = 0
        node = graph.by_id[node_id]
        lines.extend(_statement(graph, node, names))
        lines.extend(f"# feedback: {short(text, 2 * _VALUE)}" for text in said.get(node_id, ()))
    lines.extend(_gap(gap))
    return "\n".join(lines) + "\n" if lines else ""


def operation_line(node: GraphNode, inputs: Iterable[Edge], names: Mapping[str, str]) -> str:
    """Return `name = operation(arguments)`; an operation that failed says why."""
    arguments: dict[str, None] = {}
    for edge in inputs:
        source = names[edge.source]
        own = not edge.label or word(edge.label) == word(source)
        arguments[source if own else f"{word(edge.label)}={source}"] = None
    for label, value in node.constants.items():
        arguments[f"{label}={short(json.dumps(value, ensure_ascii=False), _CONSTANT)}"] = None
    called = re.sub(r"[^\w.]+", "_", operation(node))
    return f"{names[node.id]} = {called}({', '.join(arguments)}){_failed(node)}"


def numbered(nodes: Iterable[GraphNode]) -> dict[str, str]:
    """Return a short name with a number for every node; parameters keep their own."""
    return _numbered(nodes, frozenset())


def own_names(nodes: Iterable[GraphNode]) -> dict[str, str]:
    """Return every node's own name where no other node has it, else one with a number."""
    listed = list(nodes)
    counts = Counter(node.name for node in listed)
    names = {
        node.id: node.name
        for node in listed
        if node.kind is Kind.PARAMETER
        or (counts[node.name] == 1 and re.fullmatch(r"[^\W\d][\w.]*", node.name))
    }
    rest = (node for node in listed if node.id not in names)
    return names | _numbered(rest, frozenset(names.values()))


def _numbered(nodes: Iterable[GraphNode], taken: frozenset[str]) -> dict[str, str]:
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for node in nodes:
        if node.kind is Kind.PARAMETER:
            names[node.id] = node.name
            continue
        base = node.kind.value if node.kind in _MOVES else word(node.name)
        counts[base] += 1
        while f"{base}{counts[base]}" in taken:
            counts[base] += 1
        names[node.id] = f"{base}{counts[base]}"
    return names


def _statement(graph: Graph, node: GraphNode, names: Mapping[str, str]) -> Iterator[str]:
    inputs = graph.inputs.get(node.id, ())
    if inputs:
        yield operation_line(node, inputs, names)
    elif node.kind in _CALLS:
        gave = f"  # gave: {short(value_text(node), _VALUE)}" if node.value is not None else ""
        yield operation_line(node, inputs, names) + ("" if node.error else gave)
    elif node.kind not in _STRUCTURAL or node.id in graph.consumers:
        mark = "  # parameter" if node.kind is Kind.PARAMETER else ""
        yield f"{names[node.id]} = {_literal(node)}{mark}{_failed(node)}"


def _literal(node: GraphNode) -> str:
    value = node.value
    if isinstance(value, str):
        return json.dumps(clip(value, _VALUE), ensure_ascii=False)
    return short(value_text(node), _VALUE) if value is not None else "None"


def _failed(node: GraphNode) -> str:
    return f"  # failed: {clip(one_line(node.error), 120)}" if node.error else ""


def _gap(count: int) -> list[str]:
    return [f"# … {count} more not shown"] if count else []
