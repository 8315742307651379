"""How the core's costs grow: `python benchmarks/core.py`.

Prints the time of `backward` with minimal subgraphs and of building the optimizer's prompt for
growing chains and fan-ins, and the exponent between the smallest and the largest: 1 is linear.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

from trace_agents.graph import Edge, Graph, GraphNode, Kind
from trace_agents.propagate import TraceGraph, backward
from trace_agents.render import to_prompt

SIZES = (1_000, 10_000, 100_000)
REPEATS = 3


def chain(size: int) -> Graph:
    """Return a parameter with `size` operations behind it, one after the other."""
    nodes = [GraphNode("parameter:p", Kind.PARAMETER, "p", "x")]
    nodes += [GraphNode(str(i), Kind.OPERATION, "add", i) for i in range(size)]
    names = [node.id for node in nodes]
    return Graph(tuple(nodes), tuple(map(Edge, names, names[1:])), "chain")


def fan_in(size: int) -> Graph:
    """Return `size` parameters that all lead into one operation."""
    nodes = [GraphNode(f"parameter:{i}", Kind.PARAMETER, f"p{i}", i) for i in range(size)]
    edges = tuple(Edge(node.id, "sum") for node in nodes)
    return Graph((*nodes, GraphNode("sum", Kind.OPERATION, "sum", 0)), edges, "fan")


def best_of(action: Callable[[], object]) -> float:
    """Return the shortest of a few runs, in seconds."""
    times: list[float] = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)


def fresh(graph: Graph) -> Graph:
    """Return the same graph without what it has worked out already."""
    return Graph(graph.nodes, graph.edges, graph.episode)


def walk(graph: Graph) -> None:
    """Send feedback through the graph."""
    backward(fresh(graph), "better")


def write(subgraph: TraceGraph) -> None:
    """Write the optimizer's prompt."""
    to_prompt(TraceGraph(fresh(subgraph.graph), subgraph.feedback))


def measure(name: str, make: Callable[[int], Graph]) -> None:
    """Print a row for each size, and the exponents."""
    walks: list[float] = []
    texts: list[float] = []
    for size in SIZES:
        graph = make(size)
        walks.append(best_of(partial(walk, graph)))
        texts.append(best_of(partial(write, backward(graph, "better"))))
        print(f"{name:8} {size:>8} nodes  backward {walks[-1]:8.4f} s  prompt {texts[-1]:8.4f} s")
    span = math.log(SIZES[-1] / SIZES[0])
    print(
        f"{name:8} exponent  backward {math.log(walks[-1] / walks[0]) / span:.2f}"
        f"  prompt {math.log(texts[-1] / texts[0]) / span:.2f}"
    )


if __name__ == "__main__":
    measure("chain", chain)
    measure("fan-in", fan_in)
