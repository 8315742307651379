"""Handoffs: which model call decided that an agent speaks, though its answer is not in its call."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.trace import SpanContext

from trace_agents_adapters.agent_framework.messages import Response

_PREFIX = "handoff_to_"
"""How the tools are called that Agent Framework adds for handoffs; it never runs them."""

_decisions: ContextVar[dict[str, SpanContext] | None] = ContextVar(
    "trace_agents_agent_framework_handoffs", default=None
)


@contextmanager
def watched() -> Generator[None]:
    """Remember the handoffs of one run; its executors share what is remembered."""
    token = _decisions.set({})
    try:
        yield
    finally:
        _decisions.reset(token)


def decided(response: Response, span: SpanContext) -> None:
    """Note whom a model's answer hands over to."""
    decisions = _decisions.get()
    if decisions is None:
        return
    for message in response.messages:
        for content in message.contents:
            if content.type == "function_call" and (content.name or "").startswith(_PREFIX):
                decisions[(content.name or "").removeprefix(_PREFIX)] = span


def cause(agent: str) -> SpanContext | None:
    """Return the call that handed over to an agent that speaks now, if one did."""
    decisions = _decisions.get()
    return None if decisions is None else decisions.pop(agent, None)
