"""A graph as a Mermaid flow chart, which GitHub, GitLab and notebooks show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from trace_agents.drawing.collapsing import Collapsed, collapse, fewer_nodes
from trace_agents.drawing.sketch import Box, Sketch, sketch
from trace_agents.drawing.words import Remarks, printable
from trace_agents.graph import Edge, Graph, Kind, Reason

_EDGES = 500
_CHARACTERS = 50_000
"""Mermaid draws nothing where a chart has more (`maxEdges`, `maxTextSize`)."""

_SHAPES: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.PARAMETER: ("([", "])"),
        Kind.INPUT: ("[/", "/]"),
        Kind.LLM_CALL: ("(", ")"),
        Kind.TOOL_CALL: ("{{", "}}"),
    }
)
"""The brackets of a kind; the others are rectangles."""
_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "parameter": "fill:#ffe8a3,stroke:#b58900,color:#222",
        "input": "fill:#dcebfb,stroke:#5b84b1,color:#222",
        "llm_call": "fill:#e4dcf7,stroke:#7a5fc0,color:#222",
        "tool_call": "fill:#d6efdc,stroke:#4c9a63,color:#222",
        "message": "fill:#eeeeee,stroke:#888888,color:#222",
        "output": "fill:#cfe3ff,stroke:#2b5fa8,stroke-width:2px,color:#222",
        "failed": "fill:#ffd6d6,stroke:#c00000,color:#7a0000",
        "feedback": "fill:#fff7cc,stroke:#b58900,color:#222",
    }
)
_SPECIAL = {ord(sign): f"#{ord(sign)};" for sign in '#"&<>`*_~\\[]{}|'}


def to_mermaid(graph: Graph, feedback: Remarks | None = None, *, limit: int = 200) -> str:
    """Return a flow chart with feedback in notes; of more than `limit` nodes, a collapsed one.

    Values get shorter, and then nodes fewer, until the chart is one that Mermaid draws.
    """
    said = feedback or {}
    return written(collapse(graph, limit, keep=said), said)


def written(collapsed: Collapsed, feedback: Remarks) -> str:
    """Return the chart of a graph that is small enough, or of what Mermaid can draw of it."""
    text = ""
    for width in (80, 30, 0):
        text = _chart(sketch(collapsed, feedback, arrows=_EDGES, width=width))
        if len(text) <= _CHARACTERS:
            return text
    fewer = len(collapsed.graph.nodes) // 2
    return written(fewer_nodes(collapsed, fewer, feedback), feedback) if fewer else text


def _chart(drawn: Sketch) -> str:
    used = {_class(box) for box in drawn.boxes}
    used.update("feedback" for _ in drawn.notes)
    lines = [
        "flowchart TD",
        *(_box(box) for box in drawn.boxes),
        *(_arrow(edge) for edge in drawn.arrows),
    ]
    for note in drawn.notes:
        lines.append(f"    {note.key}>{_quoted(note.text)}]:::feedback")
        lines.append(f"    {note.about} -.- {note.key}")
    lines.extend(f"    more{index}[{_quoted(text)}]" for index, text in enumerate(drawn.left_out))
    lines.extend(f"    classDef {name} {look}" for name, look in _CLASSES.items() if name in used)
    return "\n".join(lines) + "\n"


def _box(box: Box) -> str:
    left, right = ("[[", "]]") if box.merged else _SHAPES.get(box.kind, ("[", "]"))
    name = _class(box)
    mark = f":::{name}" if name in _CLASSES else ""
    return f"    {box.key}{left}{_quoted(*box.lines)}{right}{mark}"


def _class(box: Box) -> str:
    return "failed" if box.failed else box.kind.value


def _arrow(edge: Edge) -> str:
    line = "-.->" if edge.reason in (Reason.CONTAINMENT, Reason.CONTENT) else "-->"
    label = f"|{_quoted(edge.label)}|" if edge.label else ""
    return f"    {edge.source} {line}{label} {edge.target}"


def _quoted(*lines: str) -> str:
    """Return the lines as one quoted label, with nothing that Mermaid reads as markup."""
    return '"' + "<br/>".join(_escaped(line) for line in lines) + '"'


def _escaped(line: str) -> str:
    text = printable(line).translate(_SPECIAL)
    # at the beginning of a line these would make a list
    text = re.sub(r"^(\d+)([.)])", lambda m: f"{m[1]}#{ord(m[2])};", text)
    return re.sub(r"^[-+=]", lambda m: f"#{ord(m[0])};", text)
