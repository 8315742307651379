"""`stop_tracing` holds where it was entered, for as long as it was entered, and nowhere else."""

from __future__ import annotations

import anyio
import pytest

import trace_agents as ta
from tests.core.test_concurrency_tasks import BACKENDS, flows, pause, together


@BACKENDS
def test_a_task_that_stops_tracing_stops_no_other(backend: str) -> None:
    """An evaluator waits inside the block; a worker records parents meanwhile."""

    async def main() -> tuple[ta.Node, ta.Node]:
        stopped, recorded = anyio.Event(), anyio.Event()
        x = ta.node(1, "x")

        async def evaluator() -> ta.Node:
            with ta.stop_tracing():
                stopped.set()
                await recorded.wait()
                return x + x

        async def worker() -> ta.Node:
            await stopped.wait()
            with ta.recording(ta.Trace("e")) as trace:
                result = x + x
            assert len(trace.graph().edges) == 2
            recorded.set()
            return result

        quiet, result = await together(evaluator, worker)
        return quiet, result

    quiet, result = anyio.run(main, backend=backend)
    assert (quiet.data, quiet.parents, len(result.parents)) == (2, (), 2)


def test_leaving_the_inner_block_leaves_the_outer_closed() -> None:
    """Results between the ends of two nested blocks have no parents and are in no recording."""
    with ta.recording(ta.Trace("e")) as trace:
        x = ta.node(1, "x")
        with ta.stop_tracing():
            with ta.stop_tracing():
                inner = x + x
            between = x * x
        after = x - x
    assert [len(n.parents) for n in (inner, between, after)] == [0, 0, 2]
    assert flows(trace.graph()) == {("x0", "sub0")}
    assert {n.name for n in trace.graph().nodes} == {"x0", "sub0"}


def test_what_was_made_in_the_block_is_used_after_it_as_a_root() -> None:
    """Its value flows on; where it came from is not told, and feedback ends there."""
    p, x = ta.node(1, "p", trainable=True), ta.node(2, "x")
    with ta.recording(ta.Trace("e")) as trace:
        with ta.stop_tracing():
            quiet = p + x
        result = quiet * p
    assert (result.data, quiet.is_root, quiet.level) == (3, True, 0)
    assert flows(trace.graph()) == {("add", "mul0"), ("p", "mul0")}
    assert {n.name for n in result.backward("x").graph.nodes} == {"p", "add", "mul0"}


@BACKENDS
def test_blocks_that_overlap_in_time_end_each_for_itself(backend: str) -> None:
    """A enters, B enters, A leaves, B leaves: after each step both tell what they record."""

    async def main() -> list[str]:
        turns = [anyio.Event() for _ in range(5)]
        x, story = ta.node(1, "x"), ["" for _ in turns]

        async def task(enter: int, leave: int) -> None:
            async def step(index: int) -> None:
                story[index] += "-" if (x + x).is_root else "+"
                if len(story[index]) == 2:
                    turns[index].set()
                await turns[index].wait()

            for index in range(enter):
                await step(index)
            with ta.stop_tracing():
                for index in range(enter, leave):
                    await step(index)
            for index in range(leave, 5):
                await step(index)

        async with anyio.create_task_group() as group:
            group.start_soon(task, 1, 3)
            group.start_soon(task, 2, 4)
        return ["".join(sorted(told)) for told in story]

    assert anyio.run(main, backend=backend) == ["++", "+-", "--", "+-", "++"]


def test_an_exception_opens_the_block() -> None:
    """However the block ends, what was recorded before is recorded after it."""
    x = ta.node(1, "x")
    with ta.recording(ta.Trace("e")) as trace:
        with pytest.raises(LookupError), ta.stop_tracing():
            raise LookupError
        assert (x + x).parents
    assert len(trace.graph().edges) == 2


def test_the_block_reads_the_pinned_version() -> None:
    """An unrecorded part of an episode is still of the episode's version."""
    prompt = ta.node("old", "prompt", trainable=True)
    with ta.recording(ta.Trace("e", 2, {"prompt": "new"})), ta.stop_tracing():
        result = prompt + "!"
    assert (result.data, result.parents) == ("new!", ())


@BACKENDS
def test_a_task_started_in_the_block_is_in_the_block(backend: str) -> None:
    """Tasks inherit the switch, and leave it where they inherited it."""

    async def main() -> list[bool]:
        x = ta.node(1, "x")

        async def child() -> bool:
            await pause(2)
            return (x + x).is_root

        with ta.stop_tracing():
            inside = await together(child, child)
        return inside + await together(child)

    assert anyio.run(main, backend=backend) == [True, True, False]
