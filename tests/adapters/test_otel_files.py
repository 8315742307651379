"""Trace files of every encoding: packing, folders, log records, and what is broken."""

from __future__ import annotations

import base64
import gzip
import json
import random
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import trace_agents as ta
from trace_agents.errors import TraceFileError
from trace_agents.graph import Graph, GraphNode, Kind
from trace_agents.serialize import dump_graph, read_graph_lines
from trace_agents_adapters.otel import SpanRecord, from_sdk, to_line
from trace_agents_adapters.otel.records import Event
from trace_agents_adapters.otel.sources.bounded import TooLarge, unpacked
from trace_agents_adapters.otel.sources.files import read_logs, read_spans, read_telemetry


def said(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


RECORDS = [
    SpanRecord(
        "a" * 32, f"{9:016x}", name="run", start=1, end=99, attributes={"f": 0.5, "b": True}
    ),
    SpanRecord(
        "a" * 32,
        f"{1:016x}",
        f"{9:016x}",
        "chat",
        "client",
        10,
        15,
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": said("user", "What is it about?"),
            "gen_ai.output.messages": said("assistant", "A lighthouse."),
            "list": ["x", 1, None],
            "nested": {"bytes": b"\0\xff", "big": 2**53 + 1},
        },
        "error",
        "broke",
        (Event("half", 12, {"at": 0.5}),),
        (("b" * 32, "c" * 16),),
        "scope",
    ),
]
LINE = to_line(RECORDS)
GROUPS = json.loads(LINE)["resourceSpans"]


def renamed(value: object, ids: str = "base64", *, snake: bool = False) -> object:
    """Return a request with its ids in base64, and its names in snake case."""
    if isinstance(value, list):
        return [renamed(item, ids, snake=snake) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, object] = {}
    for key, item in cast("dict[str, object]", value).items():
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in key) if snake else key
        if ids == "base64" and key in ("traceId", "spanId", "parentSpanId"):
            found[name] = base64.b64encode(bytes.fromhex(str(item))).decode()
        else:
            found[name] = renamed(item, ids, snake=snake)
    return found


def message() -> bytes:
    request = ExportTraceServiceRequest()
    json_format.ParseDict(cast("dict[str, object]", renamed(json.loads(LINE))), request)
    return bytes(request.SerializeToString())


def delimited(content: bytes) -> bytes:
    length, varint = len(content), bytearray()
    while length > 127:
        varint.append(length & 127 | 128)
        length >>= 7
    return bytes([*varint, length]) + content


CONTENTS = {
    "one a line": f"{LINE}\n\n{LINE}\n".encode(),
    "windows lines": f"\ufeff{LINE}\r\n{LINE}\r\n".encode(),
    "utf-16": f"{LINE}\n{LINE}".encode("utf-16"),
    "one after another": (json.dumps(json.loads(LINE), indent=1) * 2).encode(),
    "whole": json.dumps(
        {"resourceSpans": json.loads(LINE)["resourceSpans"] * 2}, indent=2
    ).encode(),
    "base64 ids": f"{json.dumps(renamed(json.loads(LINE)))}\n{LINE}".encode(),
    "snake case": f"{json.dumps(renamed(json.loads(LINE), '', snake=True))}\n{LINE}".encode(),
    "protobuf": message() * 2,
    "protobuf with lengths": delimited(message()) * 2,
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("content", CONTENTS.values(), ids=list(CONTENTS))
def test_every_encoding_tells_the_same_spans(tmp_path: Path, content: bytes, packed: bool) -> None:
    """What is in a file decides how it is read: here its name says nothing."""
    file = tmp_path / "trace"
    file.write_bytes(gzip.compress(content) if packed else content)
    assert read_spans(file) == RECORDS * 2
    (graph,) = ta.load_traces(file)
    assert [node.error for node in graph.of_kind(Kind.LLM_CALL)] == ["broke"]


def test_the_command_reads_a_packed_file(tmp_path: Path) -> None:
    """`trace-agents import` shows the graphs of a gzip file, whatever reader is asked first."""
    file = tmp_path / "trace.pb.gz"
    file.write_bytes(gzip.compress(delimited(message())))
    program = "from trace_agents.cli import app; app()"
    command = [sys.executable, "-c", program, "import", str(file), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (episode,) = json.loads(done.stdout)["episodes"]
    assert "llm_call" in {node["kind"] for node in episode["nodes"]}


def test_a_folder_is_all_its_files(tmp_path: Path) -> None:
    """A trace that is spread over files is one graph, and graphs of the same episode join it."""
    parent, child = RECORDS[0], replace(RECORDS[1], links=())
    (tmp_path / "1.jsonl").write_text(to_line([parent]))
    (tmp_path / "2.jsonl.gz").write_bytes(gzip.compress(to_line([child]).encode()))
    (whole,) = ta.load_traces(tmp_path)
    assert whole.problems == ()
    own = Graph((GraphNode("n", Kind.OPERATION, "add"),), (), whole.episode)
    (tmp_path / "graphs.jsonl").write_text(dump_graph(own))
    (merged,) = ta.load_traces(tmp_path)
    assert {node.id for node in merged.nodes} == {"n", *(node.id for node in whole.nodes)}


def test_a_folder_without_traces_says_so(tmp_path: Path) -> None:
    """Neither an empty folder nor one of other files is an empty result."""
    with pytest.raises(TraceFileError, match="holds no"):
        ta.load_traces(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(TraceFileError, match=r"picture\.png"):
        ta.load_traces(tmp_path)


BROKEN = [
    b"{",
    b'{"resourceSpans": [1]}',
    b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz", "spanId": "1"}]}]}]}',
    b'{"resourceSpans": {"a": 1}}',
    b'{"a": 1}',
    b"\x00\xff",
    b'"text"',
]


@pytest.mark.parametrize("line", BROKEN)
def test_what_is_broken_does_not_spoil_the_rest(tmp_path: Path, line: bytes) -> None:
    """A broken line is named, and the lines beside it are read."""
    file = tmp_path / "spans.jsonl"
    file.write_bytes(LINE.encode() + b"\n" + line + b"\n" + LINE.encode())
    found = read_telemetry(file)
    assert found.spans == RECORDS * 2
    assert "line 2" in found.problems[0]


@pytest.mark.parametrize("content", [*BROKEN, b"hello", gzip.compress(b"x")[:-4], message()[:-9]])
def test_a_file_of_which_nothing_can_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    """The sentence says which file, what is wrong, and what was expected."""
    file = tmp_path / "odd.bin"
    file.write_bytes(content)
    with pytest.raises(TraceFileError, match=r"odd\.bin"):
        ta.load_traces(file)


@given(st.integers(0, 10_000), st.sampled_from(list(CONTENTS)))
@settings(max_examples=150, deadline=None)
def test_damage_raises_nothing_else(seed: int, name: str) -> None:
    """Flipped, cut and repeated bytes give spans, problems or the one error, never another."""
    dice = random.Random(seed)
    content = bytearray(CONTENTS[name])
    for _ in range(dice.randint(1, 20)):
        content[dice.randrange(len(content))] = dice.randrange(256)
    with tempfile.NamedTemporaryFile() as file, suppress(TraceFileError):
        file.write(content[: dice.randint(1, len(content))])
        file.flush()
        found = read_telemetry(file.name)
        assert all(int(span.span_id, 16) for span in found.spans)


def test_unpacking_stops_at_the_limit() -> None:
    """A bomb is stopped after the limit; members one after another are one content."""
    assert unpacked(gzip.compress(b"one") + gzip.compress(b"two") + b"\0\0", 6) == b"onetwo"
    with pytest.raises(TooLarge, match="1000 bytes"):
        unpacked(gzip.compress(b"\0" * 10_000_000), 1000)
    with pytest.raises(ValueError, match="too early"):
        unpacked(gzip.compress(b"x" * 100)[:-10], 1000)


def test_log_records_stand_beside_spans(tmp_path: Path) -> None:
    """Lines of log records are read, and those of metrics passed over."""
    record = {
        "timeUnixNano": "5",
        "traceId": "a" * 32,
        "spanId": f"{1:016x}",
        "body": {"stringValue": "x"},
    }
    logs = {"resourceLogs": [{"scopeLogs": [{"scope": {"name": "s"}, "logRecords": [record]}]}]}
    file = tmp_path / "spans.jsonl"
    file.write_text("\n".join([LINE, json.dumps(logs), '{"resourceMetrics": [{}]}']))
    assert read_spans(file) == RECORDS
    (log,) = read_logs(file)
    assert (log.span_id, log.body, log.scope, log.time) == (f"{1:016x}", "x", "s", 5)


def test_attributes_that_a_writer_dropped_are_noted(tmp_path: Path) -> None:
    """A span that lost attributes to its writer's limit is whole as far as it goes."""
    request = json.loads(LINE)
    request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["droppedAttributesCount"] = 89
    file = tmp_path / "spans.jsonl"
    file.write_text(json.dumps(request))
    found = read_telemetry(file)
    assert found.spans == RECORDS
    assert "lost 89 attributes" in found.notes[0]


def test_graph_lines_survive_a_cut_and_packing(tmp_path: Path) -> None:
    """A file of graphs that ends in half a line gives the graphs before it."""
    graph = Graph((GraphNode("n", Kind.OPERATION, "add"),), (), "e")
    file = tmp_path / "graphs.jsonl.gz"
    file.write_bytes(gzip.compress(f"{dump_graph(graph)}\n{dump_graph(graph)[:30]}".encode()))
    (read,) = read_graph_lines(file)
    assert read == graph
    assert "line 2" in read.problems[0]


def test_what_the_sdks_console_prints_is_read(tmp_path: Path) -> None:
    """Spans printed by the SDK, on many lines each, are the spans."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("s").start_as_current_span("outer", attributes={"a": 1}) as outer:
        outer.add_event("e")
        outer.set_status(StatusCode.ERROR, "why")
    file = tmp_path / "console.txt"
    printed = [span.to_json(indent=4) for span in memory.get_finished_spans()]
    file.write_text("\n".join(printed * 2))
    (told, _) = read_spans(file)
    (real,) = (from_sdk(span) for span in memory.get_finished_spans())
    assert (told.span_id, told.attributes, told.kind) == (real.span_id, {"a": 1}, "internal")
    assert (told.status, told.message) == ("error", "why")
    # the SDK rounds what it prints
    assert abs(told.start - real.start) < 2000
