"""The calls of one episode, and where they lie: in which agent, inside which tool, when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from trace_agents.graph import Edge, GraphNode, Kind, Reason
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.tree import Forest

Moment: TypeAlias = tuple[int, int, int, str]
"""Time, phase, position and span id."""
_DATA = frozenset({Kind.LLM_CALL, Kind.TOOL_CALL})


class Scene:
    """The calls of one episode by span id, in two forests: who holds whom, who caused whom."""

    def __init__(
        self,
        calls: dict[str, Call],
        holding: Forest,
        causing: Forest,
        told_by: Mapping[str, str],
    ) -> None:
        self.calls = calls
        self.holding = holding
        self.causing = causing
        self.twins: dict[str, list[str]] = {}
        """The other spans that tell the same call."""
        for inner, outer in told_by.items():
            self.twins.setdefault(outer, []).append(inner)
        self.told_by = told_by
        self._agents = self._holders()
        self._askers: dict[str, str] = {}
        self.tops = frozenset(self._tops())
        """The outermost runs that tell their input or output."""
        self.leaves = frozenset(self._without_calls())
        """Chain steps that hold no call."""

    def _holders(self) -> dict[str, str | None]:
        """Return the agent around each span: the nearest agent's run, or who got the message."""
        found: dict[str, str | None] = {}
        for span_id in self.holding.order:
            above = self.holding.above[span_id]
            inherited = found[above] if above is not None else None
            call = self.calls.get(span_id)
            found[span_id] = (_running(call) if call else None) or inherited
        return found

    def agent_of(self, span_id: str) -> str | None:
        """Return the agent that made a call: as it tells, else the one around it."""
        found = self.calls[span_id].agent or self._agents.get(span_id)
        if found or span_id not in self._askers:
            return found
        current, seen = self._askers[span_id], {span_id}
        while current in self.calls and current not in seen:
            seen.add(current)
            found = self.calls[current].agent or self._agents.get(current)
            if found:
                return found
            current = self._askers.get(current, "")
        return None

    def asked_by(self, span_id: str, asker: str) -> None:
        """Remember which model call asked for a tool call."""
        self._askers[span_id] = asker

    def linked_calls(self, call: Call) -> Iterator[str]:
        """Yield the model and tool calls to which a call's span links."""
        for _, linked in call.links:
            source = self.told_by.get(linked, linked)
            found = self.calls.get(source)
            if found is not None and found.kind in _DATA and source != call.span.span_id:
                yield source

    def is_inside(self, producer: str, holder: str) -> bool:
        """Whether a call was made by a tool call, directly or through others."""
        known = producer in self.causing.above and holder in self.causing.above
        return known and self.causing.inside(producer, holder)

    def moments(self) -> list[Moment]:
        """Return the starts and ends of all calls in the order of time; outputs come last.

        At one time ends come before starts, but a call's own end after its start.
        """
        found: list[Moment] = []
        for position, (span_id, call) in enumerate(self.calls.items()):
            start, end = call.span.start, call.span.end
            found.append((start, 1, position, span_id))
            if call.kind is Kind.OUTPUT:
                found.append((max(end or start, start), 3, -position, span_id))
            elif end is not None:
                found.append((max(end, start), 0 if end > start else 2, -position, span_id))
        return sorted(found)

    def _tops(self) -> Iterator[str]:
        covered: dict[str, bool] = {}
        for span_id in self.causing.order:
            above = self.causing.above[span_id]
            call = self.calls.get(span_id)
            inside = above is not None and covered[above]
            tells = call is not None and (
                call.kind in _DATA
                or (call.is_structure and (call.given is not None or call.gave is not None))
            )
            covered[span_id] = inside or tells
            if (
                call is not None
                and call.is_structure
                and tells
                and not inside
                and not call.template
            ):
                yield span_id

    def _without_calls(self) -> Iterator[str]:
        # the two differ where a link and a parent do
        holds = self._above_calls(self.causing) | self._above_calls(self.holding)
        for span_id in reversed(self.causing.order):
            call = self.calls.get(span_id)
            if call and call.kind is Kind.CHAIN and not call.template and span_id not in holds:
                yield span_id

    def _above_calls(self, forest: Forest) -> set[str]:
        holds: set[str] = set()
        for span_id in reversed(forest.order):
            above = forest.above[span_id]
            call = self.calls.get(span_id)
            is_step = call is None or call.kind is Kind.CHAIN
            if above is not None and (span_id in holds or not is_step):
                holds.add(above)
        return holds

    def structure(self) -> tuple[list[GraphNode], list[Edge]]:
        """Return the agents and chains that hold calls, and what each of them holds."""
        return _Structure(self).build()

    def spans_of(self, span_id: str) -> tuple[str, ...]:
        """Return every span that tells a call."""
        return (span_id, *self.twins.get(span_id, ()))


class _Structure:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._holder: dict[str, str | None] = {}

    def build(self) -> tuple[list[GraphNode], list[Edge]]:
        edges: list[Edge] = []
        for span_id in self._scene.holding.order:
            edge = self._place(span_id)
            if edge is not None:
                edges.append(edge)
        holders = self._of_use(edges)
        kept = [e for e in edges if e.source in holders and self._is_kept(e.target, holders)]
        return [self._node(i) for i in self._scene.calls if i in holders], kept

    def _place(self, span_id: str) -> Edge | None:
        above = self._scene.holding.above[span_id]
        holder = None if above is None else self._holder[above]
        call = self._scene.calls.get(span_id)
        if call is None:
            self._holder[span_id] = holder
            return None
        if call.is_structure:
            outer = None if holder is None else self._scene.calls[holder]
            if outer is not None and outer.name == call.name:
                self._holder[span_id] = holder
                return None
            self._holder[span_id] = span_id
        else:
            # what a tool holds is not the agent's: no edge leads from a tool to an agent
            self._holder[span_id] = None if call.kind is Kind.TOOL_CALL else holder
        return None if holder is None else Edge(holder, span_id, Reason.CONTAINMENT)

    def _of_use(self, edges: list[Edge]) -> set[str]:
        holders: set[str] = set()
        for edge in reversed(edges):
            call = self._scene.calls[edge.target]
            if call.kind in _DATA or call.kind is Kind.OUTPUT or edge.target in holders:
                holders.add(edge.source)
        return holders

    def _is_kept(self, target: str, holders: set[str]) -> bool:
        call = self._scene.calls[target]
        return target in holders or call.kind in _DATA or call.kind is Kind.OUTPUT

    def _node(self, span_id: str) -> GraphNode:
        call = self._scene.calls[span_id]
        error = error_of(call)
        return GraphNode(
            span_id,
            call.kind,
            call.name,
            agent=call.agent,
            error=error,
            finished=call.span.end is not None,
            spans=(span_id,),
        )


def _running(call: Call) -> str | None:
    if call.kind is Kind.AGENT:
        return call.agent
    return call.name if call.kind is Kind.MESSAGE else None


def error_of(call: Call) -> str | None:
    """Return what a failed call's span says went wrong; only its status tells that it failed."""
    span = call.span
    if span.status != "error":
        return None
    if span.message:
        return span.message
    for event in span.events:
        if event.name == "exception":
            said = [str(event.attributes.get(f"exception.{k}") or "") for k in ("type", "message")]
            return ": ".join(filter(None, said)) or "error"
    return str(span.attributes.get("error.type") or "error")
