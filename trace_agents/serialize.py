"""Graphs as JSON and back; the format carries its own version."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from trace_agents.errors import TraceFileError
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason

T = TypeVar("T")
SCHEMA = 1

_GZIP = b"\x1f\x8b"
_LONGEST = 1 << 28
# bytes of one graph: a line without end must not fill the memory


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
    return _texts(GraphNode(**fields), "id", "name")


def _edge(item: Mapping[str, Any]) -> Edge:
    fields: dict[str, Any] = {**item, "reason": Reason(item["reason"])}
    return _texts(Edge(**fields), "source", "target")


def _texts(made: T, *names: str) -> T:
    for name in names:
        if not isinstance(getattr(made, name), str):
            raise TypeError(f"{name} must be text, got {getattr(made, name)!r}")
    return made


def dump_graph(graph: Graph) -> str:
    """Return the graph as one line of JSON, in ASCII: half an emoji cannot be written in UTF-8."""
    return json.dumps(graph_to_json(graph), separators=(",", ":"))


def read_graph_lines(path: str | Path) -> list[Graph]:
    """Return the graphs of a file of `dump_graph` lines, or of all such files of a folder.

    Files packed with gzip are known by their content. A broken line after good ones becomes
    a problem of the graph before it.

    Raises:
        TraceFileError: the first line is no graph; the sentence says why.
    """
    where = Path(path)
    if not where.is_dir():
        return _read_file(where)
    files = [p for p in sorted(where.iterdir()) if p.is_file() and _begins_as_graphs(p)]
    if not files:
        raise TraceFileError(f"the folder {str(where)!r} holds no file of graphs")
    return [graph for file in files for graph in _read_file(file)]


def _read_file(path: Path) -> list[Graph]:
    graphs: list[Graph] = []
    problems: list[str] = []
    try:
        for number, line in _lines(path):
            try:
                graphs.append(_graph(line))
            except (ValueError, AttributeError, RecursionError) as error:
                problems.append(f"{path}, line {number}: {error}")
                if not graphs:
                    break
    except (OSError, EOFError, zlib.error) as error:
        problems.append(f"cannot read the trace file {str(path)!r}: {error}")
    if problems and not graphs:
        raise TraceFileError(problems[0])
    if problems:
        graphs[-1] = replace(graphs[-1], problems=(*graphs[-1].problems, *problems))
    return graphs


def _graph(line: bytes) -> Graph:
    # other formats may have one enormous line: tell it before it is parsed
    if b'"schema"' not in line:
        raise TraceFileError(f"expected a graph of schema {SCHEMA}")
    return graph_from_json(cast("Mapping[str, Any]", json.loads(line)))


def _begins_as_graphs(path: Path) -> bool:
    try:
        _, first = next(_lines(path))
        head: object = json.loads(first)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError, StopIteration):
        return False
    return isinstance(head, dict) and {"schema", "nodes"} <= head.keys()


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file, packed or not, one at a time and each of bounded length."""
    with path.open("rb") as raw:
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        with gzip.open(raw) if packed else raw as file:
            yield from enumerate(iter(lambda: file.readline(_LONGEST), b""), 1)
