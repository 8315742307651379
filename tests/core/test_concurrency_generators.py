"""Generators suspended half-way: their items belong to the call, and nothing leaks between items.

A suspended generator shares its consumer's context, so what it has entered there (the body, a
recording, `stop_tracing`) must be out of the way whenever the consumer runs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import cast

import anyio
import anyio.lowlevel
import pytest

import trace_agents as ta
from tests.core.test_concurrency_tasks import BACKENDS, Meeting, closure, flows, pause, together
from trace_agents.graph import Graph

closed: list[str] = []


@ta.bundle
def words(text: str) -> Generator[str]:
    """Yield the words of a text."""
    try:
        yield from text.split()
    finally:
        closed.append(text)


@ta.bundle
async def tokens(text: str) -> AsyncGenerator[str]:
    """Yield the words of a text, slowly."""
    try:
        for word in text.split():
            await anyio.lowlevel.checkpoint()
            yield word
    finally:
        closed.append(text)


@ta.bundle
def quiet(text: str) -> Generator[str]:
    """Yield words from a block that stops tracing."""
    with ta.stop_tracing():
        yield from text.split()


@ta.bundle
async def aquiet(text: str) -> AsyncGenerator[str]:
    """Yield words from a block that stops tracing."""
    with ta.stop_tracing():
        for word in text.split():
            await anyio.lowlevel.checkpoint()
            yield word


def items_of(text: ta.Node) -> Generator[ta.Node]:
    return cast("Generator[ta.Node]", words(text))


def stream_of(text: ta.Node) -> AsyncGenerator[ta.Node]:
    return cast("AsyncGenerator[ta.Node]", tokens(text))


@pytest.fixture(autouse=True)
def nothing_closed() -> None:
    """Forget which generators other tests closed."""
    closed.clear()


def test_every_item_comes_from_what_the_call_was_given() -> None:
    """Each item is a node of its own with the call's inputs as parents."""
    text = ta.node("one two three", "text")
    items = list(items_of(text))
    assert [item.data for item in items] == ["one", "two", "three"]
    assert all(item.parents == (text,) for item in items)
    assert len(set(items)) == 3


@BACKENDS
def test_streams_of_many_tasks_keep_to_their_episodes(backend: str) -> None:
    """Async streams and generators of twenty episodes take turns item by item."""

    async def episode(index: int, meetings: list[Meeting]) -> Graph:
        with ta.recording(ta.Trace(f"e{index}", index)) as trace:
            text = ta.node(f"a{index} b{index} c{index}", "text")
            held = items_of(text)
            async with aclosing(stream_of(text)) as stream:
                for meeting in meetings:
                    await meeting.wait()
                    await pause(index % 3)
                    pair = next(held) + await anext(stream)
                    assert {n.data for n in closure(pair) if n.is_root} == {text.data}
        return trace.graph()

    async def main() -> list[Graph]:
        meetings = [Meeting(20) for _ in range(3)]
        return await together(*[lambda i=i: episode(i, meetings) for i in range(20)])

    for index, graph in enumerate(anyio.run(main, backend=backend)):
        names = {"words": "text0", "tokens": "text0"}
        expected = {(source, f"{n}{k}") for n, source in names.items() for k in range(3)}
        joined = {(f"{n}{k}", f"add{k}") for n in names for k in range(3)}
        assert flows(graph) == expected | joined
        assert [n.value for n in graph.outputs] == [f"{c}{index}" * 2 for c in "abc"]


def test_a_generator_waits_while_another_episode_records() -> None:
    """Suspended in one episode, it changes nothing of the next, and goes on in its own."""
    first, second = ta.Trace("one"), ta.Trace("two")
    with ta.recording(first):
        items = items_of(ta.node("a b c", "text"))
        next(items)
    with ta.recording(second):
        _ = ta.node(1, "x") + ta.node(2, "y")
    with ta.recording(first):
        assert [item.data for item in items] == ["b", "c"]
    assert flows(second.graph()) == {("x0", "add0"), ("y0", "add0")}
    assert flows(first.graph()) == {("text0", f"words{i}") for i in range(3)}


def test_a_generator_consumed_in_another_episode_records_nothing_there() -> None:
    """Its items stay the calling episode's, and the consumer cannot mix them into its own."""
    first, second = ta.Trace("one"), ta.Trace("two")
    with ta.recording(first):
        items = items_of(ta.node("a b", "text"))
    with ta.recording(second):
        item = next(items)
        with pytest.raises(ta.ForeignNode, match="'one'"):
            _ = item + "!"
        items.close()
    assert second.graph().nodes == ()
    assert flows(first.graph()) == {("text0", "words0")}


@BACKENDS
def test_a_body_between_two_items_is_not_the_consumer_s(backend: str) -> None:
    """Between items the consumer reads and combines nodes that the body was not given."""

    async def main() -> None:
        hidden, text = ta.node("h", "hidden"), ta.node("a b", "text")
        for item in items_of(text):
            assert set((item + hidden).parents) == {item, hidden}
        async with aclosing(stream_of(text)) as stream:
            async for item in stream:
                assert set((item + hidden).parents) == {item, hidden}

    anyio.run(main, backend=backend)


@BACKENDS
def test_a_generator_that_stops_tracing_does_not_stop_its_consumer(backend: str) -> None:
    """A block that a suspended body holds open is not open for who consumes it."""

    async def main() -> list[int]:
        x, counts = ta.node("a b", "x"), list[int]()
        for _ in quiet(x):
            counts.append(len((x + x).parents))
        async with aclosing(aquiet(x)) as stream:
            async for _ in stream:
                counts.append(len((x + x).parents))
        return [*counts, len((x + x).parents)]

    assert anyio.run(main, backend=backend) == [2] * 5


def test_a_recording_that_a_suspended_body_holds_is_not_the_consumer_s() -> None:
    """What the consumer records between items goes to no episode of the body's."""
    inner = ta.Trace("inner")

    @ta.bundle
    def evaluate(text: str) -> Generator[str]:
        with ta.recording(inner):
            yield from text.split()

    with ta.recording(ta.Trace("outer")) as outer:
        x = ta.node("a b", "x")
        for item in evaluate(x):
            _ = item + x
    assert inner.graph().nodes == ()
    assert len(outer.graph().nodes) == 5


def test_closing_early_ends_the_body_and_records_what_was_taken() -> None:
    """`close` runs the body's `finally`; the consumer goes on recording."""
    with ta.recording(ta.Trace("e")) as trace:
        text = ta.node("a b c", "text")
        with closing(items_of(text)) as items:
            next(items)
        assert closed == ["a b c"]
        _ = text + text
    assert flows(trace.graph()) == {("text0", "words0"), ("text0", "add0")}


@BACKENDS
def test_closing_an_async_stream_early_ends_its_body(backend: str) -> None:
    """Also where the consumer breaks off or is cancelled while the body waits for its next item."""

    async def main() -> Graph:
        with ta.recording(ta.Trace("e")) as trace:
            text = ta.node("a b c", "text")
            async with aclosing(stream_of(text)) as stream:
                async for _ in stream:
                    break
            with anyio.CancelScope() as scope:
                async with aclosing(stream_of(text)) as stream:
                    scope.cancel()
                    await anext(stream)
            assert scope.cancelled_caught
            _ = text + text
        return trace.graph()

    graph = anyio.run(main, backend=backend)
    assert closed == ["a b c"] * 2
    assert flows(graph) == {("text0", "tokens0"), ("text0", "add0")}


@BACKENDS
def test_a_stream_may_be_closed_by_another_task(backend: str) -> None:
    """Begun in one task and closed in the next, with the block of its body still open."""

    async def main() -> list[int]:
        x, streams = ta.node("a b", "x"), list[AsyncGenerator[ta.Node]]()

        async def begin() -> int:
            streams.append(aquiet(x))
            await anext(streams[0])
            return len((x + x).parents)

        async def end() -> int:
            await streams[0].aclose()
            return len((x + x).parents)

        return [*await together(begin), *await together(end)]

    assert anyio.run(main, backend=backend) == [2, 2]


def test_an_error_half_way_is_a_node_of_the_call() -> None:
    """Items before it stay recorded; the exception comes from the call's inputs too."""

    @ta.bundle
    def count(x: int) -> Generator[float]:
        yield x
        yield 1 / (x - x)

    with ta.recording(ta.Trace("e")) as trace:
        items = count(ta.node(1, "x"))
        next(items)
        with pytest.raises(ta.ExecutionError, match="ZeroDivisionError"):
            next(items)
        assert list(items) == []
    assert flows(trace.graph()) == {("x0", "count0"), ("x0", "exception_count0")}


@BACKENDS
def test_a_body_keeps_its_own_block_over_its_items(backend: str) -> None:
    """A block that stops tracing is still closed for the body when it runs again."""
    seen: list[bool] = []

    @ta.bundle
    async def watch(count: int) -> AsyncGenerator[int]:
        with ta.stop_tracing():
            before = ta.current_trace()
            for index in range(count):
                yield index
                seen.append(ta.current_trace() is before)

    async def main() -> None:
        with ta.recording(ta.Trace("e")):
            async with aclosing(watch(3)) as stream:
                async for _ in stream:
                    await pause(1)

    anyio.run(main, backend=backend)
    assert seen == [True] * 3
