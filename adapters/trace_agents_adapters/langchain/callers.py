"""Who makes a model call: the agent or the graph's node, as LangChain's metadata name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

_INNER = frozenset({"model", "tools"})
_HOOKS = (".before_agent", ".before_model", ".after_model", ".after_agent")


def is_inner(node: str) -> bool:
    """Tell whether a node is one of which `create_agent` makes an agent; it names nobody."""
    return node in _INNER or node.endswith(_HOOKS)


def agent_of(metadata: object) -> str:
    """Return the name of the agent or node that calls, or nothing."""
    if not isinstance(metadata, Mapping):
        return ""
    told = cast("Mapping[str, object]", metadata)
    path = [part.partition(":")[0] for part in _text(told, "langgraph_checkpoint_ns").split("|")]
    node = _text(told, "langgraph_node") or path[-1]
    if not is_inner(node):
        return node
    named = _text(told, "lc_agent_name")
    return named or next((part for part in reversed(path) if part and not is_inner(part)), "")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a run of a graph a call is made."""

    level: str
    """The run of the graph, in the graphs around it."""
    node: str
    step: int


def place_of(metadata: object) -> Place | None:
    """Return where in a graph a call is made; None outside of graphs."""
    if not isinstance(metadata, Mapping):
        return None
    told = cast("Mapping[str, object]", metadata)
    node, step = _text(told, "langgraph_node"), told.get("langgraph_step")
    if not node or not isinstance(step, int):
        return None
    return Place(_text(told, "langgraph_checkpoint_ns").rpartition("|")[0], node, step)


def is_nameless(metadata: object) -> bool:
    """Tell whether an agent calls that its metadata do not name, as in LangChain 1.0."""
    if not isinstance(metadata, Mapping) or agent_of(cast("object", metadata)):
        return False
    return is_inner(_text(cast("Mapping[str, object]", metadata), "langgraph_node"))


def _text(metadata: Mapping[str, object], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""
