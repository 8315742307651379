"""Spans that tell one event become one call that knows what all of them know."""

from __future__ import annotations

from dataclasses import replace

from trace_agents.graph import Kind
from trace_agents_adapters.otel.dag.calls import Call, union
from trace_agents_adapters.otel.dag.tree import Forest

_DATA = frozenset({Kind.LLM_CALL, Kind.TOOL_CALL})


def merge_twins(calls: dict[str, Call], holding: Forest) -> dict[str, str]:
    """Fold each call into the call right around it where both tell one event.

    Two instrumentations at once, or a wrapper around a client: a model call lies in a model call,
    a tool call in a tool call of the same name. Returns which span tells the call of which.
    """
    told_by: dict[str, str] = {}
    around: dict[str, str | None] = {}
    for span_id in holding.order:
        above = holding.above[span_id]
        outer = None if above is None else around[above]
        call = calls.get(span_id)
        if call is None or call.kind is Kind.CHAIN:
            around[span_id] = outer
            continue
        if outer is not None and _one_event(calls[outer], call):
            calls[outer] = _merged(calls[outer], call)
            told_by[span_id] = around[span_id] = outer
            del calls[span_id]
        else:
            around[span_id] = span_id
    return told_by


def _merged(outer: Call, inner: Call) -> Call:
    """Return the union; a second attempt inside one call brings the answer that counts."""
    if outer.outputs or not inner.outputs:
        return union(outer, inner)
    return replace(union(outer, inner), outputs=inner.outputs)


def _one_event(outer: Call, inner: Call) -> bool:
    if outer.kind is not inner.kind or inner.kind not in _DATA:
        return False
    if inner.kind is Kind.LLM_CALL:
        return True
    known = outer.call_id, inner.call_id
    return outer.name == inner.name and (known[0] == known[1] or not all(known))


def fold_inner_runs(calls: dict[str, Call], holding: Forest) -> None:
    """Take each output that lies inside another run for that agent's part, not the episode's."""
    inside: dict[str, bool] = {}
    for span_id in holding.order:
        above = holding.above[span_id]
        outer = None if above is None else calls.get(above)
        run = outer is not None and outer.kind in (Kind.AGENT, Kind.OUTPUT)
        inside[span_id] = run or (above is not None and inside[above])
        call = calls.get(span_id)
        if call is not None and call.kind is Kind.OUTPUT and inside[span_id]:
            calls[span_id] = replace(call, kind=Kind.AGENT)
