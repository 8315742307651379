"""Trace files, and graphs from spans in any order."""

from __future__ import annotations

import base64
import gc
import gzip
import json
import random
import weakref
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from trace_agents.errors import TraceFileError
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.otel import (
    SpanRecord,
    SpanRecorder,
    ensure_provider,
    graph_to_records,
    read_graphs,
    read_spans,
    spans_to_graphs,
    to_line,
)


def chat(number: int, prompt: str, answer: str, **more: Any) -> SpanRecord:
    def message(role: str, text: str) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])

    about = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": f"m{number}",
        "gen_ai.input.messages": message("user", prompt),
        "gen_ai.output.messages": message("assistant", answer),
    }
    return SpanRecord(
        "a" * 32, f"{number:016x}", start=number * 10, end=number * 10 + 5, attributes=about, **more
    )


RECORDS = [
    SpanRecord("a" * 32, f"{9:016x}", start=1, end=99, attributes={"n": 1, "f": 0.5, "b": True}),
    chat(1, "What is it about?", "It is about a lighthouse.", parent_id=f"{9:016x}"),
    chat(
        2, "Notes:\n- keeper: It is about a lighthouse.\n", "A fine story.", parent_id=f"{9:016x}"
    ),
]


def with_base64_ids(value: object) -> object:
    if isinstance(value, list):
        return [with_base64_ids(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {
            k: base64.b64encode(bytes.fromhex(str(v))).decode()
            if k in ("traceId", "spanId", "parentSpanId")
            else with_base64_ids(v)
            for k, v in cast("dict[str, object]", value).items()
        }
    return value


def test_a_line_is_an_export_request_and_reads_back(tmp_path: Path) -> None:
    """Protobuf's own parser takes the line, and reading gives the same spans, zipped or not."""
    line = to_line(RECORDS)
    request = ExportTraceServiceRequest()
    content = cast("dict[str, object]", with_base64_ids(json.loads(line)))
    json_format.ParseDict(content, request)
    assert len(request.resource_spans[0].scope_spans[0].spans) == 3
    plain, zipped = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_text(line + "\n" + line)
    zipped.write_bytes(gzip.compress(line.encode()))
    assert read_spans(plain) == RECORDS * 2
    assert read_spans(zipped) == RECORDS


@pytest.mark.parametrize("text", ["{", "[]", '{"resourceSpans": [1]}', "\x00", '{"a": 1}'])
def test_a_broken_line_is_a_problem_and_spoils_nothing_else(tmp_path: Path, text: str) -> None:
    """The episodes beside it are read; the sentence names the file and the line."""
    path = tmp_path / "broken.jsonl"
    path.write_text(to_line(RECORDS) + "\n" + text)
    (graph,) = read_graphs(path)
    assert graph == spans_to_graphs(RECORDS)[0]
    assert "broken.jsonl" in graph.problems[0]
    assert "line 2" in graph.problems[0]


def test_a_file_of_which_nothing_can_be_read_raises(tmp_path: Path) -> None:
    """There is no graph that could carry the problem."""
    path = tmp_path / "broken.jsonl"
    path.write_text("{")
    with pytest.raises(TraceFileError, match=r"broken\.jsonl"):
        read_graphs(path)


def test_a_line_of_a_prompt_leads_back_to_who_said_it() -> None:
    """A quoted answer gives an edge by content, the words around it an input."""
    (graph,) = spans_to_graphs(RECORDS)
    flows = {(e.source, e.target, e.reason) for e in graph.edges}
    assert (f"{1:016x}", f"{2:016x}", Reason.CONTENT) in flows
    assert len(list(graph.of_kind(Kind.INPUT))) == 2
    assert [n.value for n in graph.outputs] == ["A fine story."]


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_order_and_repetition_do_not_matter(seed: int) -> None:
    """The same spans in any order, some twice, are the same graph."""
    dice = random.Random(seed)
    mixed = RECORDS + dice.choices(RECORDS, k=2)
    dice.shuffle(mixed)
    assert spans_to_graphs(mixed) == spans_to_graphs(RECORDS)


def test_missing_parents_and_ends_are_reported() -> None:
    """What is missing becomes a problem in words, and the rest is still a graph."""
    lost = [
        SpanRecord(
            "a" * 32,
            "0" * 15 + "7",
            parent_id="f" * 16,
            start=1,
            attributes={"gen_ai.operation.name": "chat"},
        )
    ]
    (graph,) = spans_to_graphs(lost)
    assert [n.finished for n in graph.of_kind(Kind.LLM_CALL)] == [False]
    assert len(graph.problems) == 2


names = st.text(max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | names,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
nodes = st.builds(
    GraphNode,
    id=names,
    kind=st.sampled_from(Kind),
    name=names,
    value=values,
    agent=st.none() | names,
    error=st.none() | names,
    finished=st.booleans(),
    spans=st.lists(names, max_size=2).map(tuple),
)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    made = draw(st.lists(nodes, max_size=5, unique_by=lambda n: n.id))
    pairs = [(a.id, b.id) for i, a in enumerate(made) for b in made[i + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    edges = tuple(Edge(a, b, draw(st.sampled_from(Reason)), draw(names)) for a, b in chosen)
    return Graph(tuple(made), edges, draw(names), draw(st.none() | st.integers(0, 3)))


@given(graphs())
@settings(deadline=None, max_examples=60)
def test_any_graph_survives_the_way_through_spans(graph: Graph) -> None:
    """A graph that is written as spans and read again is equal."""
    assert spans_to_graphs(graph_to_records(graph)) == [graph]


def test_a_finished_episode_leaves_nothing_behind() -> None:
    """Once its trace is gone, a recorder is freed, even with a span that never ended."""
    tracer = ensure_provider().get_tracer("test")
    assert ensure_provider() is ensure_provider()
    trace = Trace("e")
    with recording(trace):
        open_span = tracer.start_span("never ends")
    recorder = trace.recorder(SpanRecorder, SpanRecorder)
    assert recorder.unfinished == ("never ends",)
    gone = weakref.ref(recorder)
    del trace, recorder
    gc.collect()
    assert gone() is None
    open_span.end()
