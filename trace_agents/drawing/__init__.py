"""Graphs as pseudo-code and as drawings, readable at ten nodes and at a hundred thousand."""

from trace_agents.drawing.code import to_code
from trace_agents.drawing.collapse import Collapsed, collapse
from trace_agents.drawing.dot import to_dot
from trace_agents.drawing.drawing import Drawing, draw
from trace_agents.drawing.mermaid import to_mermaid
from trace_agents.drawing.words import clip

__all__ = [
    "Collapsed",
    "Drawing",
    "clip",
    "collapse",
    "draw",
    "to_code",
    "to_dot",
    "to_mermaid",
]
