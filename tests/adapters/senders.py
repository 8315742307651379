"""What the tests of the receiver send, and how."""

from __future__ import annotations

import httpx
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from trace_agents_adapters.otel import SpanRecord, to_line
from trace_agents_adapters.otel.receiving.receiver import Receiver

SPAN = SpanRecord("a" * 32, "b" * 16, name="one", start=1, end=2, attributes={"n": 1})
LINE = to_line([SPAN])
JSON = {"content-type": "application/json"}


def post(
    running: Receiver, body: bytes | str, path: str = "/v1/traces", **headers: str
) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(running.endpoint + path, content=body, headers=JSON | given)


def spans(count: int) -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("sender")
    for number in range(count):
        with tracer.start_as_current_span("outer", attributes={"number": number}) as outer:
            outer.add_event("half", {"at": 0.5})
            tracer.start_span("inner", attributes={"list": ["a", "b"], "yes": True}).end()
    return list(memory.get_finished_spans())
