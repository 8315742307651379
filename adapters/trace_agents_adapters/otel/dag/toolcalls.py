"""Which model asked for which tool call, and which result came back: by id, else by name."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.messages import Part
from trace_agents_adapters.otel.dag.values import as_text, mapping

_ALIKE = 64
"""Requests with one id or one name that are looked at, so that many of them cost no more."""


@dataclass(slots=True, eq=False)
class Asked:
    """A model's request for a tool call."""

    by: str
    part: Part
    ran: str | None = None
    """The tool call that answered it."""


class ToolCalls:
    """The requests of an episode's models, and the tool calls that answered them."""

    def __init__(self) -> None:
        self._by_id: dict[str, list[Asked]] = {}
        self._by_name: dict[str, deque[Asked]] = {}
        self._ran: dict[str, list[str]] = {}
        self._results: dict[str, str | None] = {}
        self._arguments: dict[str, object] = {}
        self._failed: set[str] = set()
        self._requested: set[str] = set()
        self._ids: dict[str, str] = {}

    def heard(self, parts: Iterable[Part], *, delivered: bool = False) -> None:
        """Remember what a message tells of calls whose own spans may not tell it.

        A runtime that delivers requests for tools delivers their results too.
        """
        for part in parts:
            if part.type == "tool_call_response" and part.id:
                known = self._results.setdefault(part.id, part.text)
                if known != part.text:
                    self._results[part.id] = None  # one id for two calls: nobody can tell which
                if part.failed:
                    self._failed.add(part.id)
            elif part.type == "tool_call" and part.id and part.arguments is not None:
                self._arguments.setdefault(part.id, part.arguments)
                if delivered:
                    self._requested.add(part.id)

    def id_of(self, node: str, call: Call) -> str:
        """Return the id of a tool call: from its span, else that of the request it answers."""
        return call.call_id or self._ids.get(node, "")

    def result_of(self, node: str, call: Call) -> str | None:
        """Return a tool call's result: from its span, else as a message told it."""
        known = call.result
        return self._results.get(self.id_of(node, call)) if known is None else known

    def arguments_of(self, node: str, call: Call) -> object:
        """Return a tool call's arguments: from its span, else as they were asked for."""
        known = call.arguments
        return self._arguments.get(self.id_of(node, call)) if known is None else known

    def has_failed(self, node: str, call: Call) -> bool:
        """Whether the result of a tool call is an error, by its span or by a message."""
        called = self.id_of(node, call)
        return call.failed or (called in self._failed and self._results.get(called) is not None)

    def was_left(self, node: str, call: Call) -> bool:
        """Whether a runtime told of a request and never of its result."""
        called = self.id_of(node, call)
        return call.result is None and called in self._requested and called not in self._results

    def asks(self, node: str, parts: Iterable[Part]) -> None:
        """Remember what a model asks for."""
        for part in parts:
            if part.type == "tool_call":
                asked = Asked(node, part)
                if part.id:
                    self._by_id.setdefault(part.id, []).append(asked)
                self._by_name.setdefault(part.name, deque()).append(asked)

    def runs(self, node: str, call: Call) -> Asked | None:
        """Return the request that a tool call answers, and remember that it does."""
        asked = self._request(call)
        if asked is not None:
            asked.ran = asked.ran or node
        call_id = call.call_id or (asked.part.id if asked else "")
        if call_id:
            self._ran.setdefault(call_id, []).append(node)
            self._ids[node] = call_id
        return asked

    def _request(self, call: Call) -> Asked | None:
        if call.call_id and call.call_id in self._by_id:
            return _best(self._by_id[call.call_id][-_ALIKE:], call)
        waiting = self._by_name.get(call.name)
        if call.call_id or not waiting:
            return None
        while waiting and waiting[0].ran is not None:
            waiting.popleft()
        open_ones = [a for a in islice(waiting, _ALIKE) if a.ran is None]
        return _best(open_ones, call, latest=False) if open_ones else None

    def asker(self, part: Part) -> str | None:
        """Return the model that made a request which stands in a later conversation."""
        found = self._by_id.get(part.id) if part.id else self._by_name.get(part.name)
        if not found:
            return None
        last = found[-1]
        alike = islice(reversed(found), _ALIKE)
        return next((a for a in alike if a.part.arguments == part.arguments), last).by

    def answered(self, part: Part) -> str | None:
        """Return the tool call whose result stands in a conversation."""
        found = self._ran.get(part.id) if part.id else None
        return found[-1] if found else None

    def was_asked(self, call_id: str) -> Asked | None:
        """Return the latest request with this id."""
        found = self._by_id.get(call_id)
        return found[-1] if found else None


def _best(found: list[Asked], call: Call, *, latest: bool = True) -> Asked:
    """Return the request that fits best: not answered yet, with the same name and arguments."""
    ordered = list(reversed(found)) if latest else found
    return max(
        ordered, key=lambda a: (a.ran is None, a.part.name == call.name, _same(a.part, call))
    )


def _same(part: Part, call: Call) -> bool:
    if part.arguments == call.arguments:
        return True
    values = list(mapping(part.arguments).values())
    return len(values) == 1 and as_text(values[0]) == as_text(call.arguments)
