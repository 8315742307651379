"""Whatever a file claims: graphs and problems come out, in time, and good episodes stay whole.

Every mutation has a fixed seed, so that a failure names the case.
"""

from __future__ import annotations

import gzip
import json
import random
from contextlib import suppress
from pathlib import Path

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.adapters import mutations
from tests.adapters.mutations import GOOD, GOOD_GRAPH, check, within
from trace_agents.errors import TraceFileError
from trace_agents_adapters.otel import (
    graph_to_records,
    read_graphs,
    read_spans,
    spans_to_graphs,
    to_line,
)
from trace_agents_adapters.otel.receiving.intake import Limits, Refused, decoded
from trace_agents_adapters.otel.sources.files import read_telemetry
from trace_agents_adapters.otel.sources.logs import with_logs
from trace_agents_adapters.otel.sources.otlp_decode import MISTAKES, read_request
from trace_agents_adapters.otel.sources.telemetry import Telemetry

CORPUS = Path(__file__).parents[1] / "data" / "spans"
TREES = 700
"""Mutations of the tree of each file."""
BYTES = 120
"""Mutations of the bytes of each file, plain, packed and as protobuf."""
PATIENCE = 5.0
"""Seconds for one small file, where a thousandth of it is usual."""


def corpus() -> dict[str, str]:
    """Return real requests by name: the captures, each of them exported again, and logs."""
    found: dict[str, str] = {}
    for path in sorted(CORPUS.glob("*/run.jsonl")):
        requests = [json.loads(line) for line in path.read_text().splitlines() if line]
        logs = path.with_name("run.logs.jsonl")
        told = {"resourceSpans": [group for one in requests for group in one["resourceSpans"]]}
        if logs.exists():
            lines = logs.read_text().splitlines()
            told["resourceLogs"] = [g for one in lines for g in json.loads(one)["resourceLogs"]]
        found[path.parent.name] = json.dumps(told)
    for name in ("openinference", "autogen"):
        graphs = spans_to_graphs(read_spans(CORPUS / name / "run.jsonl"))
        records = [record for graph in graphs for record in graph_to_records(graph)]
        found[f"exported {name}"] = to_line(records)
    return found


REAL = corpus()


def read(request: object, into: Telemetry) -> None:
    # what raises here is one of the file's problems there; see `files`
    with suppress(*MISTAKES):
        read_request(request, into)


@pytest.mark.parametrize("name", REAL)
def test_broken_trees_give_graphs_and_leave_others_unharmed(name: str) -> None:
    """Wrong types, cycles, doubles, self-links, cut text: nothing raised, and the rest is whole."""
    for number in range(TREES):
        case = random.Random(f"{name} {number}")
        told = Telemetry()
        read(mutations.broken(REAL[name], case), told)
        with within(PATIENCE):
            graphs = spans_to_graphs([*with_logs(told.spans, told.logs), *GOOD])
        check(graphs)
        assert GOOD_GRAPH in graphs, f"case {number}"


@pytest.mark.parametrize("name", REAL)
def test_every_span_is_read_or_a_problem(name: str) -> None:
    """Whatever is wrong inside a span, it is either there or named."""
    for number in range(50):
        case = random.Random(number)
        request = json.loads(REAL[name])
        spans = mutations.spans_in(request)
        for span in case.sample(spans, min(3, len(spans))):
            mutations.anywhere(span, case)
        told = Telemetry()
        read_request(request, told)
        assert len(told.spans) + len(told.problems) == len(spans)


def protobuf(request: str) -> bytes:
    """Return a request's spans as protobuf; its mapping of JSON takes ids in base64 alone."""
    told = json.loads(request)
    for span in mutations.spans_in(told):
        for key in ("traceId", "spanId", "parentSpanId"):
            span.pop(key, None)
        span["links"] = []
    made = json_format.ParseDict(
        {"resourceSpans": told["resourceSpans"]}, ExportTraceServiceRequest()
    )
    for number, span in enumerate(
        span for group in made.resource_spans for part in group.scope_spans for span in part.spans
    ):
        span.trace_id, span.span_id = b"t" * 16, (number + 1).to_bytes(8, "big")
    return bytes(made.SerializeToString())


@pytest.mark.parametrize("name", REAL)
def test_damaged_files_raise_the_one_error_or_are_read(name: str, tmp_path: Path) -> None:
    """Flipped, cut and repeated bytes of JSON, of packed JSON and of protobuf."""
    plain = REAL[name].encode()
    sorts = (plain, gzip.compress(plain, 1), protobuf(REAL[name]))
    file, good = tmp_path / "spans.jsonl", to_line(GOOD).encode() + b"\n"
    for number in range(BYTES):
        case = random.Random(f"{name} {number}")
        damaged = mutations.damaged(sorts[number % 3], case)
        file.write_bytes(damaged)
        with within(PATIENCE), suppress(TraceFileError):
            check(read_graphs(file))
        if number % 3 == 0:
            file.write_bytes(good + damaged.replace(b"\n", b" "))
            found = read_telemetry(file)
            assert GOOD_GRAPH in spans_to_graphs(found.spans)


@given(name=st.sampled_from(sorted(REAL)), seed=st.integers(0, 2**32), text=st.text(max_size=20))
@settings(deadline=None, max_examples=150)
def test_any_text_in_any_place(name: str, seed: int, text: str) -> None:
    """A receiver takes a request or refuses it, whatever text stands anywhere in it."""
    request = json.loads(REAL[name])
    holder, key = random.Random(seed).choice(list(mutations.places(request)))
    holder[key] = text  # type: ignore[index]  # both sorts of holders
    body = json.dumps(request).encode()
    with suppress(Refused):
        check(spans_to_graphs(decoded("trace", "application/json", "", body, Limits()).spans))
