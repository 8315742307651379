"""One reader for each vocabulary; a span is read by the first whose attributes it carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.vocabularies import (
    agent_framework,
    autogen,
    genai,
    langsmith,
    openinference,
    own,
    traceloop,
)

__all__ = ["READERS", "Reader", "read_call"]

Reader: TypeAlias = Callable[[SpanRecord], Call | None]

READERS: tuple[tuple[tuple[str, ...], Reader], ...] = (
    (own.MARKS, own.read),
    (autogen.MARKS, autogen.read),
    (langsmith.MARKS, langsmith.read),
    (openinference.MARKS, openinference.read),
    (traceloop.MARKS, traceloop.read),
    (agent_framework.MARKS, agent_framework.read),
    (genai.MARKS, genai.read),
)
"""Attributes one of which marks the vocabulary, and its reader; never a schema URL."""


def read_call(span: SpanRecord) -> Call | None:
    """Return what a span tells; None where it is only a step of something else."""
    attributes = span.attributes
    for marks, reader in READERS:
        for mark in marks:
            if mark in attributes:
                call = reader(span)
                if call is not None:
                    return call
                break
    return None
