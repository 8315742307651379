"""Messages that a runtime delivered, as nodes: what is left of a run whose models tell nothing.

An agent's answer takes the messages that were delivered to it since it was last asked to speak.
What it did with older ones is not known, and no edge says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trace_agents.graph import GraphNode, Kind, Reason
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.messages import Part, parts_of
from trace_agents_adapters.otel.dag.nodes import Nodes
from trace_agents_adapters.otel.dag.toolcalls import ToolCalls
from trace_agents_adapters.otel.dag.values import items, mapping, parsed


class Delivered:
    """Builds the messages of one episode from the spans that delivered them."""

    def __init__(self, nodes: Nodes, tools: ToolCalls) -> None:
        self._nodes = nodes
        self._tools = tools
        self._waiting: dict[str, list[str]] = {}
        self._taken: dict[str, list[str]] = {}
        self._seen: set[str] = set()

    def deliver(self, call: Call) -> None:
        """Follow one delivery: a message to one recipient."""
        to = str(call.span.attributes.get("recipient_agent_type") or "")
        content = mapping(parsed(call.given))
        if not content:
            if call.given == "{}":  # the request to speak
                self._taken[to] = self._waiting.pop(to, [])
            return
        sender = str(call.span.attributes.get("sender_agent_type") or "")
        response = mapping(content.get("response"))
        for message in _messages(content, response):
            node = self._node(message, sender, response)
            if node is not None:
                self._waiting.setdefault(to, []).append(node)

    def _node(
        self, message: Mapping[str, object], sender: str, response: Mapping[str, object]
    ) -> str | None:
        text = message.get("content")
        identity = str(message.get("id") or "")
        if isinstance(text, list):
            self._event(identity, message)
            return None
        if not isinstance(text, str) or not identity or "full_message_id" in message:
            return None
        if message.get("source") == "user" or not (sender and message.get("source")):
            node = self._nodes.input(text)
            self._nodes.keep(node)
            return node
        node = f"message:{identity}"
        if response and identity not in self._seen:
            self._seen.add(identity)
            self._put(node, str(message.get("source")), text)
            self._answer(node, sender, response)
        return node if response else None

    def _put(self, node: str, agent: str, value: object) -> None:
        self._nodes.put(GraphNode(node, Kind.MESSAGE, agent, value, agent))

    def _answer(self, node: str, sender: str, response: Mapping[str, object]) -> None:
        for source in self._taken.pop(sender, ()):
            self._nodes.link(source, node, Reason.MESSAGE_ID)
        for part in _parts(items(response.get("inner_messages"))):
            ran = self._tools.answered(part) if part.type == "tool_call_response" else None
            if ran is not None:
                self._nodes.link(ran, node, Reason.TOOL_CALL_ID)

    def _event(self, identity: str, message: Mapping[str, object]) -> None:
        """Add the message by which an agent asked for tool calls."""
        asked = [part for part in parts_of(message) if part.type == "tool_call"]
        if not asked or not identity or identity in self._seen:
            return
        self._seen.add(identity)
        node, agent = f"message:{identity}", str(message.get("source") or "")
        calls = [{"id": p.id, "name": p.name, "arguments": p.arguments} for p in asked]
        self._put(node, agent, {"tool_calls": calls})
        for part in asked:
            ran = self._tools.answered(part)
            if ran is not None:
                self._nodes.link(node, ran, Reason.TOOL_CALL_ID)


def _messages(
    content: Mapping[str, object], response: Mapping[str, object]
) -> Iterator[Mapping[str, object]]:
    for message in (*items(content.get("messages")), content.get("message")):
        if mapping(message):
            yield mapping(message)
    inner = items(response.get("inner_messages"))
    for message in (*inner, response.get("chat_message")):
        if mapping(message):
            yield mapping(message)


def _parts(messages: Iterable[object]) -> Iterator[Part]:
    for message in messages:
        yield from parts_of(message)
