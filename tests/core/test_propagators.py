"""Propagators: what feedback becomes on its way, and what the subgraph can do with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from trace_agents import (
    GraphPropagator,
    InvalidValue,
    Propagator,
    SumPropagator,
    TraceGraph,
    UnknownParameter,
    backward,
    bundle,
    node,
)
from trace_agents.graph import Edge, Graph, GraphNode, Kind


class Blame(Propagator[float]):
    """A number that is shared between the inputs, unless an operation has a rule of its own."""

    def start(self, node: GraphNode, feedback: str) -> float:
        return float(feedback)

    def add(self, one: float, other: float) -> float:
        return one + other

    def rule(
        self, node: GraphNode, inputs: Sequence[GraphNode], received: float
    ) -> Sequence[float]:
        return [received / len(inputs)] * len(inputs)


def gradient_of_product(
    node: GraphNode, inputs: Sequence[GraphNode], received: float
) -> Sequence[float]:
    """The derivative of x * y, for each."""
    x, y = (float(str(given.value)) for given in inputs)
    return [received * y, received * x]


@bundle
def mix(a: object, b: object) -> str:
    """Both."""
    return f"{a}{b}"


def test_the_sum_propagator_gives_everybody_everything() -> None:
    """Where ways meet, the lines are joined, each once."""
    x, y = node("x", "x", trainable=True), node("y", "y", trainable=True)
    middle = mix(x, y)
    end = mix(middle, middle)
    received = end.backward("too long\nand dull", propagator=SumPropagator())
    assert received[x] == received[y] == received[middle] == "too long\nand dull"


def test_two_outputs_are_joined_line_by_line() -> None:
    """A line that came by two ways stands there once."""
    summed = SumPropagator()
    assert summed.add("a\nb", "b\nc") == "a\nb\nc"
    assert summed.add("a", "a") == "a"


def test_rules_of_ones_own_can_compute_gradients() -> None:
    """d(x * x * y)/dx = 2xy, by a table with one rule."""
    x, y = node(3.0, "x", trainable=True), node(5.0, "y", trainable=True)
    made = x * x * y
    received = made.backward("1", propagator=Blame({"mul": gradient_of_product}))
    assert (received[x], received[y]) == (30.0, 9.0)


def test_an_operation_without_a_rule_follows_the_default() -> None:
    """Here it is shared; a rule registered later takes over."""
    x, y = node(1.0, "x"), node(1.0, "y")
    blame = Blame()
    assert (x + y).backward("6", propagator=blame)[x] == 3.0
    blame.register("add", lambda node, inputs, received: [received, 0.0])
    received = (x + y).backward("6", propagator=blame)
    assert (received[x], received[y]) == (6.0, 0.0)


def test_a_rule_with_the_wrong_number_of_messages_is_named() -> None:
    """Instead of losing one silently."""
    blame = Blame({"mix": lambda node, inputs, received: [received]})
    with pytest.raises(InvalidValue, match="'mix' returned 1 messages for 2 inputs"):
        mix(node(1), node(2)).backward("1", propagator=blame)


def test_a_propagator_works_on_plain_graphs() -> None:
    """By node id; the default one returns the minimal subgraph."""
    graph = (node(1, "x", trainable=True) + 1).graph()
    assert Blame().propagate(graph, "2") == {"add": 2.0, "parameter:x": 2.0}
    assert GraphPropagator().propagate(graph, "2") == backward(graph, "2")


@pytest.mark.parametrize("value", [0, 0.0])
def test_a_falsy_parameter_is_found_by_its_node(value: float) -> None:
    """What a node received stands under the node, whatever its truth."""
    x = node(value, "x", trainable=True)
    assert (x + 1).backward("2", propagator=Blame())[x] == 2.0


def test_a_long_chain_is_walked_without_recursion() -> None:
    """A hundred thousand operations."""
    size = 100_000
    nodes = tuple(GraphNode(str(i), Kind.OPERATION, "step") for i in range(size))
    graph = Graph(nodes, tuple(Edge(str(i), str(i + 1)) for i in range(size - 1)))
    received = Blame().propagate(graph, "1")
    assert (len(received), received["0"]) == (size, 1.0)


def test_a_wide_diamond_is_linear_too() -> None:
    """Two ways at every step are 2**300 paths, and 300 steps."""
    x = node(1, "x", trainable=True)
    y: Any = x
    for _ in range(300):
        y = mix(y.len() if y is not x else y, y.len() if y is not x else y)
    assert y.backward("f", propagator=SumPropagator())[x] == "f"
    assert len(y.backward("f").graph.nodes) > 300


def test_feedback_about_several_outputs_is_one_subgraph() -> None:
    """One sentence for all, or one for each."""
    x = node(1, "x", trainable=True)
    both = [x + 1, x + 2]
    each = backward(both, ["low", "high"])
    assert sorted(each.feedback.values()) == [("high",), ("low",)]
    assert set(backward(both, "bad").feedback.values()) == {("bad",)}
    for wrong in (["one"], ["one", "two", "three"]):
        with pytest.raises(InvalidValue, match="one for each"):
            backward(both, wrong)
    with pytest.raises(InvalidValue, match="0 outputs"):
        backward([], "x")


def test_feedback_stays_where_it_was_asked_to() -> None:
    """At parameters always, at the nodes between where it is retained."""
    x = node(1, "x", trainable=True)
    middle = x + 1
    end = middle + 1
    end.backward("one")
    assert (len(x.feedback), middle.feedback) == (1, ())
    end.backward("two", retain=True)
    assert (len(x.feedback), len(middle.feedback)) == (2, 1)
    x.zero_feedback()
    middle.zero_feedback()
    assert (x.feedback, middle.feedback) == ((), ())


def test_the_same_output_can_get_feedback_again() -> None:
    """A recording does not change when it is used."""
    x = node(1, "x", trainable=True)
    made = x + 1
    assert made.backward("same") == made.backward("same")


def subgraph() -> TraceGraph:
    """Two parameters, two outputs."""
    a, b = node(1, "a", trainable=True), node(2, "b", trainable=True)
    return backward([a + 10, a + b], ["first", "second"])


def test_a_subgraph_can_be_pruned() -> None:
    """To parameters by name, to outputs by id."""
    whole = subgraph()
    of_b = whole.prune(parameters=["b"])
    assert {n.id for n in of_b.graph.nodes} == {"parameter:a", "parameter:b", "add_1"}
    assert of_b.feedback == {"add_1": ("second",)}
    assert whole.prune(outputs=["add"]).feedback == {"add": ("first",)}
    assert [p.name for p in whole.prune(outputs=["add"]).parameters] == ["a"]
    assert whole.prune() == whole
    with pytest.raises(UnknownParameter):
        whole.prune(parameters=["c"])


def test_merging_is_a_union() -> None:
    """With itself it changes nothing, with nothing neither."""
    whole = subgraph()
    assert whole.merge(whole) == whole
    assert whole + TraceGraph() == whole


def test_a_subgraph_survives_json() -> None:
    """Written as text and read back, it is equal."""
    whole = subgraph()
    assert TraceGraph.from_json(json.loads(json.dumps(whole.to_json()))) == whole


def test_a_subgraph_can_be_shown() -> None:
    """As code, as a Mermaid flow chart, for graphviz."""
    whole = subgraph()
    assert "first" in whole.to_code()
    assert whole.to_mermaid().startswith(("flowchart", "graph"))
    assert whole.to_dot().startswith("digraph")
