"""A graph in the DOT language of graphviz; nothing has to be installed to write it."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from trace_agents.drawing.collapsing import Collapsed, collapse
from trace_agents.drawing.sketch import Box, Note, sketch
from trace_agents.drawing.words import Remarks, printable
from trace_agents.graph import Edge, Graph, Kind, Reason

_LOOKS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.PARAMETER: 'shape=ellipse, fillcolor="#ffe8a3"',
        Kind.TOOL_DEFINITION: 'shape=component, fillcolor="#f1f1f1"',
        Kind.INPUT: 'shape=parallelogram, style="filled", margin=0, fillcolor="#dcebfb"',
        Kind.LLM_CALL: 'shape=box, fillcolor="#e4dcf7"',
        Kind.TOOL_CALL: 'shape=hexagon, style="filled", margin=0, fillcolor="#d6efdc"',
        Kind.MESSAGE: 'shape=box, style="filled", fillcolor="#eeeeee"',
        Kind.OPERATION: 'shape=box, fillcolor="#ffffff"',
        Kind.EXCEPTION: 'shape=octagon, style="filled", margin=0.02',
        Kind.OUTPUT: 'shape=box, style="filled,bold", fillcolor="#cfe3ff"',
        Kind.AGENT: 'shape=folder, style="filled", fillcolor="#f7f7f7"',
        Kind.CHAIN: 'shape=folder, style="filled", fillcolor="#f7f7f7"',
    }
)
_FAILED = 'fillcolor="#ffd6d6", color="#c00000", fontcolor="#7a0000"'
_NOTE = 'shape=note, style="filled", fillcolor="#fff7cc", color="#b58900"'
_REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.PARAMETER: 'color="#b58900"',
        Reason.CONTENT: "style=dashed",
        Reason.CONTAINMENT: 'style=dotted, arrowhead=none, color="#999999"',
    }
)
"""How an edge looks; where nothing is said here it is a plain arrow."""
_ARROWS = 4
"""The most edges for each node: more are one black area."""
_ROW = 10
"""The most leaves of one node that stand side by side."""


def to_dot(
    graph: Graph, feedback: Remarks | None = None, *, limit: int = 200, title: str = ""
) -> str:
    """Return a graph's drawing as DOT source; of more than `limit` nodes, a collapsed one.

    Feedback stands in a note beside its node. The same graph gives the same text.
    """
    said = feedback or {}
    return written(collapse(graph, limit, keep=said), said, title=title)


def written(collapsed: Collapsed, feedback: Remarks, *, title: str = "") -> str:
    """Return the DOT source of a graph that is small enough."""
    most = _ARROWS * len(collapsed.graph.nodes) + 100
    drawn = sketch(collapsed, feedback, arrows=most)
    ranks = _ranks(drawn.arrows)
    lines = [
        "digraph trace {",
        *([f"    label={_quoted([title])}; labelloc=t;"] if title else []),
        '    node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=10];',
        '    edge [fontname="Helvetica", fontsize=8, color="#555555"];',
        *(_box(box) for box in drawn.boxes),
        *(_arrow(edge, rank) for edge, rank in zip(drawn.arrows, ranks, strict=True)),
        *(line for note in drawn.notes for line in _note(note)),
        *(
            f'    more{index} [label={_quoted([text])}, shape=plaintext, style=""];'
            for index, text in enumerate(drawn.left_out)
        ),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _ranks(arrows: tuple[Edge, ...]) -> list[int]:
    """Return how many ranks each edge spans: wide fans take several rows, not one endless one."""
    incoming = Counter(edge.target for edge in arrows)
    outgoing = Counter(edge.source for edge in arrows)
    fans: Counter[str] = Counter()
    ranks: list[int] = []
    for edge in arrows:
        spread, gathered = incoming[edge.target] == 1, outgoing[edge.source] == 1
        hub = edge.source if spread else edge.target
        ranks.append(1 + fans[hub] // _ROW if spread != gathered else 1)
        fans[hub] += spread != gathered
    return ranks


def _box(box: Box) -> str:
    lines = [part for line in box.lines for part in textwrap.wrap(line, 36) or [""]]
    failed = f", {_FAILED}" if box.failed else ""
    several = ", peripheries=2" if box.merged else ""
    return f"    {box.key} [label={_quoted(lines)}, {_LOOKS[box.kind]}{failed}{several}];"


def _arrow(edge: Edge, rank: int) -> str:
    look = [_REASONS[edge.reason]] if edge.reason in _REASONS else []
    label = [f"label={_quoted([edge.label])}"] if edge.label else []
    far = [f"minlen={rank}"] if rank > 1 else []
    attributes = ", ".join([*label, *look, *far])
    return f"    {edge.source} -> {edge.target}{f' [{attributes}]' if attributes else ''};"


def _note(note: Note) -> list[str]:
    label = _quoted(textwrap.wrap(note.text, 36))
    return [
        f"    {note.key} [label={label}, {_NOTE}];",
        f'    {note.about} -> {note.key} [style=dashed, arrowhead=none, color="#b58900"];',
    ]


def _quoted(lines: list[str]) -> str:
    """Return the lines as one quoted DOT string; `&` begins an HTML entity even in these."""
    escaped = (
        printable(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
        for line in lines
    )
    return '"' + "\\n".join(escaped) + '"'
