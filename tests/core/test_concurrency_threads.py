"""Real threads that switch as often as they can: no call sees anything of another thread's."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import anyio
import anyio.to_thread
import pytest

import trace_agents as ta
from trace_agents.graph import Kind

T = TypeVar("T")


@pytest.fixture(autouse=True)
def switching() -> Generator[None]:
    """Let the interpreter switch threads after every microsecond."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], T], *, threads: int = 8, inherit: bool = False) -> list[T]:
    """Run `work(0)`, `work(1)`, … in threads that begin together; `inherit` gives the context."""
    start = threading.Barrier(threads)

    def run(index: int) -> T:
        start.wait()
        return work(index)

    with ThreadPoolExecutor(threads) as pool:
        contexts = [contextvars.copy_context() for _ in range(threads)]
        running = [
            pool.submit(context.run, run, index) if inherit else pool.submit(run, index)
            for index, context in enumerate(contexts)
        ]
        return [one.result() for one in running]


@ta.bundle
def triple(x: int) -> int:
    """Three times x."""
    return 3 * x


@ta.bundle
def refuse(x: int) -> int:
    """Refuse x."""
    raise ValueError(f"no {x}.")


def test_bodies_read_their_own_nodes_while_other_threads_read_theirs() -> None:
    """Twenty calls in each of eight threads meet in their bodies; each reads what it was given."""
    meeting = threading.Barrier(8)

    def call(own: ta.Node) -> object:
        @ta.bundle
        def read(_given: int) -> int:
            meeting.wait(10)
            return int(own.data)

        return read(own).data

    def work(index: int) -> list[object]:
        return [call(ta.node(100 * index + turn)) for turn in range(20)]

    assert in_threads(work) == [[100 * i + turn for turn in range(20)] for i in range(8)]


def test_plain_calls_in_many_threads_do_not_fail() -> None:
    """A hundred calls of one bundled function in each of eight threads, outside of episodes."""

    def work(index: int) -> list[tuple[int, int]]:
        calls = [(x, triple(ta.node(x))) for x in range(index, 800, 8)]
        return [(x, y.data - y.parents[0].data) for x, y in calls]

    found = dict(pair for pairs in in_threads(work) for pair in pairs)
    assert found == {x: 2 * x for x in range(800)}


async def through_anyio(read: Callable[[], int]) -> int:
    return await anyio.to_thread.run_sync(read)


async def through_asyncio(read: Callable[[], int]) -> int:
    return await asyncio.to_thread(read)


async def through_a_copied_context(read: Callable[[], int]) -> int:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, read).result()


THREADS = pytest.mark.parametrize(
    ("through", "backend"),
    [
        (through_anyio, "asyncio"),
        (through_anyio, "trio"),
        (through_asyncio, "asyncio"),
        (through_a_copied_context, "asyncio"),
        (through_a_copied_context, "trio"),
    ],
)
Through = Callable[[Callable[[], int]], Awaitable[int]]


@THREADS
def test_a_body_s_worker_thread_reads_nothing_that_was_not_given(
    through: Through, backend: str
) -> None:
    """A hidden input is found in a thread that the body starts, as it is in the body itself."""
    hidden = ta.node(1, "hidden")

    @ta.bundle
    async def peek(x: int) -> int:
        return x + await through(lambda: int(hidden.data))

    async def main() -> None:
        with pytest.raises(ta.TraceMissingInputsError, match="hidden"):
            await peek(ta.node(2))

    anyio.run(main, backend=backend)


@THREADS
def test_what_a_worker_thread_may_read_becomes_an_input(through: Through, backend: str) -> None:
    """A dependency that is allowed is not lost because another thread read it."""
    hidden, given = ta.node(1, "hidden"), ta.node(2, "given")

    @ta.bundle(allow_external_dependencies=True)
    async def peek(x: int) -> int:
        return x + await through(lambda: int(hidden.data))

    async def main() -> ta.Node:
        return cast("ta.Node", await peek(given))

    result = anyio.run(main, backend=backend)
    assert (result.data, set(result.parents)) == (3, {hidden, given})


def test_a_thread_that_stops_tracing_stops_no_other() -> None:
    """While one thread is in the block, another records parents; then the first does again."""
    inside, recorded = threading.Event(), threading.Event()
    x = ta.node(1, "x")

    def stopped() -> list[ta.Node]:
        with ta.stop_tracing():
            inside.set()
            assert recorded.wait(10)
            quiet = x + x
        return [quiet, x + x]

    def works() -> list[ta.Node]:
        assert inside.wait(10)
        result = x + x
        recorded.set()
        return [result]

    (quiet, after), (result,) = in_threads(lambda i: works() if i else stopped(), threads=2)
    assert [set(n.parents) for n in (quiet, after, result)] == [set(), {x}, {x}]


def test_tracing_switched_in_one_thread_costs_others_no_parent() -> None:
    """Three thousand operations beside a thread that enters and leaves the block all the time."""
    done = threading.Event()

    def switch() -> int:
        linked = 0
        while not done.is_set():
            with ta.stop_tracing():
                linked += len((ta.node(1) + ta.node(1)).parents)
        return linked

    def record() -> int:
        pairs = [(ta.node(i), ta.node(i)) for i in range(1000)]
        return sum(set((a + b).parents) == {a, b} for a, b in pairs)

    def work(index: int) -> int:
        if index == 0:
            return switch()
        try:
            return record()
        finally:
            done.set()

    assert in_threads(work, threads=4) == [0, 1000, 1000, 1000]


def test_threads_that_record_into_one_episode_share_no_name() -> None:
    """Sixteen thousand nodes from eight threads: all there, each with a name of its own."""
    with ta.recording(ta.Trace("e")) as trace:

        def work(index: int) -> None:
            for x in range(1000):
                triple(ta.node(1000 * index + x))

        in_threads(work, inherit=True)
    graph = trace.graph()
    assert len({node.name for node in graph.nodes}) == len(graph.nodes) == 16_000
    values = [(graph.by_id[e.source].value, graph.by_id[e.target].value) for e in graph.edges]
    assert sorted(values) == [(x, 3 * x) for x in range(8000)]


def test_unnamed_parameters_of_many_threads_share_no_name() -> None:
    """A name stands for one parameter, whoever made it."""

    def work(_index: int) -> list[str]:
        return [ta.node(x, trainable=True).name for x in range(500)]

    names = [name for made in in_threads(work) for name in made]
    assert len(set(names)) == len(names) == 4000


def test_every_call_keeps_its_own_inputs_and_result() -> None:
    """Four hundred calls of one function in each of eight threads, by position and by name."""

    @ta.bundle
    def combine(items: list[int], *, scale: int) -> int:
        return sum(items) * scale

    def work(index: int) -> list[tuple[object, list[object]]]:
        results: list[ta.Node] = []
        for turn in range(400):
            own = 1000 * index + turn
            results.append(combine([ta.node(own), ta.node(1)], scale=ta.node(turn)))
        return [(r.data, [p.data for p in r.parents]) for r in results]

    for index, found in enumerate(in_threads(work)):
        own = [1000 * index + turn for turn in range(400)]
        assert found == [((x + 1) * t, [x, 1, t]) for t, x in enumerate(own)]


def test_every_failed_call_keeps_its_own_error() -> None:
    """Sixty failures of one function in each of eight threads: text and input are the call's."""

    def fail(x: int) -> tuple[str, list[object]]:
        with pytest.raises(ta.ExecutionError) as caught:
            refuse(ta.node(x))
        failed = caught.value.exception_node
        assert failed.kind is Kind.EXCEPTION
        return str(failed.data), [p.data for p in failed.parents]

    def work(index: int) -> list[tuple[str, list[object]]]:
        return [fail(x) for x in range(60 * index, 60 * index + 60)]

    for x, (text, inputs) in enumerate(pair for found in in_threads(work) for pair in found):
        assert f"ValueError: no {x}." in text
        assert inputs == [x]


def test_threads_that_first_touch_a_method_find_one_parameter() -> None:
    """A method's code is made at its first use; six threads at once make one, not six."""

    class Clerk(ta.Module):
        def __init__(self, number: int) -> None:
            self.number = number

        @ta.bundle(trainable=True)
        def add(self, x: int) -> int:
            """Add the clerk's number."""
            return self.number + x

    for number in range(50):
        clerk = Clerk(number)

        def touch(x: int, clerk: Clerk = clerk) -> tuple[ta.Node, ta.ParameterNode]:
            return clerk.add(ta.node(x)), clerk.add.code

        results = in_threads(touch, threads=6)
        assert [result.data for result, _ in results] == [number + x for x in range(6)]
        assert len({id(code) for _, code in results}) == len(clerk.parameters()) == 1
        assert len({result.inputs["code"] for result, _ in results}) == 1
