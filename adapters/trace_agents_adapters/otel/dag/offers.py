"""Tools as they were offered to models, and which of them was called."""

from __future__ import annotations

from trace_agents.graph import Reason
from trace_agents_adapters.otel.dag.calls import Call, Definition
from trace_agents_adapters.otel.dag.nodes import Nodes

_BOUND = "bound"
"""In the place of a definition: the bound parameter stands for it."""


class Offers:
    """The tool definitions of one episode."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._of_model: dict[str, dict[str, str]] = {}
        self._latest: dict[str, str] = {}

    def offered(self, model: str, call: Call) -> None:
        """Link the tools that a model call was offered to it."""
        for tool in call.definitions:
            if tool.description and any(value == tool.description for _, value in call.bound):
                self._of_model.setdefault(model, {})[tool.name] = _BOUND
                continue
            node = self._nodes.definition(tool)
            self._of_model.setdefault(model, {})[tool.name] = self._latest[tool.name] = node
            self._nodes.link(node, model, Reason.DECLARED, tool.name)

    def called(self, node: str, name: str, call: Call | None, asker: str | None = None) -> None:
        """Link a tool's definition to a call of it: as its asker knew it, else the latest."""
        offered = self._of_model.get(asker or "", {}).get(name) or self._latest.get(name)
        if offered == _BOUND:
            return
        if offered is None and call is not None and call.description and not call.bound:
            told = {"name": call.name, "description": call.description}
            offered = self._nodes.definition(Definition(call.name, call.description, told))
        if offered is not None:
            self._nodes.link(offered, node, Reason.DECLARED)
