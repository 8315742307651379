"""Data flow: which value of an earlier call went into which later one, and how that is known.

The starts and ends of an episode's calls are walked in the order of their times. A model call
takes what its messages show when it starts, and gives its answer when it ends; a tool call takes
the answers of the calls inside it when it ends.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from trace_agents.graph import Edge, GraphNode, Kind, Reason
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.conversation import Conversations
from trace_agents_adapters.otel.dag.cycles import without_cycles
from trace_agents_adapters.otel.dag.delivered import Delivered
from trace_agents_adapters.otel.dag.describe import call_node
from trace_agents_adapters.otel.dag.linked import linked
from trace_agents_adapters.otel.dag.messages import parts_of, texts_of
from trace_agents_adapters.otel.dag.nodes import Nodes
from trace_agents_adapters.otel.dag.offers import Offers
from trace_agents_adapters.otel.dag.outputs import Outputs
from trace_agents_adapters.otel.dag.prompts import Prompts
from trace_agents_adapters.otel.dag.scene import Scene
from trace_agents_adapters.otel.dag.texts import Texts, words_of
from trace_agents_adapters.otel.dag.toolcalls import ToolCalls
from trace_agents_adapters.otel.dag.values import mapping, parsed, text_leaves

_LEAVES = 64
"""Texts inside one JSON answer that can be found again alone, and authors of one text."""


class Flow:
    """Builds the nodes and the data-flow edges of one episode's calls."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._nodes = Nodes()
        self._texts = Texts()
        self._prompts = Prompts(self._texts, self._nodes)
        self._tools = ToolCalls()
        self._offers = Offers(self._nodes)
        self._conversations = Conversations(
            scene, self._nodes, self._texts, self._prompts, self._tools, self._offers
        )
        self._delivered = Delivered(self._nodes, self._tools)
        self._modelled = any(call.kind is Kind.LLM_CALL for call in scene.calls.values())
        self._outputs = Outputs(scene, self._nodes, self._texts)
        self._heard: set[str] = set()
        self.problems: tuple[str, ...] = ()
        """What is wrong with the flow that was found, in sentences."""

    def build(self) -> tuple[list[GraphNode], list[Edge]]:
        """Return the nodes, in order, and the edges."""
        for call in self._scene.calls.values():
            if call.kind is Kind.LLM_CALL:
                self._tools.heard(p for p in call.inputs if p.type != "text")
            elif call.kind is Kind.MESSAGE and str(call.given) not in self._heard:
                self._heard.add(str(call.given))  # the same message is delivered to many
                self._tools.heard(parts_of(parsed(call.given)), delivered=True)
            if call.agent:
                self._prompts.speakers.add(call.agent.lower())
        for _, phase, _, span_id in self._scene.moments():
            call = self._scene.calls[span_id]
            if phase == 1:
                self._start(span_id, call)
            else:
                self._end(span_id, call)
        for source, target in linked(self._scene):
            self._nodes.link(source, target, Reason.LINK)
        self._outputs.finish()
        for span_id, call in self._scene.calls.items():
            if call.kind in (Kind.LLM_CALL, Kind.TOOL_CALL):
                self._nodes.put(call_node(span_id, call, self._scene, self._tools))
        edges, dropped = without_cycles(self._nodes.edges.values(), self._moment_of)
        self.problems = tuple(
            f"an edge from {e.source} to {e.target} closed a cycle" for e in dropped
        )
        return self._nodes.all(), edges

    def _moment_of(self, node: str) -> tuple[int, int]:
        """Return when a node's value was there: a model call counts from its start."""
        call = self._scene.calls.get(node)
        if call is None:
            return (0, 0)
        if call.kind is Kind.LLM_CALL:
            return (call.span.start, 1)
        return (sys.maxsize if call.span.end is None else call.span.end, 0)

    def _start(self, span_id: str, call: Call) -> None:
        match call.kind:
            case Kind.LLM_CALL:
                self._model_starts(span_id, call)
            case Kind.TOOL_CALL:
                self._tool_starts(span_id, call)
            case Kind.MESSAGE:
                self._message(call)
            case Kind.OUTPUT:
                self._prompts.task(call.given)
            case Kind.AGENT | Kind.CHAIN if span_id in self._scene.tops:
                self._prompts.given(call.given, keep=not self._modelled)
            case _:
                pass

    def _end(self, span_id: str, call: Call) -> None:
        match call.kind:
            case Kind.LLM_CALL:
                self._model_ends(span_id, call)
            case Kind.TOOL_CALL:
                self._tool_ends(span_id, call)
            case Kind.OUTPUT:
                self._outputs.declared(span_id, call)
            case Kind.AGENT | Kind.CHAIN:
                self._run_ends(span_id, call)
            case _:
                pass

    def _model_starts(self, span_id: str, call: Call) -> None:
        agent = self._scene.agent_of(span_id)
        for name, value in call.bound:
            self._nodes.link(self._nodes.parameter(name, value), span_id, Reason.PARAMETER, name)
        for source, reason in self._conversations.sources(call, agent):
            self._nodes.link(source, span_id, reason)
        for source in self._scene.linked_calls(call):
            self._nodes.link(source, span_id, Reason.LINK)
        self._offers.offered(span_id, call)
        self._nodes.reserve(span_id)
        self._tools.asks(span_id, call.outputs)
        for part in call.outputs:
            if part.text.strip():
                self._conversations.begun.setdefault(part.text.strip(), span_id)

    def _model_ends(self, span_id: str, call: Call) -> None:
        for part in call.outputs:
            if part.type == "tool_call":
                self._add_leaves(part.arguments, span_id)
            elif part.text:
                self._texts.add(part.text, span_id)
                self._add_leaves(parsed(part.text), span_id)

    def _add_leaves(self, value: object, producer: str) -> None:
        if isinstance(value, dict | list):
            for _, (_, text) in zip(range(_LEAVES), text_leaves(value), strict=False):  # pyright: ignore[reportUnknownArgumentType]
                self._texts.add(text, producer)

    def _tool_starts(self, span_id: str, call: Call) -> None:
        for name, value in call.bound:
            self._nodes.link(self._nodes.parameter(name, value), span_id, Reason.PARAMETER, name)
        asked = self._tools.runs(span_id, call)
        self._nodes.reserve(span_id)
        if asked is not None:
            self._scene.asked_by(span_id, asked.by)
            self._nodes.link(asked.by, span_id, Reason.TOOL_CALL_ID)
            self._offers.called(span_id, call.name, call, asked.by)
            return
        self._offers.called(span_id, call.name, call)
        for _, text in text_leaves(call.arguments):
            whole = self._texts.whole(text) or self._texts.holding(text)
            if whole is not None:
                self._nodes.link(whole.producers[-1], span_id, Reason.CONTENT)

    def _tool_ends(self, span_id: str, call: Call) -> None:
        result = self._tools.result_of(span_id, call)
        for part in call.outputs:
            self._texts.add(part.text, span_id)
        if result is None:
            return
        for source in self._inside(result, span_id):
            self._nodes.link(source, span_id, Reason.CONTENT)
        self._texts.add(result, span_id)
        self._add_leaves(parsed(result), span_id)

    def _inside(self, text: str, holder: str) -> Iterator[str]:
        """Yield who, of the calls that `holder` holds, made which part of a text."""
        whole = self._texts.whole(text)
        known = [whole] if whole else [f.known for f in self._texts.within(words_of(text))]
        for entry in dict.fromkeys(known):
            for producer in reversed(entry.producers[-_LEAVES:]):
                if producer != holder and self._scene.is_inside(producer, holder):
                    yield producer
                    break

    def _message(self, call: Call) -> None:
        """Take the input of the whole run from a message that came from outside of it."""
        if not self._modelled:
            self._delivered.deliver(call)
        if call.agent is None:
            self._prompts.given(mapping(parsed(call.given)), keep=not self._modelled)

    def _run_ends(self, span_id: str, call: Call) -> None:
        if call.template:
            self._prompts.filled(call.gave, call.variables)
        elif span_id in self._scene.leaves and span_id not in self._scene.tops:
            self._rewritten(span_id, call)
        if span_id in self._scene.tops:
            self._outputs.of_run(span_id, call)

    def _rewritten(self, span_id: str, call: Call) -> None:
        """Follow one text through a step that holds no calls and gave other text."""
        given = [text for _, text in texts_of(call.given)]
        whole = self._texts.whole(given[0]) if len(given) == 1 else None
        if whole is None:
            return
        new = [t for _, t in texts_of(call.gave) if self._texts.whole(t) is None]
        if new:
            self._nodes.put(GraphNode(span_id, Kind.CHAIN, call.name, new[0], spans=(span_id,)))
            self._nodes.link(whole.producers[-1], span_id, Reason.CONTENT)
            for text in new[:_LEAVES]:
                self._texts.add(text, span_id)
