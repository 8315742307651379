"""What a drawing shows, before it is written in one language or another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trace_agents.drawing.collapsing import Collapsed
from trace_agents.drawing.words import Remarks, short, title, value_text
from trace_agents.graph import STRUCTURE, Edge, Graph, GraphNode, Kind

_TITLE = 60
_REMARK = 240
_ARROWS = 12
"""A parameter with more readers gets no arrows: they cover the picture, and its layout takes
minutes. Its readers name it instead."""


@dataclass(frozen=True, slots=True)
class Box:
    """One node: its key in the drawing, and its lines of plain text."""

    key: str
    kind: Kind
    lines: tuple[str, ...]
    failed: bool = False
    merged: bool = False
    """Whether it stands for several nodes."""


@dataclass(frozen=True, slots=True)
class Note:
    """Feedback beside the box `about`."""

    key: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """Boxes, the edges between them by key, notes, and what had no room as sentences."""

    boxes: tuple[Box, ...]
    arrows: tuple[Edge, ...]
    notes: tuple[Note, ...]
    left_out: tuple[str, ...] = ()


def sketch(collapsed: Collapsed, feedback: Remarks, *, arrows: int, width: int = 80) -> Sketch:
    """Return what to draw: at most `arrows` edges, values of at most `width` characters."""
    graph = collapsed.graph
    keys = {node.id: f"n{index}" for index, node in enumerate(graph.nodes)}
    reads = _read_in_words(graph)
    boxes = tuple(_box(collapsed, n, keys[n.id], width, reads.get(n.id, ())) for n in graph.nodes)
    notes = tuple(
        Note(f"f{index}", key, short(f"feedback: {text}", _REMARK))
        for index, (key, text) in enumerate(_remarks(keys, feedback))
    )
    edges = _first_to_each([e for e in graph.edges if not _is_in_words(graph, e)])
    room = max(arrows - len(notes), 0)
    drawn = tuple(
        Edge(keys[e.source], keys[e.target], e.reason, short(e.label, 30)) for e in edges[:room]
    )
    missing = {"nodes": collapsed.hidden, "edges": len(edges) - len(drawn)}
    left_out = tuple(f"… {count} more {name} not shown" for name, count in missing.items() if count)
    return Sketch(boxes, drawn, notes, left_out)


def _box(collapsed: Collapsed, node: GraphNode, key: str, width: int, reads: Sequence[str]) -> Box:
    name = short(title(node), _TITLE)
    if node.kind is Kind.OPERATION or node.kind.value in name:
        lines = [name]
    else:
        lines = [name, f"({node.kind.value.replace('_', ' ')})"]
    if node.error:
        lines.append(short(f"failed: {node.error}", max(width, _TITLE)))
    elif node.value is not None and width:
        lines.append(short(value_text(node), width))
    if _is_hub(collapsed.graph, node.id):
        lines.append(f"read by {len(collapsed.graph.consumers[node.id])} nodes")
    if reads:
        lines.append(short(f"reads {', '.join(reads)}", _TITLE))
    return Box(
        key,
        node.kind,
        tuple(lines),
        failed=bool(node.error) or node.kind is Kind.EXCEPTION,
        merged=node.id in collapsed.counts,
    )


def _is_hub(graph: Graph, node_id: str) -> bool:
    fixed = graph.by_id[node_id].kind in (Kind.PARAMETER, Kind.TOOL_DEFINITION)
    return fixed and len(graph.consumers.get(node_id, ())) > _ARROWS


def _is_in_words(graph: Graph, edge: Edge) -> bool:
    return edge.reason not in STRUCTURE and _is_hub(graph, edge.source)


def _read_in_words(graph: Graph) -> dict[str, list[str]]:
    """Return the names of the hubs that each node reads."""
    reads: dict[str, list[str]] = {}
    for edge in graph.edges:
        if _is_in_words(graph, edge):
            reads.setdefault(edge.target, []).append(graph.by_id[edge.source].name)
    return reads


def _remarks(keys: dict[str, str], feedback: Remarks) -> Iterator[tuple[str, str]]:
    for node_id, texts in feedback.items():
        if node_id in keys:
            yield from ((keys[node_id], text) for text in texts)


def _first_to_each(edges: list[Edge]) -> list[Edge]:
    """Return the edges, one into every node first: where edges are left out, nodes hang on."""
    seen: set[str] = set()
    first: list[Edge] = []
    others: list[Edge] = []
    for edge in edges:
        (others if edge.target in seen else first).append(edge)
        seen.add(edge.target)
    return first + others
