"""What only trace-agents is asked: `own_ops.py PROGRAM SIZE` prints one JSON object.

How costs grow with the size, whether a finished episode is freed, how many run at once. Times are
CPU seconds, except those of the episodes that wait.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import statistics
import sys
import time
import tracemalloc
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import anyio

import trace_agents as ta
from benchmarks.peers.trace_ops import PROGRAMS as SHARED
from benchmarks.peers.trace_ops import (
    REPEATS,
    SHORT,
    WIDTH,
    Measured,
    Shape,
    chain,
    fan,
    layers,
    median,
    seconds,
    trace_agents,
)
from trace_agents.graph import Edge, Graph, GraphNode, Kind
from trace_agents.render import to_prompt

STEPS, WAIT = 3, 0.02
"""An episode awaits so many operations that wait so many seconds each."""
SLOTS = 200
"""Episodes at once."""
LIBRARY = trace_agents()


def live(shape: Shape, size: int) -> ta.Node:
    """Return the output of a shape, as a node."""
    return cast("ta.Node", shape(LIBRARY, size))


def walk(output: ta.Node) -> int:
    """Visit everything that led to `output`, breadth first: the least that backward can do."""
    seen = {id(output)}
    waiting = deque([output])
    while waiting:
        for parent in waiting.popleft().parents:
            if id(parent) not in seen:
                seen.add(id(parent))
                waiting.append(parent)
    return len(seen)


def grow(shape: Shape) -> Callable[[int], Measured]:
    """Measure building, `backward`, reading its graph and a bare walk over the same nodes."""

    def program(size: int) -> Measured:
        live(shape, WIDTH).backward("better")
        found: list[Measured] = []
        began = time.process_time()
        while not found or (len(found) < REPEATS and time.process_time() - began < SHORT):
            found.append(grown(shape, size))
        return {name: statistics.median(each[name] for each in found) for name in found[0]}

    return program


def grown(shape: Shape, size: int) -> Measured:
    """Measure one output, built anew."""
    began = time.process_time()
    output = live(shape, size)
    built = time.process_time()
    walk(output)
    walked = time.process_time()
    subgraph = output.backward("better")
    sent = time.process_time()
    assert len(subgraph.graph.nodes) > size // 2  # a random layer leaves some without a child
    return {
        "build": (built - began) / size,
        "walk": walked - built,
        "backward": sent - walked,
        "read": time.process_time() - walked,
    }


def plain(make: Callable[[int], Graph]) -> Callable[[int], Measured]:
    """Measure `backward` on a graph that is plain data, with nothing worked out before."""

    def program(size: int) -> Measured:
        graph = make(size)

        def measure() -> float:
            fresh = Graph(graph.nodes, graph.edges, graph.episode)
            return seconds(lambda: ta.backward(fresh, {graph.nodes[-1].id: "better"}))

        return {"backward": median(measure), "walk": median(lambda: seconds(lambda: search(graph)))}

    return program


def search(graph: Graph) -> int:
    """Find everything that led to the last node: the least that a list of edges allows."""
    inputs: dict[str, list[str]] = {}
    for edge in graph.edges:
        inputs.setdefault(edge.target, []).append(edge.source)
    last = graph.nodes[-1].id
    seen, waiting = {last}, deque([last])
    while waiting:
        for parent in inputs.get(waiting.popleft(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return len(seen)


def plain_chain(size: int) -> Graph:
    """Return a parameter with `size` operations behind it, one after the other."""
    names = ["parameter:p", *map(str, range(size))]
    return plain_graph(["parameter:p"], names[1:], map(Edge, names, names[1:]))


def plain_layers(size: int) -> Graph:
    """Return the layered DAG: every operation has two parents in the layer before."""
    pick = random.Random(0)
    parameters = [f"parameter:{index}" for index in range(WIDTH)]
    layer, names, edges = parameters, list[str](), list[Edge]()
    for start in range(0, size, WIDTH):
        following = [str(index) for index in range(start, start + WIDTH)]
        for name in following:
            edges += [Edge(parent, name) for parent in pick.sample(layer, 2)]
        names += following
        layer = following
    return plain_graph(parameters, names, edges)


def plain_graph(parameters: Sequence[str], names: Sequence[str], edges: object) -> Graph:
    """Return a graph of parameters and operations."""
    nodes = [GraphNode(name, Kind.PARAMETER, name, "x") for name in parameters]
    nodes += [GraphNode(name, Kind.OPERATION, "add", 1) for name in names]
    return Graph(tuple(nodes), tuple(cast("Sequence[Edge]", edges)), "plain")


def prompt(shape: Shape) -> Callable[[int], Measured]:
    """Measure the prompt: its time, and its characters without the variables."""

    def program(size: int) -> Measured:
        def measure() -> float:
            subgraph = live(shape, size).backward("better")
            return seconds(lambda: str(to_prompt(subgraph)))

        sections = to_prompt(live(shape, size).backward("better"))
        characters = len(str(sections)) - len(sections.variables)
        return {"prompt": median(measure), "characters": characters}

    return program


def freed(size: int) -> Measured:
    """Measure what is left of a finished episode, with the garbage collector off."""
    with ta.recording(ta.Trace(episode="warm")):
        live(chain, WIDTH).backward("better")
    gc.collect()
    gc.disable()
    tracemalloc.start()
    with ta.recording(ta.Trace(episode="e")) as trace:
        output = live(chain, size)
        output.backward("better")
    built = tracemalloc.get_traced_memory()[0]
    watched = weakref.ref(output)
    del output, trace
    held = tracemalloc.get_traced_memory()[0]
    return {"held": held / built, "alive": float(watched() is not None)}


def in_episode(program: str) -> Callable[[int], Measured]:
    """Measure a program that both libraries run, here inside an episode."""

    def run(size: int) -> Measured:
        with ta.recording(ta.Trace(episode="e")):
            return SHARED[program](LIBRARY, size)

    return run


def episodes(size: int) -> Measured:
    """Measure the rate of episodes that wait: `SLOTS` at once, `size` in a row in each."""
    step = ta.bundle(waiting)

    async def episode(name: str) -> None:
        with ta.recording(ta.Trace(episode=name)):
            value = ta.node(0)
            for _ in range(STEPS):
                value = await cast("Awaitable[ta.Node]", step(value))

    async def unrecorded(name: str) -> None:
        for _ in range(STEPS):
            await waiting(0)

    return {
        "first": anyio.run(rate, episode, 1),
        "rate": anyio.run(rate, episode, size),
        "bare": anyio.run(rate, unrecorded, size),
    }


async def waiting(x: int) -> int:
    """Return the next number, later."""
    await asyncio.sleep(WAIT)
    return x + 1


async def rate(episode: Callable[[str], Awaitable[None]], rounds: int) -> float:
    """Return the episodes in a second of real time, as a share of what the waits alone allow."""

    async def slot(number: int) -> None:
        for turn in range(rounds):
            await episode(f"{number}-{turn}")

    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for number in range(SLOTS):
            group.start_soon(slot, number)
    return rounds * STEPS * WAIT / (time.perf_counter() - began)


SHAPES: dict[str, Shape] = {"chain": chain, "layers": layers, "fan": fan}
PROGRAMS: dict[str, Callable[[int], Measured]] = {
    **{f"grow {name}": grow(shape) for name, shape in SHAPES.items()},
    **{f"prompt {name}": prompt(shape) for name, shape in SHAPES.items()},
    **{f"episode {name}": in_episode(name) for name in ("add", "bundled", "awaited")},
    "plain chain": plain(plain_chain),
    "plain layers": plain(plain_layers),
    "freed": freed,
    "episodes": episodes,
}


def main(arguments: Sequence[str]) -> None:
    """Run one program and print what it measured."""
    program, size = arguments
    print(json.dumps(PROGRAMS[program](int(size))))


if __name__ == "__main__":
    main(sys.argv[1:])
