"""A few examples of the task: what went in, what came out, and what was said of it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from trace_agents.drawing.words import value_text
from trace_agents.feedback import score_in
from trace_agents.graph import Kind
from trace_agents.propagate import TraceGraph
from trace_agents.render import clip

_LONGEST = 600
"""Characters of one value."""


def exemplars(parts: Iterable[TraceGraph], count: int) -> list[str]:
    """Return the text of `count` parts, those with the lowest scores first."""
    ranked = sorted(parts, key=_score)
    return [_shown(part) for part in ranked[:count]]


def _score(part: TraceGraph) -> float:
    texts = (text for said in part.feedback.values() for text in said)
    scores = [score for text in texts if (score := score_in(text)) is not None]
    return math.fsum(scores) / len(scores) if scores else math.inf


def _shown(part: TraceGraph) -> str:
    known = part.graph.by_id
    given = [
        node
        for node in part.graph.nodes
        if node.id not in part.graph.inputs and node.kind is not Kind.PARAMETER
    ]
    lines = [f"input {node.name}: {clip(value_text(node), _LONGEST)}" for node in given]
    for output, said in part.feedback.items():
        lines.append(f"output {known[output].name}: {clip(value_text(known[output]), _LONGEST)}")
        lines.extend(f"feedback: {clip(text, _LONGEST)}" for text in said)
    return "\n".join(lines)
