"""Who lies inside whom, and who caused whom: spans as forests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trace_agents_adapters.otel.conventions import NODE_KIND
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.vocabularies.traceloop import leaked

Spans = Mapping[str, SpanRecord]


def unique(records: Iterable[SpanRecord]) -> dict[str, SpanRecord]:
    """Return the spans by id, by their start; of two with one id, the one that ended."""
    spans: dict[str, SpanRecord] = {}
    for record in records:
        known = spans.get(record.span_id)
        if known is None or _better(record, known):
            spans[record.span_id] = record
    return dict(sorted(spans.items(), key=lambda item: (item[1].start, item[0])))


def _better(record: SpanRecord, known: SpanRecord) -> bool:
    """Whether a second record of a span tells more; decided without regard to their order."""
    mine, other = (record.end or 0, len(record.attributes)), (known.end or 0, len(known.attributes))
    return mine > other or (mine == other and repr(record) > repr(known))


def causes(spans: Spans) -> dict[str, str | None]:
    """Return for each span the one that caused it: the target of its link, else its parent.

    The links of our own nodes tell data flow, so that for them the parent counts.
    """
    found: dict[str, str | None] = {}
    for span_id, span in spans.items():
        cause = _parent(span, spans)
        if span.links and NODE_KIND not in span.attributes:
            targets = (target for _, target in span.links if target != span_id)
            cause = next((target for target in targets if target in spans), cause)
        found[span_id] = cause
    return found


def parents(spans: Spans) -> dict[str, str | None]:
    """Return for each span its parent, if it is there."""
    return {span_id: _parent(span, spans) for span_id, span in spans.items()}


def _parent(span: SpanRecord, spans: Spans) -> str | None:
    """Return the parent, if it is there and is one: not where its context only leaked."""
    above = spans.get(span.parent_id or "")
    if above is None or above.span_id == span.span_id or leaked(span, above):
        return None
    return above.span_id


class Forest:
    """Spans with the span above each; a cycle is cut where it begins."""

    def __init__(self, spans: Spans, above: Mapping[str, str | None]) -> None:
        self.spans = spans
        self.above = dict(above)
        self.cut: list[str] = []
        """Spans that were in a cycle, one of each."""
        self._cut_cycles()
        self.order = self._top_down()
        """Every span after the one above it."""
        self._enter: dict[str, int] = {}
        self._leave: dict[str, int] = {}

    def _cut_cycles(self) -> None:
        state: dict[str, int] = {}
        for start in self.spans:
            path: list[str] = []
            current: str | None = start
            while current is not None and current not in state:
                state[current] = 1
                path.append(current)
                current = self.above[current]
            if current is not None and state[current] == 1:
                self._cut(path[path.index(current) :])
            for span_id in path:
                state[span_id] = 2

    def _cut(self, cycle: list[str]) -> None:
        first = min(cycle, key=lambda i: (self.spans[i].start, i))
        self.above[first] = None
        self.cut.append(first)

    def _top_down(self) -> list[str]:
        below: dict[str, list[str]] = {}
        order: list[str] = []
        for span_id in self.spans:
            above = self.above[span_id]
            if above is None:
                order.append(span_id)
            else:
                below.setdefault(above, []).append(span_id)
        for span_id in order:  # grows while it is walked: breadth first, without recursion
            order.extend(below.get(span_id, ()))
        return order

    def roots(self) -> dict[str, str]:
        """Return the root of each span."""
        root: dict[str, str] = {}
        for span_id in self.order:
            above = self.above[span_id]
            root[span_id] = span_id if above is None else root[above]
        return root

    def inside(self, span_id: str, holder: str) -> bool:
        """Whether the span is `holder` or lies below it; in constant time."""
        if not self._enter:
            self._number()
        return self._enter[holder] <= self._enter[span_id] < self._leave[holder]

    def _number(self) -> None:
        size = dict.fromkeys(self.order, 1)
        for span_id in reversed(self.order):
            above = self.above[span_id]
            if above is not None:
                size[above] += size[span_id]
        following = 0
        free: dict[str, int] = {}
        for span_id in self.order:
            above = self.above[span_id]
            if above is None:
                at, following = following, following + size[span_id]
            else:
                at = free[above]
                free[above] += size[span_id]
            self._enter[span_id], self._leave[span_id] = at, at + size[span_id]
            free[span_id] = at + 1
