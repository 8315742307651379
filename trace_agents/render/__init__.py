"""Subgraphs as text: for an optimizer's prompt, and as a drawing."""

from trace_agents.render.mermaid import to_mermaid
from trace_agents.render.prompt import Sections, to_prompt
from trace_agents.render.words import clip

__all__ = ["Sections", "clip", "to_mermaid", "to_prompt"]
