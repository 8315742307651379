"""Microsoft Agent Framework: workflow and executor spans around GenAI spans; links tell fan-in."""

from __future__ import annotations

from trace_agents.graph import Kind
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.vocabularies.fields import first_text

MARKS = ("executor.id", "workflow.id")


def read(span: SpanRecord) -> Call | None:
    """Return the executor or the run of a workflow that a span tells."""
    executor = first_text(span.attributes, "executor.id")
    if executor is not None and span.name.startswith("executor.process"):
        return Call(span, Kind.CHAIN, executor, links=span.links)
    if span.name.startswith("workflow.run"):
        return Call(span, Kind.CHAIN, first_text(span.attributes, "workflow.name") or "workflow")
    return None
