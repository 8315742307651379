"""Random programs run at once record what they record one after another."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeAlias

import anyio
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import trace_agents as ta
from tests.core.test_concurrency_tasks import closure, pause, together
from trace_agents.graph import Graph, Kind

Action = Literal["input", "parameter", "add", "inner", "outer", "slow", "fail", "both", "drop"]
Step: TypeAlias = "tuple[Action, int, int] | list[Step]"
"""An action on two earlier values, chosen by number; or the steps of a `stop_tracing` block."""

steps = st.recursive(
    st.tuples(st.sampled_from(Action.__args__), st.integers(0, 9), st.integers(0, 9)),  # type: ignore[attr-defined]
    lambda inner: st.lists(inner, min_size=1, max_size=3),
    max_leaves=3,
)
QUICK = settings(
    max_examples=50,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],  # `explain` takes minutes
)
programs = st.lists(st.lists(steps, min_size=1, max_size=8), min_size=2, max_size=6)

PARAMETERS = [ta.node(10 * i, f"p{i}", trainable=True) for i in range(3)]


@ta.bundle
def inner(x: int, y: int) -> int:
    return (x + 2 * y) % 97


@ta.bundle
def outer(x: int, y: int) -> int:
    """Call another bundled function, as plain Python."""
    return int(inner(inner(x, y), y)) + 1


@ta.bundle
async def slow(x: int, y: int) -> int:
    """Wait in the middle of nested calls."""
    await pause(y % 4)
    first = int(outer(x, y))
    await pause(x % 3)
    return first


@ta.bundle
async def fail(x: int) -> int:
    await pause(x % 3)
    raise ValueError(f"no {x}.")


@ta.bundle
def measure(items: list[object]) -> int:
    return len(repr(items))


@dataclass
class Run:
    """One program in one episode: what it did so far."""

    index: int
    values: list[ta.Node] = field(default_factory=list[ta.Node])
    made: list[ta.Node] = field(default_factory=list[ta.Node])

    async def steps(self, program: list[Step]) -> None:
        for step in program:
            await pause(len(self.values) * (self.index + 1) % 5)
            if isinstance(step, list):
                with ta.stop_tracing():
                    await self.steps(step)
            else:
                await self.step(*step)

    async def step(self, action: Action, i: int, j: int) -> None:
        x, y = self.values[i % len(self.values)], self.values[j % len(self.values)]
        actions: dict[Action, Callable[[], Awaitable[ta.Node]]] = {
            "input": lambda: now(lambda: ta.node(100 * self.index + j)),
            "parameter": lambda: now(lambda: PARAMETERS[i % 3] + 0),
            "add": lambda: now(lambda: x + y),
            "inner": lambda: now(lambda: inner(x, y)),
            "outer": lambda: now(lambda: outer(y, x)),
            "slow": lambda: slow(x, y),
            "fail": lambda: failure(x),
            "both": lambda: now(lambda: measure([x, {"y": y}])),
            "drop": lambda: now(x.detach),
        }
        self.made.append(await actions[action]())
        self.values.append(self.made[-1])


async def now(make: Callable[[], ta.Node]) -> ta.Node:
    return make()


async def failure(x: ta.Node) -> ta.Node:
    try:
        await fail(x)
    except ta.ExecutionError as error:
        return measure([error.exception_node])  # type: ignore[no-any-return]
    raise AssertionError("the body raises")


@dataclass(frozen=True)
class Recorded:
    """What is left of an episode."""

    graph: Graph
    feedback: ta.TraceGraph
    kept: list[list[ta.TraceGraph]]
    reached: set[ta.Node]


async def episode(index: int, program: list[Step]) -> Recorded:
    """Run a program in an episode of its own, with its own version of the parameters."""
    pinned: dict[str, object] = {f"p{i}": 1000 * index + i for i in range(3)}
    with ta.recording(ta.Trace(f"e{index}", index, pinned)) as trace:
        run = Run(index, [ta.node(index, "start")])
        await run.steps(program)
        await pause(index % 3)
        subgraph = run.values[-1].backward(f"feedback {index}")
        await pause(1)
        kept = [list(parameter.feedback) for parameter in PARAMETERS]
        reached = {node for end in run.values for node in closure(end)}
    return Recorded(trace.graph(), subgraph, kept, reached)


async def in_a_row(chosen: list[list[Step]]) -> list[Recorded]:
    return [await episode(index, program) for index, program in enumerate(chosen)]


async def at_once(chosen: list[list[Step]]) -> list[Recorded]:
    return await together(*[partial(episode, i, p) for i, p in enumerate(chosen)])


def in_threads(chosen: list[list[Step]]) -> list[Recorded]:
    """Run each episode in an event loop in a thread; the threads share the caller's context."""

    def alone(index: int, program: list[Step]) -> Recorded:
        return anyio.run(episode, index, program)

    calls = [partial(alone, index, program) for index, program in enumerate(chosen)]
    with ThreadPoolExecutor(len(chosen)) as pool:
        running = [pool.submit(contextvars.copy_context().run, call) for call in calls]
        return [one.result() for one in running]


def same(one: Recorded, other: Recorded) -> None:
    """Check that two runs of a program left the same behind."""
    assert one.graph == other.graph
    assert one.feedback == other.feedback
    assert one.kept == other.kept


@pytest.mark.parametrize("backend", ["asyncio", "trio", "threads"])
@given(programs)
@QUICK
def test_programs_record_the_same_at_once_as_in_a_row(
    backend: str, chosen: list[list[Step]]
) -> None:
    """Nodes, edges, values, names, versions and feedback do not depend on who else runs."""
    alone = anyio.run(in_a_row, chosen)
    crowd = (
        in_threads(chosen) if backend == "threads" else anyio.run(at_once, chosen, backend=backend)
    )
    for one, other in zip(alone, crowd, strict=True):
        same(one, other)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(programs)
@QUICK
def test_no_ancestor_is_another_episode_s(backend: str, chosen: list[list[Step]]) -> None:
    """Two episodes have no live node in common, and every parameter is the episode's version."""
    owners: dict[ta.Node, int] = {}
    for index, one in enumerate(anyio.run(at_once, chosen, backend=backend)):
        for node in one.reached:
            assert owners.setdefault(node, index) == index
        read = {n.name: n.value for n in one.graph.of_kind(Kind.PARAMETER)}
        assert read == {name: 1000 * index + int(name[1:]) for name in read}


@given(programs)
@QUICK
def test_what_is_made_while_tracing_is_stopped_is_in_no_recording(
    chosen: list[list[Step]],
) -> None:
    """A program whose every step is in a block leaves its start alone in the graph."""
    quiet: list[list[Step]] = [[program] for program in chosen]
    for one in anyio.run(at_once, quiet):
        assert [node.name for node in one.graph.nodes] == ["start0"]
        assert all(node.is_root for node in one.reached)
