"""Graphs, their feedback and an optimizer's thinking go out as spans, and come back equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import trace_agents as ta
from trace_agents.errors import ModelError
from trace_agents.feedback import Feedback
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Parameter, Parameters, Reason, Text
from trace_agents.optimizers import OptoPrime
from trace_agents.testing import ScriptedModel
from trace_agents_adapters.otel import (
    SpanRecord,
    from_sdk,
    graph_to_records,
    spans_to_graphs,
    to_line,
)
from trace_agents_adapters.otel.exporting.evaluations import read_feedback
from trace_agents_adapters.otel.exporting.export import ExportFailed, export_graphs
from trace_agents_adapters.otel.exporting.sdk import to_sdk
from trace_agents_adapters.otel.exporting.thinking import ObservedOptimizer
from trace_agents_adapters.otel.receiving.receiver import receiver
from trace_agents_adapters.otel.records import Event

GRAPH = Graph(
    (
        GraphNode("p", Kind.PARAMETER, "prompt", "Be brief."),
        GraphNode("m", Kind.LLM_CALL, "gpt", {"text": "ok", "tokens": [1, 2.5, None]}, "writer"),
        GraphNode("t", Kind.TOOL_CALL, "look", None, error="LookupError: no", finished=False),
        GraphNode("o", Kind.OUTPUT, "answer", "fine", operation="add", constants={"n": [1]}),
    ),
    (Edge("p", "m", Reason.PARAMETER), Edge("m", "o", Reason.CONTENT, "x"), Edge("t", "m")),
    "train-1-v2",
    2,
)
OTHER = replace(GRAPH, episode="train-2-v2")
SAID = {"train-1-v2": Feedback(0.25, "Too long."), "train-2-v2": Feedback(1.0)}


def sent(*graphs: Graph, **more: object) -> list[SpanRecord]:
    exporter = InMemorySpanExporter()
    export_graphs(graphs, exporter, **more)  # type: ignore[arg-type]
    return [from_sdk(span) for span in exporter.get_finished_spans()]


def test_a_graph_comes_back_from_a_file(tmp_path: Path) -> None:
    """Export, file, import: equal graphs, with their versions, and the feedback."""
    records = sent(GRAPH, OTHER, feedback=SAID)
    file = tmp_path / "spans.jsonl"
    file.write_text(to_line(records[:3]) + "\n" + to_line(records[3:]))
    assert ta.load_traces(file) == [GRAPH, OTHER]
    assert read_feedback(records) == SAID


def test_a_graph_comes_back_through_real_http() -> None:
    """Export by OTLP to a receiver: equal graphs, and the feedback."""
    with receiver() as running:
        exporter = OTLPSpanExporter(f"{running.endpoint}/v1/traces")
        assert export_graphs([GRAPH, OTHER], exporter, feedback=SAID) == 10
        assert running.graphs() == [GRAPH, OTHER]
        assert read_feedback(running.spans()) == SAID


def test_ids_depend_on_the_content_alone() -> None:
    """The same graph sent twice is the same spans; a backend shows it once, and so do we."""
    first, second = sent(GRAPH, start=1_000), sent(GRAPH, start=2_000_000)
    assert [s.span_id for s in first] == [s.span_id for s in second]
    assert spans_to_graphs(first + second) == [GRAPH]
    assert {s.trace_id for s in first}.isdisjoint(s.trace_id for s in sent(OTHER))


def test_data_flow_becomes_links_and_errors_become_status() -> None:
    """A reader that knows nothing of us still sees who took from whom, and what failed."""
    spans = {span.name: span for span in sent(GRAPH)}
    ids = {name: (span.trace_id, span.span_id) for name, span in spans.items()}
    assert set(spans["gpt"].links) == {ids["prompt"], ids["look"]}
    assert (spans["look"].status, spans["look"].message) == ("error", "LookupError: no")
    assert {span.parent_id for span in spans.values()} == {None, ids["episode train-1-v2"][1]}


def test_feedback_is_an_evaluation_result_of_the_output() -> None:
    """The event bears the names of the GenAI conventions."""
    spans = {span.name: span for span in sent(GRAPH, feedback=SAID)}
    (event,) = spans["answer"].events
    assert event.name == "gen_ai.evaluation.result"
    assert event.attributes == {
        "gen_ai.evaluation.name": "guide",
        "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.explanation": "Too long.",
    }


async def test_an_optimizers_calls_are_spans_linked_to_their_episodes() -> None:
    """Each call of its model, also one that failed, tells which episodes it is about."""
    parameters = Parameters([Parameter("prompt", "Be brief.", Text())])
    block = "<variable><name>prompt</name><value>Be kind.</value></variable>"
    model = ScriptedModel([block])
    optimizer = ObservedOptimizer(OptoPrime(parameters, llm=model))
    for graph in (GRAPH, OTHER):
        optimizer.backward(graph, "Too long.")
    await optimizer.propose()
    optimizer.zero_feedback()
    optimizer.backward(OTHER, "Still too long.")
    with pytest.raises(ModelError):
        await optimizer.propose()
    records = sent(GRAPH, OTHER, calls=optimizer.calls)
    roots = [(s.trace_id, s.span_id) for s in records if s.name.startswith("episode")]
    thought, failed = [span for span in records if span.name == "chat scripted"]
    assert thought.links == tuple(roots)
    assert "Too long." in str(thought.attributes["gen_ai.input.messages"])
    assert "Be kind." in str(thought.attributes["gen_ai.output.messages"])
    assert (failed.links, failed.status) == ((roots[1],), "error")
    graphs = {graph.episode: graph for graph in spans_to_graphs(records)}
    assert [graphs.pop("train-1-v2"), graphs.pop("train-2-v2")] == [GRAPH, OTHER]
    assert [next(g.of_kind(Kind.LLM_CALL)).name for g in graphs.values()] == ["scripted"] * 2


class Refusing(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.FAILURE


def test_an_exporter_that_fails_is_named() -> None:
    """Spans that nobody took are no success."""
    with pytest.raises(ExportFailed, match=r"Refusing refused spans 1 to 5 of 5"):
        export_graphs([GRAPH], Refusing())


def test_secrets_stay_here() -> None:
    """A key inside a node's value does not leave, and the graph still reads back."""
    secret = "sk-" + "x7" * 12
    node = GraphNode("n", Kind.TOOL_CALL, "call", {"key": secret, "said": "hello"})
    records = sent(Graph((node,), (), "e"))
    assert secret not in to_line(records)
    (graph,) = spans_to_graphs(records)
    assert graph.nodes[0].value == {"key": "[redacted]", "said": "hello"}


def test_what_is_missing_of_an_export_is_a_problem() -> None:
    """Without one of its spans, or with broken ones, the rest is still a graph."""
    records = graph_to_records(GRAPH)
    (graph,) = spans_to_graphs([r for r in records if r.name != "prompt"])
    assert [node.name for node in graph.nodes] == ["gpt", "look", "answer"]
    assert graph.problems == ("some spans of an exported graph are missing",)
    broken = {**records[1].attributes, "trace_agents.node": "[1"}
    (graph,) = spans_to_graphs([records[0], replace(records[1], attributes=broken)])
    assert "does not parse" in graph.problems[0]


words = st.text(max_size=5)
scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | words
attributes = st.dictionaries(
    st.text(min_size=1, max_size=5), scalars | st.lists(words, max_size=3), max_size=3
)
identity = st.integers(1, 2**64 - 1)
trace_ids, span_ids = identity.map("{:032x}".format), identity.map("{:016x}".format)
events = st.builds(Event, words, st.integers(1, 9), attributes)
records = st.builds(
    SpanRecord,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_id=st.none() | span_ids,
    name=words,
    kind=st.sampled_from(["internal", "server", "client", "producer", "consumer"]),
    start=st.integers(0, 2**62),
    end=st.none() | st.integers(1, 2**62),
    attributes=attributes,
    status=st.just("error"),
    message=words,
    events=st.lists(events, max_size=2).map(tuple),
    links=st.lists(st.tuples(trace_ids, span_ids), max_size=2).map(tuple),
    scope=words,
    resource=attributes,
)


@given(records)
@settings(max_examples=100, deadline=None)
def test_any_record_survives_the_way_through_the_sdk(record: SpanRecord) -> None:
    """A record that becomes a span of the SDK, and a record again, is equal."""
    assert from_sdk(to_sdk(record)) == record
