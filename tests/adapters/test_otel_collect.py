"""What the receiver keeps: whole lines, without secrets, before it answers."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk.trace.export import SpanExportResult

from tests.adapters.senders import JSON, LINE, SPAN, post, spans
from trace_agents_adapters.otel import SpanRecord, to_line
from trace_agents_adapters.otel.receiving.intake import Limits
from trace_agents_adapters.otel.receiving.receiver import receiver
from trace_agents_adapters.otel.sources.files import read_telemetry


def test_secrets_are_not_stored(tmp_path: Path) -> None:
    """Keys in attribute values, and values under telling names, never reach the file."""
    secret = "sk-" + "a1B2" * 8
    record = SpanRecord("a" * 32, "b" * 16, attributes={"x": f"key {secret}", "x-api-key": "pass"})
    file = tmp_path / "spans.jsonl"
    with receiver(out=file) as running:
        post(running, to_line([record]))
    text = file.read_text()
    assert secret not in text
    assert re.findall(r"\[redacted\]", text) == ["[redacted]"] * 2


def test_an_unfinished_line_of_a_killed_writer_does_not_spoil_the_next(tmp_path: Path) -> None:
    """New lines begin on a line of their own; the cut one becomes a problem."""
    file = tmp_path / "spans.jsonl"
    file.write_text(LINE + "\n" + LINE[:20])
    with receiver(out=file) as running:
        assert post(running, LINE).status_code == 200
    found = read_telemetry(file)
    assert len(found.spans) == 2
    assert "line 2" in found.problems[0]


def test_a_full_disk_refuses_and_a_sender_may_come_back() -> None:
    """What could not be written is not answered with 200."""
    with receiver(out="/dev/full") as running:
        answer = post(running, LINE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "No space left" in answer.text
        assert running.counts.spans == 0


def test_many_senders_at_once_lose_nothing(tmp_path: Path) -> None:
    """Requests that are answered at the same time are whole lines of one file."""
    file = tmp_path / "spans.jsonl"
    sent = spans(20)
    with receiver(out=file, limits=Limits(queue=4)) as running:

        def send(_: int) -> SpanExportResult:
            exporter = OTLPSpanExporter(f"{running.endpoint}/v1/traces", timeout=60)
            return exporter.export(sent)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(send, range(40))) == {SpanExportResult.SUCCESS}
    found = read_telemetry(file)
    assert (len(found.spans), found.problems) == (40 * 40, [])


def test_the_command_writes_what_it_answered_even_when_killed(tmp_path: Path) -> None:
    """`trace-agents collect` prints its endpoint; `kill -9` loses nothing that was answered."""
    file = tmp_path / "spans.jsonl"
    for end, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 0)):
        command = [sys.executable, "-c", "from trace_agents.cli import app; app()"]
        options = ["collect", "--json", "--port", "0", "--out", str(file)]
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE)
        assert process.stdout is not None
        endpoint = json.loads(process.stdout.readline())["endpoint"]
        sent = httpx.post(f"{endpoint}/v1/traces", content=LINE, headers=JSON)
        assert sent.status_code == 200
        process.send_signal(end)
        rest, _ = process.communicate(timeout=30)
        assert process.returncode == code
    assert json.loads(rest) == {"requests": 1, "spans": 1, "logs": 0, "refused": {}}
    assert read_telemetry(file).spans == [SPAN, SPAN]


def test_log_records_are_kept(tmp_path: Path) -> None:
    """Both encodings of a log record tell the same, and a file of them reads back."""
    record = {
        "timeUnixNano": "7",
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "eventName": "gen_ai.user.message",
        "body": {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "hi"}}]}},
    }
    line = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
    request = ExportLogsServiceRequest()
    made = request.resource_logs.add().scope_logs.add().log_records.add()
    made.time_unix_nano, made.event_name = 7, "gen_ai.user.message"
    made.trace_id, made.span_id = bytes.fromhex("a" * 32), bytes.fromhex("b" * 16)
    value = made.body.kvlist_value.values.add()
    value.key, value.value.string_value = "content", "hi"
    with receiver(out=tmp_path / "logs.jsonl") as writing:
        assert post(writing, line, "/v1/logs").status_code == 200
        body = request.SerializeToString()
        kind = "application/x-protobuf"
        assert post(writing, body, "/v1/logs", content_type=kind).status_code == 200
    first, second = read_telemetry(tmp_path / "logs.jsonl").logs
    assert first == second
    assert (first.name, first.body, first.span_id) == (
        record["eventName"],
        {"content": "hi"},
        "b" * 16,
    )
