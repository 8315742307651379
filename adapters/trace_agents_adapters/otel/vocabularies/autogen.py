"""AutoGen's own runtime spans: who received which message; the events inside tell tool calls."""

from __future__ import annotations

from trace_agents.graph import Kind
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.vocabularies.fields import first_text

MARKS = ("messaging.operation",)

_SCOPE = "autogen "
_TOLD = frozenset({"process", "receive"})


def read(span: SpanRecord) -> Call | None:
    """Return the message that a span delivered; the other operations are only steps of it."""
    if not span.name.startswith(_SCOPE) or span.text("messaging.operation") not in _TOLD:
        return None
    recipient = first_text(span.attributes, "recipient_agent_type")
    return Call(
        span,
        Kind.MESSAGE,
        agent_name(recipient) or span.name,
        agent_name(first_text(span.attributes, "sender_agent_type")),
        given=span.attributes.get("message"),
    )


def agent_name(kind: str | None) -> str | None:
    """Return the name of an agent without the team's id that a group chat appends to it."""
    if kind is None:
        return None
    name, _, team = kind.rpartition("_")
    return name if name and len(team) == 36 and team.count("-") == 4 else kind
