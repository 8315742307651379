"""Our own attributes: the output of a workflow, and the parameters bound into a call."""

from __future__ import annotations

from typing import cast

from trace_agents.graph import Kind
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.values import mapping, parsed
from trace_agents_adapters.otel.records import SpanRecord

MARKS = (names.NODE_KIND,)


def read(span: SpanRecord) -> Call | None:
    """Return the output node that a span stands for."""
    if span.text(names.NODE_KIND) != Kind.OUTPUT:
        return None
    value = parsed(span.attributes.get(names.OUTPUT))
    agent = span.text(names.AGENT_NAME)
    name = span.text(names.WORKFLOW_NAME) or agent or span.name
    given = parsed(span.attributes.get(names.INPUT))
    return Call(
        span,
        Kind.OUTPUT,
        name,
        agent,
        given=given,
        output=value,
        bound=bound(span),
        links=span.links,
    )


def bound(span: SpanRecord) -> tuple[tuple[str, object], ...]:
    """Return the parameters that were bound into a call, with the values where they are known."""
    stamped = span.attributes.get(names.PARAMETERS)
    if not isinstance(stamped, list):
        return ()
    known = mapping(parsed(span.attributes.get(names.PARAMETER_VALUES)))
    return tuple((str(name), known.get(str(name))) for name in cast("list[object]", stamped))
