"""Backward: minimal, linear, iterative, and the same whatever the order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.errors import TraceFileError, UnknownParameter
from trace_agents.graph import Edge, Graph, GraphNode, Kind, topological
from trace_agents.propagate import TraceGraph, backward
from trace_agents.serialize import graph_from_json, graph_to_json
from trace_agents.tracing import node


@st.composite
def dags(draw: st.DrawFn) -> Graph:
    """A random DAG of up to twelve nodes, some of them parameters."""
    size = draw(st.integers(1, 12))
    parameters = draw(st.sets(st.integers(0, size - 1)))
    nodes = tuple(
        GraphNode(str(i), Kind.PARAMETER if i in parameters else Kind.OPERATION, f"n{i}")
        for i in range(size)
    )
    pairs = [(a, b) for b in range(size) if b not in parameters for a in range(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return Graph(nodes, tuple(Edge(str(a), str(b)) for a, b in chosen), "e")


def paths(graph: Graph, start: str, end: str) -> list[list[str]]:
    """Return every path, by trying all: the reference."""
    if start == end:
        return [[end]]
    steps = [e.target for e in graph.edges if e.source == start]
    return [[start, *rest] for step in steps for rest in paths(graph, step, end)]


@given(dags(), st.data())
def test_the_subgraph_is_minimal(graph: Graph, data: st.DataObject) -> None:
    """A parameter receives its paths to the output plus their direct inputs, nothing else."""
    output = data.draw(st.sampled_from([n.id for n in graph.nodes]))
    subgraph = backward(graph, {output: "good"})
    starts = [n.id for n in graph.of_kind(Kind.PARAMETER)]
    on_path = {n for s in starts for path in paths(graph, s, output) for n in path}
    inputs = {e.source for e in graph.edges if e.target in on_path}
    assert {n.id for n in subgraph.graph.nodes} == on_path | inputs
    assert set(subgraph.graph.edges) == {e for e in graph.edges if e.target in on_path}


@given(dags(), st.randoms(use_true_random=False))
def test_the_order_of_nodes_and_edges_does_not_matter(graph: Graph, random: object) -> None:
    """A graph told in another order gives the same subgraph."""
    nodes, edges = list(graph.nodes), list(graph.edges)
    shuffle = getattr(random, "shuffle")  # noqa: B009 - hypothesis types it as Random
    shuffle(nodes)
    shuffle(edges)
    one, two = backward(graph, "x"), backward(Graph(tuple(nodes), tuple(edges), "e"), "x")
    assert set(one.graph.nodes) == set(two.graph.nodes)
    assert set(one.graph.edges) == set(two.graph.edges)
    assert one.feedback == two.feedback


@given(dags())
def test_a_graph_survives_json(graph: Graph) -> None:
    """What is written is read back equal."""
    assert graph_from_json(graph_to_json(graph)) == graph


@given(dags())
def test_the_topological_order_puts_inputs_first(graph: Graph) -> None:
    """Every node comes after all it took data from."""
    place = {n: i for i, n in enumerate(topological(graph))}
    assert len(place) == len(graph.nodes)
    assert all(place[e.source] < place[e.target] for e in graph.edges)


@given(dags(), dags())
def test_merging_does_not_depend_on_the_order(one: Graph, two: Graph) -> None:
    """Several outputs' feedback, several episodes: a set union."""
    first = backward(one, "a")
    second = backward(Graph(two.nodes, two.edges, "f"), "b")
    left, right = first.merge(second), second.merge(first)
    assert {n.id for n in left.graph.nodes} == {n.id for n in right.graph.nodes}
    assert set(left.graph.edges) == set(right.graph.edges)
    assert {k: set(v) for k, v in left.feedback.items()} == {
        k: set(v) for k, v in right.feedback.items()
    }


def test_merged_episodes_share_parameters_and_nothing_else() -> None:
    """The parameter is one node; everything else carries its episode in its id."""
    nodes = (GraphNode("parameter:p", Kind.PARAMETER, "p"), GraphNode("c", Kind.LLM_CALL, "c"))
    edges = (Edge("parameter:p", "c"),)
    parts = [backward(Graph(nodes, edges, name), name) for name in ("e1", "e2")]
    merged = TraceGraph().merge(*parts)
    assert [n.id for n in merged.graph.nodes] == ["parameter:p", "e1/c", "e2/c"]
    assert merged.feedback == {"e1/c": ("e1",), "e2/c": ("e2",)}


def test_each_parameter_sees_what_it_caused() -> None:
    """`for_parameter` narrows the union to one parameter's paths."""
    a, b = node(1, "a", trainable=True), node(2, "b", trainable=True)
    subgraph = ((a + 1) * (b + 2)).backward("x")
    assert {n.name for n in subgraph.for_parameter("a").graph.nodes} == {"a", "add", "mul"}
    with pytest.raises(UnknownParameter, match="'c'"):
        subgraph.for_parameter("c")


def test_a_parameter_that_caused_nothing_is_not_there() -> None:
    """A parameter without a path to the output receives nothing."""
    used, unused = node(1, "used", trainable=True), node(2, "unused", trainable=True)
    both = (used + 1).graph()
    lonely = (unused + 1).graph()
    graph = Graph((*both.nodes, lonely.nodes[0]), both.edges)
    assert [p.name for p in backward(graph, {"add": "x"}).parameters] == ["used"]


def test_feedback_for_an_unknown_node_is_refused() -> None:
    """A wrong id is the caller's mistake and says so."""
    with pytest.raises(KeyError, match="no node 'z'"):
        backward(Graph(), {"z": "x"})


def test_long_chains_need_no_recursion() -> None:
    """100,000 operations in a row are walked without reaching Python's limit."""
    x = node(0, "x", trainable=True)
    y = x + 1
    for _ in range(99_999):
        y = y + 1
    assert len(y.backward("too much").graph.nodes) == 100_001


def test_a_file_of_another_schema_is_refused() -> None:
    """A graph from a later format is not guessed at."""
    with pytest.raises(TraceFileError, match="schema"):
        graph_from_json({"schema": 99})
