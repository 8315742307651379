"""Graphs while spans still come in: each episode is handed out when it is over, and let go.

Spans may be fed in any order, as they end. An episode is over when its root has ended and every
span that was announced, or that another one names as its parent, has ended too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from trace_agents.graph import Graph
from trace_agents_adapters.otel.conventions import EPISODE
from trace_agents_adapters.otel.dag.convert import spans_to_graphs
from trace_agents_adapters.otel.records import SpanRecord


@dataclass(slots=True, eq=False)
class _Group:
    """Spans that belong together as far as is known by now."""

    spans: dict[str, SpanRecord] = field(default_factory=dict[str, SpanRecord])
    names: set[str] = field(default_factory=set[str])
    """Ids of its spans, and `episode:NAME` for each stamp."""
    awaited: set[str] = field(default_factory=set[str])
    """Spans that were announced or named, and have not ended."""
    touched: int = 0
    """How many spans had come when the latest of its own came."""


class GraphStream:
    """Turns ended spans into graphs; its memory is bounded by the episodes that are under way."""

    def __init__(self, *, keep: int = 16, remember: int = 100_000) -> None:
        """Keep the spans of the last `keep` episodes, and the ids of `remember` spans before.

        A late span of a kept episode hands that episode out again, whole. A later one becomes a
        graph of its own with a problem that says so.
        """
        self._keep = keep
        self._remember = remember
        self._group_of: dict[str, _Group] = {}
        self._touched: OrderedDict[int, _Group] = OrderedDict()
        self._kept: OrderedDict[int, _Group] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._fed = 0

    def started(self, record: SpanRecord) -> None:
        """Announce a span that has not ended; the episode waits for it."""
        group = self._joined(record)
        group.awaited.add(record.span_id)
        self._touch(group)

    def ended(self, record: SpanRecord) -> None:
        """Add a span that has ended, or will never tell more."""
        group = self._joined(record)
        group.spans[record.span_id] = record
        group.awaited.discard(record.span_id)
        self._touch(group)

    def ready(self, *, quiet: int = 0) -> Iterator[Graph]:
        """Yield the graphs of the episodes that are over and were not handed out as they are.

        Where spans do not come in the order in which they ended, `quiet` is how many spans of
        other episodes must have come since.
        """
        for group in list(self._touched.values()):
            if group.touched + quiet > self._fed:
                break  # the groups lie in the order in which they were touched
            if group.spans and not group.awaited:
                yield from self._handed_out(group)

    def flush(self) -> Iterator[Graph]:
        """Yield the graphs of all other episodes too, whatever is missing from them."""
        for group in list(self._touched.values()):
            yield from self._handed_out(group)

    @property
    def open(self) -> int:
        """How many spans are held for episodes that are not over."""
        return sum(len(group.spans) for group in self._touched.values())

    @property
    def held(self) -> int:
        """How many spans and ids of spans are held altogether."""
        return len(self._group_of) + len(self._gone)

    def _joined(self, record: SpanRecord) -> _Group:
        stamp = record.text(EPISODE)
        tied = [record.span_id]
        if stamp is not None:
            tied.append(f"episode:{stamp}")
        causes = [target for _, target in record.links] or [record.parent_id or ""]
        tied += [c for c in causes if c and c != record.span_id and c not in self._gone]
        groups = {id(g): g for name in tied if (g := self._group_of.get(name)) is not None}
        group = self._merged(list(groups.values())) if groups else _Group()
        for name in tied:
            if name not in group.names:
                group.names.add(name)
                self._group_of[name] = group
                if name != record.span_id and not name.startswith("episode:"):
                    group.awaited.add(name)
        return group

    def _merged(self, groups: list[_Group]) -> _Group:
        """Fold the smaller groups into the largest, so that joining all costs O(n log n)."""
        groups.sort(key=lambda g: len(g.names))
        largest = groups.pop()
        for group in groups:
            largest.spans.update(group.spans)
            largest.awaited |= group.awaited
            largest.names |= group.names
            for name in group.names:
                self._group_of[name] = largest
            self._touched.pop(id(group), None)
            self._kept.pop(id(group), None)
        return largest

    def _touch(self, group: _Group) -> None:
        self._kept.pop(id(group), None)
        self._touched[id(group)] = group
        self._touched.move_to_end(id(group))
        self._fed += 1
        group.touched = self._fed

    def _handed_out(self, group: _Group) -> Iterator[Graph]:
        del self._touched[id(group)]
        self._kept[id(group)] = group
        while len(self._kept) > self._keep:
            self._let_go(self._kept.popitem(last=False)[1])
        for graph in spans_to_graphs(group.spans.values()):
            yield replace(graph, problems=(*graph.problems, *self._late(group)))

    def _late(self, group: _Group) -> Iterator[str]:
        if any(self._cause(span) in self._gone for span in group.spans.values()):
            count = len(group.spans)
            yield f"{count} spans came after their episode had been handed out and let go"

    def _cause(self, span: SpanRecord) -> str:
        return span.links[0][1] if span.links else span.parent_id or ""

    def _let_go(self, group: _Group) -> None:
        for name in group.names:
            del self._group_of[name]
            self._gone[name] = None
        while len(self._gone) > self._remember:
            self._gone.popitem(last=False)
