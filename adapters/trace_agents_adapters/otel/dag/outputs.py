"""What an episode came to: the outputs that a workflow declares, tells, or that came last."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from trace_agents.graph import GraphNode, Kind, Reason
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.messages import texts_of
from trace_agents_adapters.otel.dag.nodes import Nodes
from trace_agents_adapters.otel.dag.scene import Scene, error_of
from trace_agents_adapters.otel.dag.texts import Texts, words_of
from trace_agents_adapters.otel.dag.values import as_text, parsed, text_leaves


class Outputs:
    """Finds the output nodes of one episode."""

    def __init__(self, scene: Scene, nodes: Nodes, texts: Texts) -> None:
        self._scene = scene
        self._nodes = nodes
        self._texts = texts
        self._runs: list[tuple[str, Call, dict[str, str]]] = []
        self._declared = False

    def declared(self, span_id: str, call: Call) -> None:
        """Add an output that a span of ours tells."""
        self._declared = True
        self._nodes.put(self._node(span_id, call, call.output))
        for name, value in call.bound:
            self._nodes.link(self._nodes.parameter(name, value), span_id, Reason.PARAMETER, name)
        linked = [self._scene.told_by.get(span, span) for _, span in call.links]
        known = [source for source in linked if source in self._nodes]
        for source in known:
            self._nodes.link(source, span_id, Reason.LINK)
        if not known:
            told = [text for _, text in text_leaves(call.output)]
            found, complete = self._producers(told or [as_text(call.output)])
            last = [] if complete else self._last
            for source in dict.fromkeys([*found, *last]):
                self._nodes.link(source, span_id, Reason.CONTENT)

    def _node(self, span_id: str, call: Call, value: object) -> GraphNode:
        finished, spans = call.span.end is not None, self._scene.spans_of(span_id)
        kind, error = Kind.OUTPUT, error_of(call)
        return GraphNode(span_id, kind, call.name, value, call.agent, "", error, finished, spans)

    def of_run(self, span_id: str, call: Call) -> None:
        """Remember the output of an outermost run."""
        told = [text for _, text in texts_of(call.gave)]
        if told:
            producers, _ = self._producers(told)
            self._runs.append((span_id, call, producers))

    def _producers(self, told: Iterable[str]) -> tuple[dict[str, str], bool]:
        """Return who made these texts, each with the text, and whether that is all of them."""
        found: dict[str, str] = {}
        complete = True
        for text in told:
            whole = self._texts.whole(text)
            known = [whole] if whole else [f.known for f in self._texts.within(words_of(text))]
            complete = complete and whole is not None
            found.update(dict.fromkeys((k.producers[-1] for k in known), text))
        return found, complete

    def finish(self) -> None:
        """Add the outputs that no span declared."""
        if self._declared:
            return
        consumed = {source for source, _ in self._nodes.edges}
        for span_id, call, producers in self._runs:
            final = [p for p in producers if self._made(p) and p not in consumed]
            if final or not any(map(self._made, producers)):
                told = producers[final[0]] if len(final) == 1 else parsed(call.gave)
                if not final and span_id in self._last_in:
                    final = [self._last_in[span_id]]
                self._add(f"output:{span_id}", call.name, told, final)
        if not self._runs and not any(c.kind is Kind.MESSAGE for c in self._scene.calls.values()):
            last = self._last
            value = self._scene.calls[last[0]] if last else None
            if value is not None:
                self._add("output", "output", _said(value), last)

    def _made(self, node: str) -> bool:
        return not node.startswith(("input:", "message:"))

    def _add(self, node: str, name: str, told: object, producers: Iterable[str]) -> None:
        self._nodes.put(GraphNode(node, Kind.OUTPUT, name, told))
        for source in producers:
            self._nodes.link(source, node, Reason.CONTENT)

    @cached_property
    def _last(self) -> list[str]:
        """The model or tool call that began last."""
        for span_id in reversed(self._scene.calls):
            if self._scene.calls[span_id].kind in (Kind.LLM_CALL, Kind.TOOL_CALL):
                return [span_id]
        return []

    @cached_property
    def _last_in(self) -> dict[str, str]:
        """The model call that began last in each outermost run."""
        run: dict[str, str | None] = {}
        for span_id in self._scene.causing.order:
            above = self._scene.causing.above[span_id]
            around = None if above is None else run[above]
            run[span_id] = span_id if span_id in self._scene.tops else around
        last: dict[str, str] = {}
        for span_id, call in self._scene.calls.items():
            around = run.get(span_id)
            if around is not None and call.kind is Kind.LLM_CALL:
                last[around] = span_id
        return last


def _said(call: Call) -> object:
    if call.kind is Kind.TOOL_CALL:
        return call.result
    return "\n".join(part.text for part in call.outputs if part.text) or None
