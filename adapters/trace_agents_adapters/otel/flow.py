"""Data flow: which value of an earlier call went into which later one, and how that is known.

Calls are read in the order in which they started; an edge goes only from an earlier call to a
later one, so that there is no cycle. A text is found again where it is a whole message, or a
block of whole lines of a message (bullets and a speaker's `name: ` before it aside). Producers
lie in an index by their lines, so that the work grows with the text and not with its square.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from trace_agents.graph import Edge, GraphNode, Kind, Reason
from trace_agents_adapters.otel.calls import Call, Part, as_text

_SHORTEST = 8
"""Characters of a line below which equal lines inside a message are taken for chance."""
_PREFIX = re.compile(r"^\s*(?:[-*>]\s+)?(?:[^:\n]{1,60}:\s+)?")


class _Block:
    __slots__ = ("below", "producer")

    def __init__(self) -> None:
        self.below: dict[str, _Block] = {}
        self.producer: str | None = None


class _Texts:
    """The texts that calls have produced so far, each with its latest producer."""

    def __init__(self) -> None:
        self._root = _Block()
        self._whole: dict[str, str] = {}

    def add(self, text: str, producer: str) -> None:
        lines = _lines(text)
        if lines:
            self._whole["\n".join(lines)] = producer
            block = self._root
            for line in lines:
                block = block.below.setdefault(line, _Block())
            if len("".join(lines)) >= _SHORTEST:
                block.producer = producer

    def within(self, text: str) -> tuple[list[str], bool]:
        """Return the producers of blocks of `text`, and whether they made all of it."""
        lines = _lines(text)
        whole = self._whole.get("\n".join(lines))
        if whole is not None:
            return [whole], True
        found: dict[str, None] = {}
        at = unexplained = 0
        while at < len(lines):
            producer, length = self._longest(lines, at)
            if producer is None:
                unexplained += 1
            else:
                found[producer] = None
            at += max(length, 1)
        return list(found), not unexplained

    def _longest(self, lines: list[str], at: int) -> tuple[str | None, int]:
        for first in dict.fromkeys((lines[at], _PREFIX.sub("", lines[at]))):
            block = self._root.below.get(first)
            best: tuple[str | None, int] = (None, 0)
            depth = 1
            while block is not None:
                if block.producer is not None:
                    best = (block.producer, depth)
                following = lines[at + depth] if at + depth < len(lines) else None
                block = block.below.get(following) if following is not None else None
                depth += 1
            if best[0] is not None:
                return best
        return None, 0


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class Flow:
    """Builds the nodes and the data-flow edges of one episode's calls."""

    def __init__(self, calls: Iterable[Call], told_by: Mapping[str, str]) -> None:
        self._calls = sorted(calls, key=lambda c: (c.span.start, c.span.span_id))
        self._order = {call.span.span_id: i for i, call in enumerate(self._calls)}
        self._told_by = told_by
        self._twins: dict[str, list[str]] = {}
        for inner, outer in told_by.items():
            self._twins.setdefault(outer, []).append(inner)
        self._nodes: dict[str, GraphNode] = {}
        self._edges: dict[tuple[str, str], Edge] = {}
        self._texts = _Texts()
        self._asked: dict[str, str] = {}
        self._ran: dict[str, str] = {}
        self._system: dict[str, dict[str, str]] = {}

    def build(self) -> tuple[list[GraphNode], list[Edge]]:
        """Return the nodes, in order, and the edges."""
        moments = [(call.span.start, 1, i, call) for i, call in enumerate(self._calls)]
        moments += [
            (call.span.end, 0, i, call)
            for i, call in enumerate(self._calls)
            if call.span.end is not None and call.kind is not Kind.OUTPUT
        ]
        moments += [
            (call.span.end or call.span.start, 2, i, call)
            for i, call in enumerate(self._calls)
            if call.kind is Kind.OUTPUT
        ]
        outputs: list[Call] = []
        for _, phase, _, call in sorted(moments, key=lambda m: m[:3]):
            if phase == 0:
                self._produce(call)
            elif phase == 2:
                outputs.append(call)
                self._output(call)
            elif call.kind is not Kind.OUTPUT:
                self._consume(call)
        if not outputs:
            self._last_answer()
        return list(self._nodes.values()), list(self._edges.values())

    def _consume(self, call: Call) -> None:
        target = call.span.span_id
        for name, value in call.bound:
            self._link(self._parameter(name, value), target, Reason.PARAMETER, name)
        for part in call.inputs:
            for source, reason in self._sources(call, part):
                self._link(source, target, reason)
        self._nodes[target] = self._node(call, call.agent or self._asking_agent(call))
        if call.kind is Kind.TOOL_CALL:
            if call.call_id:
                self._ran[call.call_id] = target
                if call.call_id in self._asked:
                    self._link(self._asked[call.call_id], target, Reason.TOOL_CALL_ID)
            for text in _texts_in(call.arguments):
                self._texts.add(text, target)

    def _sources(self, call: Call, part: Part) -> Iterator[tuple[str, Reason]]:
        if part.role in ("system", "developer"):
            yield from self._of_system(call, part.text)
        elif part.type == "tool_call":
            if part.id in self._asked:
                yield self._asked[part.id], Reason.TOOL_CALL_ID
        elif part.id and part.id in self._ran:
            yield self._ran[part.id], Reason.TOOL_CALL_ID
        elif part.text.strip():
            yield from self._of_content(part.text, call.agent)

    def _of_system(self, call: Call, text: str) -> Iterator[tuple[str, Reason]]:
        if call.bound or not text.strip():
            return
        name = f"{call.agent}.system_message" if call.agent else "system_message"
        known = self._system.setdefault(name, {})
        if text not in known:
            known[text] = f"{name}.{len(known) + 1}" if known else name
        yield self._parameter(known[text], text), Reason.PARAMETER

    def _of_content(self, text: str, agent: str | None) -> Iterator[tuple[str, Reason]]:
        producers, complete = self._texts.within(text)
        for producer in producers:
            yield producer, Reason.CONTENT
        if not complete:
            node = f"input:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
            self._nodes.setdefault(node, GraphNode(node, Kind.INPUT, "input", text, agent))
            yield node, Reason.CONTENT

    def _produce(self, call: Call) -> None:
        producer = call.span.span_id
        for part in call.outputs:
            if part.type == "tool_call" and part.id:
                self._asked[part.id] = producer
            elif part.text:
                self._texts.add(part.text, producer)
        if call.result is not None:
            self._texts.add(call.result, producer)

    def _output(self, call: Call) -> None:
        target = call.span.span_id
        self._nodes[target] = self._node(call, call.agent)
        linked = [self._told_by.get(span, span) for _, span in call.links]
        for source in linked:
            if source in self._nodes:
                self._link(source, target, Reason.LINK)
        if not any(source in self._nodes for source in linked):
            producers, complete = self._texts.within(as_text(call.output))
            last = [] if complete else self._last_call()
            for source in dict.fromkeys(producers + last):
                self._link(source, target, Reason.CONTENT)

    def _last_answer(self) -> None:
        for source in self._last_call():
            node = self._nodes[source]
            self._nodes["output"] = GraphNode("output", Kind.OUTPUT, "output", node.value)
            self._link(source, "output", Reason.CONTENT)

    def _last_call(self) -> list[str]:
        kinds = (Kind.LLM_CALL, Kind.TOOL_CALL)
        return [n.id for n in reversed(self._nodes.values()) if n.kind in kinds][:1]

    def _parameter(self, name: str, value: object) -> str:
        node = f"parameter:{name}"
        self._nodes.setdefault(node, GraphNode(node, Kind.PARAMETER, name, value))
        return node

    def _link(self, source: str, target: str, reason: Reason, label: str = "") -> None:
        order = self._order
        outputs_last = self._nodes.get(target)
        is_output = outputs_last is not None and outputs_last.kind is Kind.OUTPUT
        if not is_output and source in order and order[source] >= order[target]:
            return
        self._edges.setdefault((source, target), Edge(source, target, reason, label))

    def _asking_agent(self, call: Call) -> str | None:
        """Return the agent whose model asked for a tool call."""
        asking = self._nodes.get(self._asked.get(call.call_id, ""))
        return None if asking is None else asking.agent

    def _node(self, call: Call, agent: str | None) -> GraphNode:
        span = call.span
        failed = span.status == "error"
        return GraphNode(
            span.span_id,
            call.kind,
            call.name,
            _value(call),
            agent,
            error=(span.message or str(span.attributes.get("error.type", "error")))
            if failed
            else None,
            finished=span.end is not None,
            spans=(span.span_id, *self._twins.get(span.span_id, ())),
        )


def _value(call: Call) -> object:
    match call.kind:
        case Kind.LLM_CALL:
            calls = [
                {"id": p.id, "name": p.name, "arguments": p.arguments}
                for p in call.outputs
                if p.type == "tool_call"
            ]
            text = "\n".join(p.text for p in call.outputs if p.type == "text")
            if calls:
                return {"text": text, "tool_calls": calls} if text else {"tool_calls": calls}
            return text if call.outputs else None
        case Kind.TOOL_CALL:
            return {"arguments": call.arguments, "result": call.result, "id": call.call_id}
        case _:
            return call.output


def _texts_in(arguments: object) -> Iterator[str]:
    if isinstance(arguments, dict):
        values = cast("dict[str, object]", arguments).values()
        yield from (value for value in values if isinstance(value, str))
