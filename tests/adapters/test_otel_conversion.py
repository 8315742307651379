"""Conversion holds on any spans: any order, any subset, cut off, cyclic, of wrong types."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace_agents.graph import Graph, Kind, Reason
from trace_agents_adapters.otel import SpanRecord, read_spans, spans_to_graphs
from trace_agents_adapters.otel.records import Event

CORPUS = Path(__file__).parents[1] / "data" / "spans"
RUNS = [read_spans(path) for path in sorted(CORPUS.glob("*/run.jsonl"))]
EVERY_RUN = [span for run in RUNS for span in run]
KEYS = sorted({key for span in EVERY_RUN for key in span.attributes})


def messages(role: str, *texts: str) -> str:
    parts = [{"role": role, "parts": [{"type": "text", "content": text}]} for text in texts]
    return json.dumps(parts)


def span(number: int, above: int | None = None, **more: object) -> SpanRecord:
    """A span that lasts from ten times its number, five long."""
    attributes = more.pop("attributes", {})
    record = SpanRecord(
        "a" * 32,
        f"{number:016x}",
        None if above is None else f"{above:016x}",
        start=number * 10,
        end=number * 10 + 5,
        attributes=attributes,  # type: ignore[arg-type]  # hostile attributes are the point
    )
    return replace(record, **more)  # type: ignore[arg-type]


def chat(
    number: int, said: str, answer: str, above: int | None = None, **more: object
) -> SpanRecord:
    about = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": messages("user", said),
        "gen_ai.output.messages": messages("assistant", answer),
    }
    return span(number, above, attributes=about, **more)


def acyclic(graph: Graph) -> bool:
    order: TopologicalSorter[str] = TopologicalSorter()
    for edge in graph.edges:
        order.add(edge.target, edge.source)
    try:
        order.prepare()
    except CycleError:
        return False
    return True


@given(st.integers(0, 10_000), st.sampled_from(RUNS))
@settings(deadline=None, max_examples=40)
def test_order_and_repetition_change_nothing(seed: int, run: list[SpanRecord]) -> None:
    """Spans in any order, some of them twice, are the same graphs."""
    dice = random.Random(seed)
    mixed = run + dice.choices(run, k=5)
    dice.shuffle(mixed)
    assert spans_to_graphs(mixed) == spans_to_graphs(run)


@given(st.lists(st.sampled_from(EVERY_RUN), max_size=40))
@settings(deadline=None, max_examples=60)
def test_any_subset_of_any_runs_is_a_graph(some: list[SpanRecord]) -> None:
    """Whatever is missing, nothing is raised, every edge has its nodes, and no cycle arises."""
    for graph in spans_to_graphs(some):
        assert all({e.source, e.target} <= graph.by_id.keys() for e in graph.edges)
        assert acyclic(graph)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
hostile = st.builds(
    SpanRecord,
    trace_id=st.just("a" * 32),
    span_id=st.sampled_from(["1", "2", "3", "4"]),
    parent_id=st.none() | st.sampled_from(["1", "2", "3", "4", "9"]),
    name=st.text(max_size=5),
    start=st.integers(-9, 9),
    end=st.none() | st.integers(-9, 9),
    attributes=st.dictionaries(st.sampled_from(KEYS), values, max_size=8),
    status=st.sampled_from(["unset", "ok", "error"]),
    events=st.lists(
        st.builds(
            Event,
            st.sampled_from(["exception", "gen_ai.choice", "gen_ai.user.message"]),
            st.integers(0, 9),
            st.dictionaries(st.sampled_from(["body", "content", "exception.type"]), values),
        ),
        max_size=2,
    ).map(tuple),
    links=st.lists(st.tuples(st.just("a" * 32), st.sampled_from("12349")), max_size=2).map(tuple),
)


@given(st.lists(hostile, max_size=6))
@settings(deadline=None, max_examples=300)
def test_hostile_spans_raise_nothing(records: list[SpanRecord]) -> None:
    """Wrong types under known names, cycles, self-links and double ids give graphs all the same."""
    for graph in spans_to_graphs(records):
        assert all({e.source, e.target} <= graph.by_id.keys() for e in graph.edges)
        assert acyclic(graph)


@given(st.sampled_from(RUNS), st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
def test_attributes_cut_anywhere_raise_nothing(run: list[SpanRecord], seed: int) -> None:
    """A length limit that cuts JSON at any place leaves a graph."""
    dice = random.Random(seed)
    cut = [
        replace(
            s,
            attributes={
                k: v[: dice.randint(0, len(v))] if isinstance(v, str) and v[:1] in "[{" else v
                for k, v in s.attributes.items()
            },
        )
        for s in run
    ]
    assert all(acyclic(graph) for graph in spans_to_graphs(cut))


def test_a_broken_episode_leaves_the_one_beside_it_unharmed() -> None:
    """Spans that name one another as parents are reported; a good trace beside them is as ever."""
    good = [chat(1, "What is it?", "It is a lighthouse")]
    bad = [chat(5, "x", "y", above=6), chat(6, "y", "z", above=5)]
    with_bad = {g.episode: g for g in spans_to_graphs(good + bad)}
    assert with_bad[good[0].span_id] == spans_to_graphs(good)[0]
    problems = [p for g in with_bad.values() for p in g.problems]
    assert any("lead back to itself" in p for p in problems)


def test_cut_messages_are_read_as_far_as_they_go() -> None:
    """The messages before the cut are there, and the cut is a problem in words."""
    whole = messages("user", "The first message is whole", "The second one is not")
    about = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": whole[:-12]}
    (graph,) = spans_to_graphs([span(1, attributes=about)])
    assert "The first message is whole" in [n.value for n in graph.of_kind(Kind.INPUT)]
    assert any("gen_ai.input.messages" in p and "cut off" in p for p in graph.problems)


def test_a_client_inside_a_wrapper_is_one_call() -> None:
    """A model call right inside a model call tells the same event, and brings what it knows."""
    outer = span(1, attributes={"gen_ai.operation.name": "chat"}, end=99)
    (graph,) = spans_to_graphs([outer, chat(2, "What is it?", "A lighthouse", above=1)])
    (call,) = graph.of_kind(Kind.LLM_CALL)
    assert call.value == "A lighthouse"
    assert call.spans == (outer.span_id, f"{2:016x}")


def test_a_run_without_context_inside_a_tool_joins_its_episode() -> None:
    """A trace that began within a tool call and was given its argument is the tool's own run."""
    tool = span(
        1,
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "ask",
            "gen_ai.tool.call.arguments": '{"request": "A poem about frost"}',
            "gen_ai.tool.call.result": "Frost lies on the field",
        },
        end=99,
    )
    inner = chat(2, "A poem about frost", "Frost lies on the field", trace_id="b" * 32)
    (graph,) = spans_to_graphs([tool, inner])
    flows = {(e.source, e.target): e.reason for e in graph.edges}
    assert flows[inner.span_id, tool.span_id] is Reason.CONTENT


def test_a_link_goes_before_the_parent() -> None:
    """A span in a shared trace belongs to the episode of the span that it is linked to."""
    shared = span(1, name="runtime")
    episodes = [span(n, trace_id="b" * 32) for n in (2, 3)]
    calls = [
        chat(4 + i, f"question {i}", f"answer {i}", above=1, links=(("b" * 32, e.span_id),))
        for i, e in enumerate(episodes)
    ]
    graphs = spans_to_graphs([shared, *episodes, *calls])
    assert [g.episode for g in graphs] == [e.span_id for e in episodes]


@pytest.mark.parametrize(("status", "finished"), [("error", True), ("unset", False)])
def test_an_answer_that_never_came_is_not_finished(status: str, finished: bool) -> None:
    """An error is a result; a stream that was left without one is not."""
    about = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages("user", "Hello")}
    (graph,) = spans_to_graphs([span(1, attributes=about, status=status, message="down")])
    (call,) = graph.of_kind(Kind.LLM_CALL)
    assert call.finished is finished
    assert call.error


def test_templates_and_system_prompts_are_parameters_without_being_declared() -> None:
    """What the program says around a run's input is one parameter, whatever is filled in."""
    run = span(
        1,
        attributes={"openinference.span.kind": "CHAIN", "input.value": '{"topic": "deep snow"}'},
        end=99,
    )
    answers = ("The snow is deep here", "Nobody walks in it")
    said = ("Write about deep snow please", f"Judge this: {answers[0]}")
    calls = [chat(2 + i, said[i], answers[i], above=1) for i in range(2)]
    (graph,) = spans_to_graphs([run, *calls])
    values = [n.value for n in graph.of_kind(Kind.PARAMETER)]
    assert values == ["Write about {topic} please", "Judge this: {}"]


def test_a_chain_of_a_hundred_thousand_spans_needs_no_recursion() -> None:
    """Depth costs no stack, and the call at the bottom is still part of the root's episode."""
    size = 100_000
    chain = [span(n, n - 1 if n > 1 else None, end=10 * size) for n in range(1, size)]
    (graph,) = spans_to_graphs([*chain, chat(size, "Where?", "At the bottom", above=size - 1)])
    assert graph.episode == chain[0].span_id


def test_runs_of_a_batch_are_episodes_although_their_context_leaked() -> None:
    """A workflow in another one that it outlives is no part of it; one that ends before is."""
    about = {"traceloop.span.kind": "workflow"}
    runs = [span(n, n - 1 if n > 1 else None, attributes=about, end=900 + n) for n in (1, 2)]
    inner = span(3, 2, attributes=about, end=800)
    calls = [chat(3 + n, f"question {n}", f"answer {n}", above=n) for n in (1, 2, 3)]
    graphs = spans_to_graphs([*runs, inner, *calls])
    assert [len(list(g.of_kind(Kind.LLM_CALL))) for g in graphs] == [1, 2]


def test_links_tell_fan_in_where_no_content_is_recorded() -> None:
    """Two executors whose messages a third one was linked to: their calls flow into its call."""
    spans = read_spans(CORPUS / "agent-framework" / "run.jsonl")
    content = ("gen_ai.input", "gen_ai.output", "gen_ai.system")
    bare = [
        replace(s, attributes={k: v for k, v in s.attributes.items() if not k.startswith(content)})
        for s in spans
    ]
    (graph,) = spans_to_graphs(bare)
    first, second, last = (n.id for n in graph.of_kind(Kind.LLM_CALL))
    flows = {(e.source, e.target) for e in graph.edges if e.reason is Reason.LINK}
    assert flows == {(first, last), (second, last)}
