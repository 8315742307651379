"""Who makes a model call: the agent or the graph's node, as LangChain's metadata name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

INNER = frozenset({"model", "tools"})
"""The nodes of which `create_agent` makes an agent; they name nobody."""


def agent_of(metadata: object) -> str:
    """Return the name of the agent or node that calls, or nothing."""
    if not isinstance(metadata, Mapping):
        return ""
    told = cast("Mapping[str, object]", metadata)
    path = [part.partition(":")[0] for part in _text(told, "langgraph_checkpoint_ns").split("|")]
    node = _text(told, "langgraph_node") or path[-1]
    if node not in INNER:
        return node
    named = _text(told, "lc_agent_name")
    return named or next((part for part in reversed(path) if part and part not in INNER), "")


def _text(metadata: Mapping[str, object], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""
