"""What holds for every graph: subgraphs are minimal, and no depth or width needs recursion."""

from __future__ import annotations

import random
import sys
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trace_agents as ta

Edges: TypeAlias = "set[tuple[str, str]]"


@dataclass(frozen=True)
class Plan:
    """A DAG as a list: `None` for a parameter, else the places of the nodes an operation takes."""

    takes: tuple[tuple[int, ...] | None, ...]

    def build(self) -> list[ta.Node]:
        """Return the live nodes; each is named after its place."""
        nodes: list[ta.Node] = []
        for index, takes in enumerate(self.takes):
            name = f"n{index}_"
            if takes is None:
                nodes.append(ta.node(index, name, trainable=True))
            elif not takes:
                nodes.append(ta.node(index, name))
            else:
                nodes.append(ta.bundle(name=name)(total)([nodes[i] for i in takes]))
        return nodes

    def paths(self, start: int, end: int) -> list[tuple[int, ...]]:
        """Return every path between two nodes, by trying all: the reference."""
        if start == end:
            return [(end,)]
        return [(*path, end) for i in self.takes[end] or () for path in self.paths(start, i)]

    def minimal(self, starts: list[int], ends: list[int]) -> tuple[set[str], Edges]:
        """Return names and edges of all paths, with the direct inputs of the nodes on them."""
        pairs = [(start, end) for start in starts for end in ends]
        on_path = {n for pair in pairs for path in self.paths(*pair) for n in path}
        edges = {(f"n{i}_", f"n{n}_") for n in on_path for i in self.takes[n] or ()}
        return {f"n{n}_" for n in on_path} | {source for source, _ in edges}, edges

    @property
    def parameters(self) -> list[int]:
        return [index for index, takes in enumerate(self.takes) if takes is None]


def total(items: list[int]) -> int:
    return sum(items)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A random DAG of up to ten nodes."""
    takes: list[tuple[int, ...] | None] = []
    for index in range(draw(st.integers(1, 10))):
        some = st.lists(st.integers(0, max(index - 1, 0)), unique=True, max_size=3 if index else 0)
        takes.append(draw(st.none() | some.map(tuple)))
    return Plan(tuple(takes))


def stripped(name: str, *, recorded: bool) -> str:
    """Return a name without the number that an episode gives it."""
    return f"{name.rpartition('_')[0]}_" if recorded else name


def shape(subgraph: ta.TraceGraph, *, recorded: bool = False) -> tuple[set[str], Edges]:
    """Return the names of the nodes, and the edges by the names of their ends."""
    names = {n.id: stripped(n.name, recorded=recorded) for n in subgraph.graph.nodes}
    assert len(set(names.values())) == len(names)
    return set(names.values()), {(names[e.source], names[e.target]) for e in subgraph.graph.edges}


def said(subgraph: ta.TraceGraph, *, recorded: bool = False) -> set[tuple[str, str]]:
    """Return the feedback with the names of the nodes that it was given to."""
    names = {n.id: stripped(n.name, recorded=recorded) for n in subgraph.graph.nodes}
    return {(names[node], text) for node, texts in subgraph.feedback.items() for text in texts}


@contextmanager
def maybe_recording(recorded: bool) -> Generator[None]:
    """Record an episode, or do without one."""
    if not recorded:
        yield
        return
    with ta.recording(ta.Trace("e")):
        yield


@given(plans(), st.data(), st.booleans())
def test_a_node_s_subgraph_is_minimal(plan: Plan, data: st.DataObject, recorded: bool) -> None:
    """An output brings each parameter its paths and their direct inputs, and nothing else."""
    end = data.draw(st.integers(0, len(plan.takes) - 1))
    with maybe_recording(recorded):
        nodes = plan.build()
        subgraph = nodes[end].backward("good")
        reached = [i for i in plan.parameters if plan.paths(i, end)]
        assert shape(subgraph, recorded=recorded) == plan.minimal(reached, [end])
        for index in plan.parameters:
            got = [shape(part, recorded=recorded) for part in nodes[index].feedback]
            assert got == [plan.minimal([index], [end])] * (index in reached)


@given(plans(), st.data(), st.randoms(use_true_random=False))
def test_several_outputs_bring_the_union_in_any_order(
    plan: Plan, data: st.DataObject, order: random.Random
) -> None:
    """Feedback on outputs together is all their paths, whichever output is named first."""
    ends = data.draw(st.lists(st.integers(0, len(plan.takes) - 1), min_size=1, unique=True))
    nodes = plan.build()
    both = ta.backward([nodes[end] for end in ends], [f"to {end}" for end in ends])
    assert shape(both) == plan.minimal(plan.parameters, ends)
    caused = [end for end in ends if any(plan.paths(i, end) for i in plan.parameters)]
    assert said(both) == {(f"n{end}_", f"to {end}") for end in caused}
    order.shuffle(ends)
    again = ta.backward([nodes[end] for end in ends], [f"to {end}" for end in ends])
    assert (shape(again), said(again)) == (shape(both), said(both))


@given(plans(), st.data(), st.randoms(use_true_random=False), st.booleans())
def test_feedback_given_in_another_order_is_the_same_feedback(
    plan: Plan, data: st.DataObject, order: random.Random, recorded: bool
) -> None:
    """One output after the other: what a parameter holds in the end is a set."""
    ends = data.draw(st.lists(st.integers(0, len(plan.takes) - 1), min_size=1, unique=True))
    found: list[list[set[tuple[str, str]]]] = []
    for _ in range(2):
        with maybe_recording(recorded):
            nodes = plan.build()
            for end in ends:
                nodes[end].backward(f"to {end}")
            held = [ta.TraceGraph().merge(*nodes[i].feedback) for i in plan.parameters]
            found.append([said(part, recorded=recorded) for part in held])
        order.shuffle(ends)
    assert found[0] == found[1]


@contextmanager
def shallow() -> Generator[None]:
    """Allow Python a few calls more than now; whoever walks a deep graph by calls fails."""
    before, frame, depth = sys.getrecursionlimit(), sys._getframe(), 0
    while (frame := frame.f_back) is not None:  # type: ignore[assignment]
        depth += 1
    sys.setrecursionlimit(depth + 120)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


SIZE = 100_000


def chain(start: ta.Node) -> ta.Node:
    end = start
    for _ in range(SIZE):
        end = end + 1
    return end


def fan_in(start: ta.Node) -> ta.Node:
    return cast("ta.Node", ta.bundle(name="end")(total)([start + i for i in range(SIZE)]))


def fan_out_and_in_by_pairs(start: ta.Node) -> ta.Node:
    layer = [start + i for i in range(2**16)]
    while len(layer) > 1:
        layer = [a + b for a, b in zip(layer[::2], layer[1::2], strict=False)]
    return layer[0]


def layers(start: ta.Node) -> ta.Node:
    """Ten nodes wide; every node takes two of the layer before, so paths are without number."""
    draw, layer = random.Random(0), [start] * 10
    for _ in range(SIZE // 7):  # some nodes lead nowhere
        pairs = [draw.choices(layer, k=2) for _ in layer]
        layer = [a & b for a, b in pairs]
    return cast("ta.Node", ta.bundle(name="end")(total)(layer))


@pytest.mark.parametrize("grow", [chain, fan_in, fan_out_and_in_by_pairs, layers])
def test_a_hundred_thousand_nodes_need_no_recursion(grow: Callable[[ta.Node], ta.Node]) -> None:
    """Built, told, sent feedback, written, read and freed within a few calls' depth."""
    with shallow():
        start = ta.node(1, "start", trainable=True)
        end = grow(start)
        subgraph = end.backward("good")
        assert len(subgraph.graph.nodes) > SIZE
        assert subgraph.for_parameter("start").order[0] == "parameter:start"
        assert {n.name for n in end.parameter_dependencies} == {"start"}
        assert end.level > 1
        dead = weakref.ref(end)
        del end
        assert dead() is None


def test_an_episode_of_a_hundred_thousand_nodes_is_told_and_freed_without_recursion() -> None:
    """A recording's graph is as iterative as a node's."""
    with shallow():
        with ta.recording(ta.Trace("e")) as trace:
            end = weakref.ref(chain(ta.node(1, "start", trainable=True)))
        assert len(trace.graph().nodes) == SIZE + 1
        del trace
        assert end() is None
