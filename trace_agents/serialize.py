"""Graphs as JSON and back; the format carries its own version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from trace_agents.errors import TraceFileError
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason

SCHEMA = 1


def graph_to_json(graph: Graph) -> dict[str, object]:
    """Return the graph as a JSON object."""
    return {
        "schema": SCHEMA,
        "episode": graph.episode,
        "version": graph.version,
        "nodes": [asdict(node) for node in graph.nodes],
        "edges": [asdict(edge) for edge in graph.edges],
        "problems": list(graph.problems),
    }


def graph_from_json(data: Mapping[str, Any]) -> Graph:
    """Return the graph that `graph_to_json` wrote.

    Raises:
        TraceFileError: another schema, or a part is missing or of the wrong sort.
    """
    if data.get("schema") != SCHEMA:
        raise TraceFileError(f"expected a graph of schema {SCHEMA}, got {data.get('schema')!r}")
    try:
        nodes = [_node(item) for item in data["nodes"]]
        edges = [_edge(item) for item in data["edges"]]
        problems = tuple(str(problem) for problem in data.get("problems", ()))
        return Graph(
            tuple(nodes), tuple(edges), str(data["episode"]), data.get("version"), problems
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TraceFileError(f"not a graph: {type(error).__name__}: {error}") from None


def _node(item: Mapping[str, Any]) -> GraphNode:
    fields: dict[str, Any] = {**item, "kind": Kind(item["kind"]), "spans": tuple(item["spans"])}
    return GraphNode(**fields)


def _edge(item: Mapping[str, Any]) -> Edge:
    fields: dict[str, Any] = {**item, "reason": Reason(item["reason"])}
    return Edge(**fields)


def dump_graph(graph: Graph) -> str:
    """Return the graph as one line of JSON."""
    return json.dumps(graph_to_json(graph), ensure_ascii=False, separators=(",", ":"))


def read_graph_lines(path: str | Path) -> list[Graph]:
    """Return the graphs of a file of `dump_graph` lines.

    Raises:
        TraceFileError: a line is no graph; the sentence says which.
    """
    graphs: list[Graph] = []
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                graphs.append(graph_from_json(cast("Mapping[str, Any]", json.loads(line))))
            except (ValueError, AttributeError) as error:
                raise TraceFileError(f"{path}, line {number}: {error}") from None
    return graphs
