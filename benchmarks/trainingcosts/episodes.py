"""What episodes cost and hold: `episodes.py PROGRAM SIZE` prints one JSON object."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import anyio

from trace_agents.graph import Graph, Number, Parameter, Parameters
from trace_agents.optimizers import OptoPrime
from trace_agents.testing import FunctionModel
from trace_agents.tracing import Trace, current_trace
from trace_agents.training import TrainingEvent, evaluate, train

AT_ONCE = 1_000
WAITING, WAIT = 500, 0.1
"""Episodes at once that wait so many seconds each."""
BATCHES, LAG = 4, 3
EARLY = 2_000
"""Finished episodes at which memory is first looked at."""

SPACE = Parameters([Parameter("dial", 0, Number(0, 9, integer=True))])


class Nothing:
    """A recorder with an empty graph: what the loop itself costs, without anybody's spans."""

    filename = "nothing.jsonl"

    def graph(self, trace: Trace) -> Graph:
        """Return an empty graph."""
        return Graph()

    def lines(self) -> Iterable[str]:
        """Return no lines."""
        return ()


class Reader:
    """A workflow that reads its parameter and waits."""

    name = "reader"

    def __init__(self, wait: float = 0.0, begun: Callable[[int], None] = lambda _: None) -> None:
        self.wait, self.begun, self.count = wait, begun, 0

    def parameters(self) -> Parameters:
        """Return the one parameter."""
        return SPACE

    def only(self, *patterns: str) -> Reader:
        """Return the same workflow."""
        return self

    def freeze(self, *patterns: str) -> Reader:
        """Return the same workflow."""
        return self

    @contextmanager
    def instrumented(self) -> Generator[None]:
        """Do nothing."""
        yield

    async def run(self, task: object) -> object:
        """Read the parameter, wait, and return."""
        trace = current_trace()
        if trace is not None:
            trace.value_of("dial")
        self.count += 1
        self.begun(self.count)
        await asyncio.sleep(self.wait)
        return task


def fine(_task: object, _output: object) -> float:
    """Judge everything the same."""
    return 1.0


async def trained(
    workflow: Reader,
    count: int,
    concurrency: int,
    folder: Path | None,
    *,
    batch: int = 0,
    lag: int = LAG,
    on_event: Callable[[TrainingEvent], None] | None = None,
) -> int:
    """Train on `count` episodes and two of the gate; return how many there were."""
    size = batch or count // BATCHES
    result = await train(
        workflow,
        range(1_000),
        gate_tasks=range(-2, 0),
        guide=fine,
        optimizer=OptoPrime(SPACE, llm=FunctionModel(lambda _: "nothing to change")),
        batch_size=size,
        proposals=count // size,
        lag=lag,
        concurrency=concurrency,
        run_dir=folder,
        on_event=on_event,
    )
    return result.episodes


async def bare(workflow: Reader, count: int, concurrency: int) -> int:
    """Run the coroutines alone, as many at once."""
    limiter = anyio.CapacityLimiter(concurrency)

    async def one(task: int) -> None:
        async with limiter:
            await workflow.run(task)

    async with anyio.create_task_group() as group:
        for task in range(count):
            group.start_soon(one, task)
    return count


async def evaluated(workflow: Reader, count: int, concurrency: int) -> int:
    """Evaluate."""
    return len(await evaluate(workflow, range(count), {}, guide=fine, concurrency=concurrency))


async def costs(count: int) -> dict[str, float]:
    """Return CPU seconds of a no-op episode, and of the same coroutine alone."""
    workflow = Reader()

    async def each(call: Callable[[int], Awaitable[int]]) -> float:
        await call(40)
        began = time.process_time()
        done = await call(count)
        return (time.process_time() - began) / done

    async def kept(size: int) -> int:
        with tempfile.TemporaryDirectory() as folder:
            return await trained(workflow, size, AT_ONCE, Path(folder))

    return {
        "bare": await each(lambda size: bare(workflow, size, AT_ONCE)),
        "evaluate": await each(lambda size: evaluated(workflow, size, AT_ONCE)),
        "train": await each(lambda size: trained(workflow, size, AT_ONCE, None)),
        "kept": await each(kept),
    }


async def waiting(count: int) -> dict[str, float]:
    """Return which part of what the waits alone allow is reached."""
    workflow, ideal = Reader(WAIT), WAIT / WAITING

    async def part(call: Callable[[], Awaitable[int]]) -> float:
        began = time.perf_counter()
        done = await call()
        return ideal * done / (time.perf_counter() - began)

    async def kept() -> int:
        with tempfile.TemporaryDirectory() as folder:
            return await trained(workflow, count, WAITING, Path(folder), batch=WAITING)

    return {
        "bare": await part(lambda: bare(workflow, count, WAITING)),
        "evaluate": await part(lambda: evaluated(workflow, count, WAITING)),
        "kept": await part(kept),
    }


async def memory(count: int) -> dict[str, float]:
    """Return the bytes that an episode leaves behind, between the first thousands and the last."""
    found: dict[int, int] = {}

    def look(event: TrainingEvent) -> None:
        done = event.status.episodes
        if done in (EARLY, count) and done not in found:
            gc.collect()
            found[done] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    with tempfile.TemporaryDirectory() as folder:
        await trained(Reader(), count, AT_ONCE, Path(folder), batch=100, on_event=look)
    grown = found[count] - found[EARLY]
    return {"grown": grown, "each": grown / (count - EARLY)}


async def cancelling(count: int) -> dict[str, float]:
    """Return the seconds from the cancellation of a run to its end, and what was left."""
    tasks, running = len(asyncio.all_tasks()), anyio.Event()
    workflow = Reader(10**6, lambda at_once: running.set() if at_once == count else None)

    async def begin(folder: Path) -> None:
        await trained(workflow, count * BATCHES, count, folder, batch=count, lag=1)

    cpu = began = 0.0
    with tempfile.TemporaryDirectory() as folder:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(begin, Path(folder))
                await running.wait()
                cpu, began = time.process_time(), time.perf_counter()
                scope.cancel()
        ended, busy = time.perf_counter() - began, time.process_time() - cpu
    return {"seconds": ended, "cpu": busy, "tasks": len(asyncio.all_tasks()) - tasks}


PROGRAMS = {"costs": costs, "waiting": waiting, "memory": memory, "cancelling": cancelling}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(PROGRAMS[sys.argv[1]](int(sys.argv[2])))))
