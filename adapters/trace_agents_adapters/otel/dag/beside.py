"""One call told by several instrumentations whose spans hang beside each other.

A framework's callbacks and a wrapper around its client open spans under one parent. They tell the
same call if one lies within the other in time, another scope wrote it, and both gave the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trace_agents.graph import Kind
from trace_agents_adapters.otel.dag.calls import Call, union
from trace_agents_adapters.otel.dag.messages import Part
from trace_agents_adapters.otel.dag.values import as_text
from trace_agents_adapters.otel.records import SpanRecord


def merge_beside(calls: dict[str, Call]) -> dict[str, str]:
    """Fold each call into the one that tells the same; returns which span tells the call of which.

    The call that knows its bound parameters is believed, else the one that lasted longer.
    """
    groups: dict[object, list[str]] = {}
    for span_id, call in calls.items():
        if call.span.end is not None and (key := _gave(call)) is not None:
            groups.setdefault(key, []).append(span_id)
    told_by: dict[str, str] = {}
    for members in groups.values():
        if len({calls[span_id].span.scope for span_id in members}) > 1:
            told_by.update(_paired(calls, members))
    for span_id, main in told_by.items():
        calls[main] = union(calls[main], calls.pop(span_id))
    return told_by


def _gave(call: Call) -> object:
    """Return what two tellings of one call agree on; None where it is too little to tell."""
    if call.kind is Kind.LLM_CALL and call.outputs:
        return (call.kind, *map(_said, call.outputs))
    if call.kind is Kind.TOOL_CALL and call.result is not None:
        return call.kind, call.name, call.result.strip()
    return None


def _said(part: Part) -> tuple[str, ...]:
    if part.type == "tool_call":
        return part.name, as_text(part.arguments)
    return (part.text.strip(),)


def _paired(calls: Mapping[str, Call], members: Iterable[str]) -> dict[str, str]:
    """Return which member tells the call of which; a call has at most one telling of each scope.

    One sweep in the order of time, in which only calls that are under way are looked at.
    """
    told_by: dict[str, str] = {}
    running: list[list[str]] = []
    for span_id in sorted(members, key=lambda member: _from_outside(calls[member].span)):
        span = calls[span_id].span
        running = [tellings for tellings in running if _ends(calls[tellings[0]].span) >= span.start]
        scopes = ({calls[one].span.scope for one in tellings} for tellings in running)
        for tellings, known in zip(running, scopes, strict=True):
            if span.scope not in known and _ends(span) <= _ends(calls[tellings[0]].span):
                tellings.append(span_id)
                main = min(tellings, key=lambda one: not calls[one].bound)
                told_by.update((one, main) for one in tellings if one != main)
                told_by.pop(main, None)
                break
        else:
            running.append([span_id])
    return told_by


def _from_outside(span: SpanRecord) -> tuple[int, int, str]:
    return span.start, -_ends(span), span.span_id


def _ends(span: SpanRecord) -> int:
    return span.start if span.end is None else span.end
