"""Graphs while spans come in: when an episode is over, late spans, bounded memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from trace_agents.graph import Graph
from trace_agents_adapters.otel import SpanRecord, read_spans, spans_to_graphs
from trace_agents_adapters.otel.dag.streaming import GraphStream

CORPUS = Path(__file__).parents[1] / "data" / "spans"
RUNS = sorted(CORPUS.glob("*/run.jsonl"))


def episode(number: int) -> list[SpanRecord]:
    """A root and one model call in it, as they end."""
    root, call = f"{2 * number + 2:016x}", f"{2 * number + 3:016x}"
    said = '[{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]'
    about = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": said}
    return [
        SpanRecord("a" * 32, call, root, "chat", start=2, end=3, attributes=about),
        SpanRecord("a" * 32, root, None, "run", start=1, end=4),
    ]


def fed(stream: GraphStream, spans: list[SpanRecord]) -> dict[str, Graph]:
    found: dict[str, Graph] = {}
    for span in spans:
        stream.ended(span)
        found.update({graph.episode: graph for graph in stream.ready()})
    found.update({graph.episode: graph for graph in stream.flush()})
    return found


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.parent.name)
def test_spans_one_by_one_are_the_same_graphs_as_all_at_once(path: Path) -> None:
    """Fed as they ended, or shuffled, the last graph of each episode is that of the whole file."""
    spans = read_spans(path)
    whole = {graph.episode: graph for graph in spans_to_graphs(spans)}
    shuffled = random.Random(7).sample(spans, len(spans))
    assert fed(GraphStream(keep=1000), spans) == whole
    assert fed(GraphStream(keep=1000), shuffled) == whole


def test_an_episode_waits_for_its_root_and_for_announced_spans() -> None:
    """It is handed out once, when the last of them has ended."""
    call, root = episode(0)
    stream = GraphStream()
    stream.started(root)
    stream.started(call)
    stream.ended(root)
    assert list(stream.ready()) == []
    stream.ended(call)
    assert [graph.episode for graph in stream.ready()] == [root.span_id]
    assert list(stream.ready()) == []


def test_a_late_span_amends_its_episode() -> None:
    """The episode is handed out again, whole."""
    call, root = episode(0)
    stream = GraphStream()
    stream.ended(root)
    assert list(stream.ready()) == []
    stream.ended(call)
    (graph,) = stream.ready()
    assert graph.episode == root.span_id
    assert [node.spans for node in graph.nodes if node.spans] == [(call.span_id,)]


def test_a_span_that_is_too_late_is_reported() -> None:
    """When its episode was let go it becomes a graph of its own that says so."""
    call, root = episode(0)
    stream = GraphStream(keep=1)
    stream.ended(root)
    list(stream.ready())
    fed(stream, [span for n in range(1, 4) for span in episode(n)])
    stream.ended(call)
    (graph,) = stream.flush()
    assert any("handed out and let go" in problem for problem in graph.problems)


def test_memory_is_bounded_by_the_episodes_under_way() -> None:
    """After many episodes only the kept ones and a bounded number of ids are held."""
    stream = GraphStream(keep=4, remember=10)
    count = 0
    for number in range(500):
        for span in episode(number):
            stream.ended(span)
        count += len(list(stream.ready()))
    assert count == 500
    assert stream.open == 0
    assert stream.held <= 4 * 2 + 10


def test_quiet_waits_for_what_may_still_come() -> None:
    """With `quiet`, an episode is over only when spans of others have come since."""
    stream = GraphStream()
    for span in episode(0):
        stream.ended(span)
    assert list(stream.ready(quiet=2)) == []
    for span in episode(1):
        stream.ended(span)
    assert len(list(stream.ready(quiet=2))) == 1
