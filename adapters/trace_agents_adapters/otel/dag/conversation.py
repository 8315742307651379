"""Conversations: where each message that a model call was given came from."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TypeAlias

from trace_agents.graph import GraphNode, Kind, Reason
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.filling import filled
from trace_agents_adapters.otel.dag.messages import Part
from trace_agents_adapters.otel.dag.nodes import Nodes
from trace_agents_adapters.otel.dag.offers import Offers
from trace_agents_adapters.otel.dag.prompts import Prompts, sources
from trace_agents_adapters.otel.dag.scene import Scene
from trace_agents_adapters.otel.dag.texts import Known, Texts, words_of
from trace_agents_adapters.otel.dag.toolcalls import ToolCalls

Source: TypeAlias = tuple[str, Reason]


class Conversations:
    """Finds the sources of messages; creates inputs and parameters for those that have none."""

    def __init__(
        self,
        scene: Scene,
        nodes: Nodes,
        texts: Texts,
        prompts: Prompts,
        tools: ToolCalls,
        offers: Offers,
    ) -> None:
        self._scene = scene
        self._nodes = nodes
        self._texts = texts
        self._prompts = prompts
        self._tools = tools
        self._offers = offers
        self._before: dict[tuple[object, ...], int] = {}
        self._taken: dict[int, tuple[Source, ...]] = {}
        self.begun: dict[str, str] = {}
        """Answers of calls that have started, for a stream that is read before it ends."""

    def sources(self, call: Call, agent: str | None) -> list[Source]:
        """Return where the messages of a model call came from.

        A conversation that goes on keeps what is known of its beginning.
        """
        found: dict[Source, None] = {}
        used: Counter[Known] = Counter()
        new: list[tuple[int, Known]] = []
        at = self._step(-1, (agent, bool(call.bound), call.variables and str(call.variables)))
        for part in call.inputs:
            at = self._step(at, (part.role, part.type, part.text, part.id, part.name))
            known = self._taken.get(at)
            if known is None:
                known, texts = self._part(call, part, agent)
                self._taken[at] = known
                new += [(at, text) for text in texts]
                used.update(texts)
            found.update(dict.fromkeys(known))
        for source in sources(used):
            found[source, Reason.CONTENT] = None
        for step, text in new:
            made = tuple((s, Reason.CONTENT) for s in sources({text: used[text]}))
            self._taken[step] += made
        return list(found)

    def _step(self, at: int, part: tuple[object, ...]) -> int:
        return self._before.setdefault((at, *part), len(self._before))

    def _part(
        self, call: Call, part: Part, agent: str | None
    ) -> tuple[tuple[Source, ...], list[Known]]:
        """Return the sources of a part that are sure, and the known texts that it consists of."""
        if part.type == "tool_call":
            asker = self._tools.asker(part)
            return ((asker, Reason.TOOL_CALL_ID),) if asker else (), []
        if part.type == "tool_call_response":
            ran = self._tools.answered(part) or self._untold(part, agent)
            if ran is not None and not self._scene.is_inside(call.span.span_id, ran):
                return ((ran, Reason.TOOL_CALL_ID),), []
        if not part.text.strip():
            return (), []
        return self._text(call, part, agent)

    def _untold(self, part: Part, agent: str | None) -> str | None:
        """Return a node for a tool call of which only the conversation tells."""
        asked = self._tools.was_asked(part.id)
        if asked is None:
            return None
        node = asked.ran = f"tool_call:{part.id}"
        value = {"arguments": asked.part.arguments, "result": part.text, "id": part.id}
        self._nodes.put(GraphNode(node, Kind.TOOL_CALL, asked.part.name, value, agent))
        self._nodes.link(asked.by, node, Reason.TOOL_CALL_ID)
        self._offers.called(node, asked.part.name, None, asked.by)
        return node

    def _text(
        self, call: Call, part: Part, agent: str | None
    ) -> tuple[tuple[Source, ...], list[Known]]:
        is_system = part.role == "system"
        fields = filled(call.bound, part.text, call.variables) if call.bound else None
        if fields is not None:  # the parameter is an input already; what was filled in is told here
            return self._fields(replace(call, bound=(), variables=()), part, fields, agent)
        if is_system and call.bound:
            return (), []
        told = self._prompts.explain(part.text, () if call.bound else call.variables)
        known = list(told.known)
        if not told.template:
            return (), known
        begun = None if known else self.begun.get(part.text.strip())
        if begun is not None and begun != call.span.span_id:
            return ((begun, Reason.CONTENT),), []
        fixed = told.templated or (bool(known) and self._prompts.closed)
        if is_system or (fixed and not call.bound):
            name = "system_message" if is_system else "prompt"
            node = self._nodes.found_parameter(f"{agent}.{name}" if agent else name, told.template)
            return ((node, Reason.PARAMETER),), known
        node = self._unknown(part, agent)
        if not known:
            self._texts.add(part.text, node)
        return ((node, Reason.CONTENT),), known

    def _fields(
        self, call: Call, part: Part, fields: list[str], agent: str | None
    ) -> tuple[tuple[Source, ...], list[Known]]:
        found: list[Source] = []
        texts: list[Known] = []
        for field in fields:
            if field.strip():
                whole = self._cut_from(field)
                if whole is not None:
                    texts.append(whole)
                    continue
                # what is filled into a system prompt is none
                sure, known = self._text(call, replace(part, text=field, role="user"), agent)
                found += sure
                texts += known
        return tuple(found), texts

    def _cut_from(self, field: str) -> Known | None:
        """Return the text of which a field is a piece, if it is no text of its own."""
        if self._texts.whole(field) or self._texts.within(words_of(field)):
            return None
        return self._texts.holding(field)

    def _unknown(self, part: Part, agent: str | None) -> str:
        if part.role == "user":
            return self._nodes.input(part.text, "input", agent)
        return self._nodes.message(part.text, agent)
