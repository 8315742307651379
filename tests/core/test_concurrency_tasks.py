"""Tasks in one event loop: what one records changes nothing that another records."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import anyio
import anyio.lowlevel
import pytest

import trace_agents as ta
from trace_agents.graph import Graph

T = TypeVar("T")
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


class Meeting:
    """A point at which `size` tasks wait for each other."""

    def __init__(self, size: int) -> None:
        self._missing = size
        self._complete = anyio.Event()

    async def wait(self) -> None:
        self._missing -= 1
        if self._missing == 0:
            self._complete.set()
        await self._complete.wait()


async def together(*calls: Callable[[], Awaitable[T]]) -> list[T]:
    """Run the calls as tasks of one group; return their results in the calls' order."""
    results: dict[int, T] = {}

    async def run(index: int, call: Callable[[], Awaitable[T]]) -> None:
        results[index] = await call()

    async with anyio.create_task_group() as group:
        for index, call in enumerate(calls):
            group.start_soon(run, index, call)
    return [results[index] for index in range(len(calls))]


def flows(graph: Graph) -> set[tuple[str, str]]:
    """Return the edges by the names of their ends."""
    return {(graph.by_id[e.source].name, graph.by_id[e.target].name) for e in graph.edges}


def closure(end: ta.Node) -> set[ta.Node]:
    """Return the node and all it came from."""
    found, stack = {end}, [end]
    while stack:
        for parent in stack.pop().parents:
            if parent not in found:
                found.add(parent)
                stack.append(parent)
    return found


async def pause(times: int) -> None:
    for _ in range(times):
        await anyio.lowlevel.checkpoint()


@ta.bundle
async def awaited(value: int) -> int:
    await pause(value % 5)
    return value


@ta.bundle
def deferred(value: int) -> Awaitable[int]:
    """An ordinary function that returns something to await."""

    async def later() -> int:
        await pause(value % 5)
        return value

    return later()


class Agent:
    @ta.bundle
    async def answer(self, value: int) -> int:
        await pause(value % 5)
        return value


@BACKENDS
@pytest.mark.parametrize("operation", [awaited, deferred, Agent().answer])
def test_each_of_many_awaited_calls_has_its_own_parent(
    backend: str, operation: Callable[[ta.Node], Awaitable[ta.Node]]
) -> None:
    """Fifty overlapping calls of one async operation: every result comes from its own input."""
    inputs = [ta.node(index, f"x{index}") for index in range(50)]

    async def main() -> list[ta.Node]:
        return await together(*[lambda x=x: operation(x) for x in inputs])

    results = anyio.run(main, backend=backend)
    assert [result.data for result in results] == list(range(50))
    assert all(set(r.parents) == {x} for r, x in zip(results, inputs, strict=True))


@BACKENDS
def test_a_body_reads_its_own_node_while_another_body_runs(backend: str) -> None:
    """Two calls overlap; each reads only the node it was given, after the other has begun."""

    async def call(mine: ta.Node, meeting: Meeting) -> ta.Node:
        @ta.bundle
        async def read(_given: int) -> int:
            await meeting.wait()
            return int(mine.data)

        return cast("ta.Node", await read(mine))

    async def main() -> None:
        a, b, meeting = ta.node(1, "a"), ta.node(2, "b"), Meeting(2)
        one, two = await together(lambda: call(a, meeting), lambda: call(b, meeting))
        assert [(one.data, *one.parents), (two.data, *two.parents)] == [(1, a), (2, b)]

    anyio.run(main, backend=backend)


@BACKENDS
def test_what_a_sibling_task_reads_is_not_charged_to_a_body_that_waits(backend: str) -> None:
    """A task outside of every operation reads a node in the middle of another task's operation."""

    async def main() -> None:
        given, other = ta.node(1, "given"), ta.node(2, "other")
        begun, read = anyio.Event(), anyio.Event()

        @ta.bundle
        async def slow(x: int) -> int:
            begun.set()
            await read.wait()
            return x

        async def sibling() -> ta.Node:
            await begun.wait()
            total = other + other
            assert other.data == 2
            read.set()
            return total

        slowly, total = await together(lambda: slow(given), sibling)
        assert (slowly.parents, set(total.parents)) == ((given,), {other})

    anyio.run(main, backend=backend)


@BACKENDS
def test_a_task_started_in_a_body_belongs_to_the_body(backend: str) -> None:
    """What a body's own tasks read must be given to the operation, as in the body itself."""
    hidden = ta.node(1, "hidden")

    async def main() -> None:
        @ta.bundle
        async def spread(x: int) -> int:
            async def peek() -> None:
                with pytest.raises(ta.TraceMissingInputsError, match="hidden"):
                    _ = hidden.data

            await together(peek, peek)
            return x

        assert (await spread(ta.node(5))).data == 5

    anyio.run(main, backend=backend)


@BACKENDS
@pytest.mark.parametrize("recorded", [True, False])
def test_a_hundred_agents_of_three_steps_stay_apart(backend: str, recorded: bool) -> None:
    """Every step reads its agent's node after others have run; no agent comes from another's."""

    async def steps(index: int) -> set[object]:
        own = ta.node(f"agent {index}", "own")

        @ta.bundle
        async def think(text: str, _self: str) -> str:
            await pause(index % 3 + 1)
            return f"{text}{own.data};"

        text = ta.node("", "start")
        for _ in range(3):
            text = await think(text, own)
            await pause(index % 4)
        assert text.data == f"agent {index};" * 3
        return {n.data for n in closure(text) if n.is_root}

    async def agent(index: int) -> set[object]:
        if not recorded:
            return await steps(index)
        with ta.recording(ta.Trace(f"e{index}")) as trace:
            roots = await steps(index)
        assert len(trace.graph().nodes) == 5
        return roots

    async def main() -> list[set[object]]:
        return await together(*[lambda i=i: agent(i) for i in range(100)])

    assert anyio.run(main, backend=backend) == [{"", f"agent {i}"} for i in range(100)]


@BACKENDS
def test_overlapping_recursive_operations_install_no_tracer(backend: str) -> None:
    """Recursion in a body is plain Python; the interpreter's own hooks are left alone."""
    before = (sys.gettrace(), sys.getprofile(), threading.gettrace())
    during: list[tuple[object, ...]] = []

    async def main() -> list[ta.Node]:
        meeting = Meeting(2)

        @ta.bundle
        async def countdown(n: int) -> int:
            if n:
                return 1 + int(await countdown(n - 1))
            await meeting.wait()
            during.append((sys.gettrace(), sys.getprofile(), threading.gettrace()))
            return 0

        return await together(lambda: countdown(ta.node(2)), lambda: countdown(ta.node(3)))

    results = anyio.run(main, backend=backend)
    assert [(r.data, len(r.parents)) for r in results] == [(2, 1), (3, 1)]
    assert [*during, (sys.gettrace(), sys.getprofile(), threading.gettrace())] == [before] * 3


@BACKENDS
def test_a_cancelled_call_records_nothing_and_ends_its_body(backend: str) -> None:
    """Cancellation is not an error to learn from, and what runs next is recorded again."""

    async def main() -> Graph:
        @ta.bundle
        async def forever(_x: int) -> None:
            await anyio.sleep_forever()

        with ta.recording(ta.Trace("e")) as trace:
            x = ta.node(1, "x")
            async with anyio.create_task_group() as group:
                group.start_soon(forever, x)
                await anyio.wait_all_tasks_blocked()
                group.cancel_scope.cancel()
            with anyio.CancelScope() as scope:
                scope.cancel()
                await forever(x)
            assert scope.cancelled_caught
            _ = x + x
        return trace.graph()

    assert flows(anyio.run(main, backend=backend)) == {("x0", "add0")}


async def test_gathered_calls_record_into_the_gathering_episode() -> None:
    """`asyncio.gather` and `create_task` carry the episode as task groups do."""

    async def call(x: ta.Node) -> ta.Node:
        return cast("ta.Node", await awaited(x))

    with ta.recording(ta.Trace("e")) as trace:
        x = ta.node(3, "x")
        await asyncio.gather(awaited(x), asyncio.create_task(call(x)))
    assert flows(trace.graph()) == {("x0", "awaited0"), ("x0", "awaited1")}
