"""The nodes and edges of one episode while they are found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from trace_agents.graph import Edge, GraphNode, Kind, Reason
from trace_agents_adapters.otel.dag.calls import Definition
from trace_agents_adapters.otel.dag.values import mapping, storable


class Nodes:
    """Nodes in the order in which they came up, and the edges between them.

    A text that may turn out to be an input becomes a node when something takes it.
    """

    def __init__(self) -> None:
        self.edges: dict[tuple[str, str], Edge] = {}
        self._nodes: dict[str, GraphNode | None] = {}
        self._maybe: dict[str, GraphNode] = {}
        self._named: dict[str, dict[str, str]] = {}
        self._defined: dict[int, tuple[Definition, str]] = {}

    def reserve(self, node: str) -> None:
        """Keep the place of a node in the order; `put` brings the node."""
        self._nodes.setdefault(node, None)

    def put(self, node: GraphNode) -> None:
        """Add a node, or fill its place."""
        plain = node.value is None or isinstance(node.value, str)
        self._nodes[node.id] = node if plain else replace(node, value=storable(node.value))

    def __contains__(self, node: str) -> bool:
        return node in self._nodes or node in self._maybe

    def all(self) -> list[GraphNode]:
        """Return the nodes."""
        return [node for node in self._nodes.values() if node is not None]

    def get(self, node: str) -> GraphNode | None:
        """Return a node that has been put."""
        return self._nodes.get(node)

    def link(self, source: str, target: str, reason: Reason, label: str = "") -> None:
        """Add an edge; of two between the same nodes the first stays."""
        if source == target:
            return
        if source in self._maybe and source not in self._nodes:
            self._nodes[source] = self._maybe[source]
        self.edges.setdefault((source, target), Edge(source, target, reason, label))

    def input(self, text: str, name: str = "input", agent: str | None = None) -> str:
        """Return the id of the input that is this text; it is a node once something took it."""
        node = f"input:{_digest(text)}"
        if node not in self._maybe:
            self._maybe[node] = GraphNode(node, Kind.INPUT, name or "input", text, agent)
        return node

    def keep(self, node: str) -> None:
        """Make a possible input or message a node at once."""
        if node in self._maybe:
            self._nodes.setdefault(node, self._maybe[node])

    def message(self, text: str, agent: str | None) -> str:
        """Return the id of a message of which nobody in this episode is known as the author."""
        node = f"message:{_digest(text)}"
        if node not in self._maybe:
            self._maybe[node] = GraphNode(node, Kind.MESSAGE, "message", text, agent)
        return node

    def parameter(self, name: str, value: object) -> str:
        """Return the id of a declared parameter."""
        node = f"parameter:{name}"
        if self._nodes.get(node) is None:
            self._nodes[node] = GraphNode(node, Kind.PARAMETER, name, storable(value))
        return node

    def found_parameter(self, name: str, text: str) -> str:
        """Return the id of a text that the program fixed; a second one gets a number."""
        return self.parameter(self._numbered(name, text), text)

    def definition(self, tool: Definition) -> str:
        """Return the id of a tool as it was offered."""
        known = self._defined.get(id(tool))
        if known is not None:  # readers return one and the same for the same text
            return known[1]
        value = storable(mapping(tool.value) or {"name": tool.name})
        told = json.dumps(value, sort_keys=True, default=str)
        node = self._numbered(f"tool:{tool.name}", told)
        self._defined[id(tool)] = (tool, node)
        if self._nodes.get(node) is None:
            kind = Kind.TOOL_DEFINITION
            self._nodes[node] = GraphNode(node, kind, tool.name, value, None, tool.description)
        return node

    def _numbered(self, name: str, text: str) -> str:
        known = self._named.setdefault(name, {})
        if text not in known:
            known[text] = f"{name}.{len(known) + 1}" if known else name
        return known[text]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
