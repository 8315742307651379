"""Every vocabulary in: each folder of captures is read, and tells the data flow that it should.

A folder of `tests/data/spans` holds `run.jsonl` (and `run.logs.jsonl` beside it where the content
is in log records) and `edges.txt`: one `source -> target (reason)` a line, without containment.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from trace_agents.graph import STRUCTURE, Graph, GraphNode, Kind
from trace_agents_adapters.otel import read_graphs, read_spans, spans_to_graphs

CORPUS = Path(__file__).parents[1] / "data" / "spans"
FOLDERS = sorted(path.name for path in CORPUS.iterdir() if path.is_dir())
GENAI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": '[{"role": "user", "parts": []}]',
    "gen_ai.tool.definitions": "[]",
}
READ = {
    "agent-framework": "Agent Framework",
    "autogen": "AutoGen's runtime",
    "genai": "OTel GenAI",
    "genai-logs": "GenAI log records",
    "langsmith": "LangSmith",
    "openinference": "OpenInference of LangChain",
    "openinference-autogen": "OpenInference of AutoGen",
    "own": "our own",
    "traceloop": "traceloop",
    "traceloop-0.47": "traceloop's old form",
}


def label(node: GraphNode) -> str:
    value = node.value
    match node.kind:
        case Kind.LLM_CALL:
            if not isinstance(value, dict):
                return f"model {value!r}"
            asked = cast("dict[str, list[dict[str, str]]]", value)["tool_calls"][0]
            return f"model asks for {asked['name']}"
        case Kind.TOOL_CALL | Kind.TOOL_DEFINITION:
            return f"{node.kind} {node.name}"
        case Kind.OUTPUT:
            return "output"
        case Kind.MESSAGE if isinstance(value, dict):
            return f"message of {node.agent}"
        case _:
            return f"{node.kind} {value!r}"


def told(graph: Graph) -> set[str]:
    return {
        f"{label(graph.by_id[e.source])} -> {label(graph.by_id[e.target])} ({e.reason})"
        for e in graph.edges
        if e.reason not in STRUCTURE
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_capture_tells_its_data_flow(folder: str) -> None:
    """Exactly the edges that are listed beside a capture are found in it, and no problem."""
    (graph,) = read_graphs(CORPUS / folder / "run.jsonl")
    assert told(graph) == set((CORPUS / folder / "edges.txt").read_text().splitlines())
    assert graph.problems == ()


def test_every_vocabulary_has_a_capture() -> None:
    """No vocabulary that is claimed is without a capture that is read here."""
    assert set(FOLDERS) == set(READ)


@pytest.mark.parametrize("folder", ["genai", "langsmith", "openinference", "traceloop"])
def test_one_program_is_one_graph_in_every_vocabulary(folder: str) -> None:
    """Four instrumentations of one run of one program tell the same data flow."""
    (graph,) = read_graphs(CORPUS / folder / "run.jsonl")
    (same,) = read_graphs(CORPUS / "genai" / "run.jsonl")
    assert told(graph) == told(same)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_call_is_one_node(folder: str) -> None:
    """No span tells two nodes, and what an instrumentation repeats inside is not told twice."""
    (graph,) = read_graphs(CORPUS / folder / "run.jsonl")
    spans = [span for node in graph.nodes for span in node.spans]
    assert len(spans) == len(set(spans))


def test_two_vocabularies_on_one_span_complete_each_other() -> None:
    """Attributes of GenAI beside those of OpenInference change nothing, and fill what is gone."""
    spans = read_spans(CORPUS / "openinference" / "run.jsonl")
    (before,) = spans_to_graphs(spans)
    both = [
        replace(span, attributes={**span.attributes, **GENAI})
        if span.attributes["openinference.span.kind"] == "LLM"
        else span
        for span in spans
    ]
    assert told(spans_to_graphs(both)[0]) == told(before)
