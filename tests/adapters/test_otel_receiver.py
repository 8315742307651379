"""The receiver, over real HTTP with the official exporter and with raw requests."""

from __future__ import annotations

import gzip
import json
import logging
import os
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace.export import SpanExportResult

import trace_agents as ta
from tests.adapters.senders import LINE, SPAN, post, spans
from trace_agents.graph import Kind
from trace_agents.serialize import graph_from_json
from trace_agents_adapters.otel import from_sdk
from trace_agents_adapters.otel.receiving.intake import Limits
from trace_agents_adapters.otel.receiving.receiver import Receiver, ReceiverError, receiver


@pytest.fixture
def running() -> Iterator[Receiver]:
    with receiver(limits=Limits(body=10_000, unpacked=100_000)) as taken:
        yield taken


RUN = """
import anyio
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from tests.adapters.scripted import ScriptedClient, calls_weather, tool_agent
from trace_agents.serialize import dump_graph
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.otel import SpanRecorder, ensure_provider

ensure_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace = Trace("e1", 3)
workflow = AutoGenWorkflow(lambda: tool_agent(ScriptedClient(calls_weather())))
with recording(trace):
    anyio.run(workflow.run, "How is Rome?")
ensure_provider().shutdown()
print(dump_graph(trace.recorder(SpanRecorder, SpanRecorder).graph(trace)))
"""


def test_an_agents_run_arrives_as_the_graph_that_capture_saw(tmp_path: Path) -> None:
    """An agent of another process, told only the endpoint, makes the same graph here and there."""
    file = tmp_path / "spans.jsonl"
    with receiver(out=file) as running:
        told = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": running.endpoint}
        command = [sys.executable, "-c", RUN]
        done = subprocess.run(command, env=told, check=True, capture_output=True, text=True)
        (received,) = running.graphs()
    captured = graph_from_json(json.loads(done.stdout))
    assert received == captured
    assert (received.episode, received.version) == ("e1", 3)
    assert {Kind.LLM_CALL, Kind.TOOL_CALL} <= {node.kind for node in received.nodes}
    assert ta.load_traces(file) == [captured]


async def test_an_exporter_that_blocks_the_event_loop_is_answered() -> None:
    """The receiver does not need the loop in which its `async with` stands."""
    async with receiver() as running:
        exporter = OTLPSpanExporter(f"{running.endpoint}/v1/traces")
        assert exporter.export(spans(1)) is SpanExportResult.SUCCESS
        assert len(running.take().spans) == 2


@pytest.mark.parametrize("compression", list(Compression))
def test_the_official_exporter_is_understood(running: Receiver, compression: Compression) -> None:
    """Every span arrives as it was, packed or not."""
    sent = spans(2)
    exporter = OTLPSpanExporter(f"{running.endpoint}/v1/traces", compression=compression)
    assert exporter.export(sent) is SpanExportResult.SUCCESS
    assert running.spans() == [from_sdk(span) for span in sent]


def test_json_is_understood_packed_or_not(running: Receiver) -> None:
    """OTLP/JSON is answered in JSON."""
    assert post(running, LINE).json() == {}
    packed = post(running, gzip.compress(LINE.encode()), content_encoding="gzip")
    assert packed.status_code == 200
    assert running.spans() == [SPAN, SPAN]


def test_too_much_is_refused_before_and_after_unpacking(running: Receiver) -> None:
    """A long body, a body that grows when unpacked, and one that grows enormously are refused."""
    bomb = gzip.compress(gzip.compress(b"\0" * 50_000_000))
    bombs = [zlib.compress(b"\0" * 5_000_000), gzip.compress(b"\0" * 5_000_000)]
    assert post(running, b" " * 10_001).status_code == 413
    assert (
        httpx.post(f"{running.endpoint}/v1/traces", content=iter([b" " * 9000] * 2)).status_code
        == 413
    )
    assert [post(running, b, content_encoding="gzip").status_code for b in bombs] == [413, 413]
    assert post(running, bomb, content_encoding="gzip").status_code in (400, 413)
    assert running.spans() == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\x00garbage", {"content_type": "application/x-protobuf"}, 400),
        (b"hello, world", {"content_type": "application/x-protobuf"}, 400),
        (b"{", {}, 400),
        (b"[" * 5000, {}, 400),
        (b'{"a": 1}', {}, 400),
        (b'{"resourceSpans": [3]}', {}, 400),
        (LINE.encode(), {"content_encoding": "gzip"}, 400),
        (gzip.compress(LINE.encode())[:-9], {"content_encoding": "gzip"}, 400),
        (LINE.encode(), {"content_encoding": "br"}, 415),
        (LINE.encode(), {"content_type": "text/plain"}, 415),
    ],
)
def test_what_is_no_request_is_refused_in_words(
    running: Receiver, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Broken bodies are answered with what is wrong, and the receiver goes on."""
    answer = post(running, body, **headers)
    assert answer.status_code == status
    assert answer.text
    assert post(running, LINE).status_code == 200
    assert running.counts.refused == {status: 1}


def test_deep_values_never_break_the_receiver(running: Receiver) -> None:
    """However deep a value is nested, the answer is a decision about it."""
    for depth in range(20, 350, 15):
        value = '{"arrayValue":{"values":[' * depth + "{}" + "]}}" * depth
        attribute = f'{{"key":"k","value":{value}}}'
        span = f'{{"traceId":"{"a" * 32}","spanId":"{"b" * 16}","attributes":[{attribute}]}}'
        body = f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}'
        assert len(body) < 10_000
        assert post(running, body).status_code in (200, 400)


def test_a_broken_span_beside_a_good_one_is_a_partial_success(running: Receiver) -> None:
    """The good one is kept, and the answer counts the other, in both encodings."""
    request = json.loads(LINE)
    request["resourceSpans"][0]["scopeSpans"][0]["spans"].append({"traceId": "?", "spanId": "1"})
    assert post(running, json.dumps(request)).json()["partialSuccess"]["rejectedSpans"] == "1"
    message = ExportTraceServiceRequest()
    good, bad = (message.resource_spans.add().scope_spans.add().spans.add() for _ in range(2))
    good.trace_id, good.span_id, bad.name = b"t" * 16, b"s" * 8, "bad"
    answer = post(running, message.SerializeToString(), content_type="application/x-protobuf")
    told = ExportTraceServiceResponse.FromString(answer.content)
    assert told.partial_success.rejected_spans == 1
    assert len(running.spans()) == 2


def test_a_token_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the token nothing is taken; the exporter's environment variable brings it."""
    with receiver(token="open sesame") as running:
        assert post(running, LINE).status_code == 401
        assert post(running, LINE, authorization="Bearer wrong").status_code == 401
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20open%20sesame")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.endpoint)
        assert OTLPSpanExporter().export(spans(1)) is SpanExportResult.SUCCESS
        assert len(running.spans()) == 2


def test_a_busy_receiver_asks_to_come_back_and_loses_nothing() -> None:
    """While its one place is taken, senders get 503 with Retry-After; exporters then succeed."""
    with receiver(limits=Limits(queue=1)) as running:
        port = int(running.endpoint.rpartition(":")[2])
        head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(f"{head}Content-Length: {len(LINE)}\r\n\r\n{LINE[:9]}".encode())
            while (answer := post(running, "{}")).status_code != 503:
                assert answer.status_code == 200
            assert answer.headers["retry-after"] == "1"
            slow.sendall(LINE[9:].encode())
            assert b" 200 " in slow.recv(100)
        exporter = OTLPSpanExporter(f"{running.endpoint}/v1/traces")
        assert exporter.export(spans(1)) is SpanExportResult.SUCCESS
        assert len(running.spans()) == 3


def test_full_memory_refuses_until_it_is_taken() -> None:
    """Records that nobody takes do not fill the machine."""
    with receiver(limits=Limits(kept=1)) as running:
        assert post(running, LINE).status_code == 200
        assert post(running, LINE).status_code == 503
        assert running.take().spans == [SPAN]
        assert post(running, LINE).status_code == 200


def test_listening_beyond_this_machine_is_said_aloud(caplog: pytest.LogCaptureFixture) -> None:
    """Only loopback goes without a warning."""
    with caplog.at_level(logging.WARNING, "trace_agents"):
        with receiver():
            assert not caplog.records
        with receiver(host="0.0.0.0"):
            assert "set a token" in caplog.text


def test_a_taken_port_is_named(running: Receiver) -> None:
    """A second receiver on the same port says so at once."""
    port = int(running.endpoint.rpartition(":")[2])
    with pytest.raises(ReceiverError, match=f"port {port}"):
        receiver(port=port).start()
