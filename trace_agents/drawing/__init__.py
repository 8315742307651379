"""Graphs as pseudo-code and as drawings, readable at ten nodes and at a hundred thousand."""

from typing import TYPE_CHECKING

from trace_agents.lazily import importing

if TYPE_CHECKING:
    from trace_agents.drawing.code import to_code
    from trace_agents.drawing.collapsing import Collapsed, collapse
    from trace_agents.drawing.dot import to_dot
    from trace_agents.drawing.drawing import Drawing, draw
    from trace_agents.drawing.mermaid import to_mermaid
    from trace_agents.drawing.words import clip

__getattr__ = importing(
    __name__,
    {
        "Collapsed": "trace_agents.drawing.collapsing",
        "Drawing": "trace_agents.drawing.drawing",
        "clip": "trace_agents.drawing.words",
        "collapse": "trace_agents.drawing.collapsing",
        "draw": "trace_agents.drawing.drawing",
        "to_code": "trace_agents.drawing.code",
        "to_dot": "trace_agents.drawing.dot",
        "to_mermaid": "trace_agents.drawing.mermaid",
    },
)

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
