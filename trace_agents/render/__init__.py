"""Subgraphs as text: for an optimizer's prompt, and as a drawing."""

from trace_agents.render.mermaid import to_mermaid
from trace_agents.render.prompt import Sections, clip, to_prompt

__all__ = ["Sections", "clip", "to_mermaid", "to_prompt"]
