"""Subgraphs as text: for an optimizer's prompt, and as a drawing."""

from trace_agents.drawing import clip, to_mermaid
from trace_agents.render.prompt import Sections, to_prompt

__all__ = ["Sections", "clip", "to_mermaid", "to_prompt"]
