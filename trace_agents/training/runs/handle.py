"""A run that goes on beside you: its events, its end by your word, and its result."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self, TypeAlias
from weakref import WeakSet

import anyio

from trace_agents.errors import TraceAgentsError
from trace_agents.training.episodes.mistakes import alone
from trace_agents.training.runs.job import Job
from trace_agents.training.runs.past import Past
from trace_agents.training.runs.running import run
from trace_agents.training.telling.events import TrainingEvent
from trace_agents.training.telling.state import TrainResult

BUFFER = 1_000
"""Events that a reader may be behind."""


class RunUnfinished(TraceAgentsError, RuntimeError):
    """The result was asked of a run that has none yet."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A reader was too slow: so many events before the next one are lost to it."""

    count: int


Heard: TypeAlias = TrainingEvent | Missed


class Reader:
    """The events of a run from the moment it was made, for one task: `async for event in it`.

    It holds at most `buffer` events. Where its task falls further behind, the oldest are dropped
    and a `Missed` stands in their place: the run never waits for a reader. What was dropped is
    in the run's log.
    """

    def __init__(self, buffer: int) -> None:
        self._waiting: deque[TrainingEvent] = deque(maxlen=max(1, buffer))
        self._missed = 0
        self._over = False
        self._news = anyio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Heard:
        while not self._waiting:
            if self._over:
                raise StopAsyncIteration
            self._news = anyio.Event()
            await self._news.wait()
        if self._missed:
            missed, self._missed = Missed(self._missed), 0
            return missed
        return self._waiting.popleft()

    def hear(self, event: TrainingEvent) -> None:
        """Take an event in; the run calls it."""
        self._missed += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(event)
        self._news.set()

    def end(self) -> None:
        """Let the iteration end after what is waiting; the run calls it."""
        self._over = True
        self._news.set()


class Run:
    """A training run under way; `start_training` gives one."""

    def __init__(self) -> None:
        self.stopping = anyio.Event()
        self._over = anyio.Event()
        self._result: TrainResult | None = None
        # a reader that nobody holds any more is forgotten
        self._readers: WeakSet[Reader] = WeakSet()

    @property
    def result(self) -> TrainResult:
        """What the run ended with.

        Raises:
            RunUnfinished: it has not ended.
        """
        if self._result is None:
            raise RunUnfinished("the run has no result yet; `await run.wait()` or `run.stop()`")
        return self._result

    def events(self, *, buffer: int = BUFFER) -> Reader:
        """Return the events from here on, until the run ends; each call is another reader."""
        reader = Reader(buffer)
        if self._over.is_set():
            reader.end()
        self._readers.add(reader)
        return reader

    async def wait(self) -> TrainResult:
        """Wait until the run ends, and return its result."""
        await self._over.wait()
        return self.result

    async def stop(self) -> TrainResult:
        """Start nothing more, wait for the episodes that run, and return the result."""
        self.stopping.set()
        return await self.wait()

    def hear(self, event: TrainingEvent) -> None:
        """Pass an event on; the run calls it."""
        for reader in tuple(self._readers):
            reader.hear(event)

    async def work(self, job: Job, past: Past | None) -> None:
        """Do the job; `opened` runs it beside the caller's block."""
        try:
            self._result = await run(job, past)
        finally:
            self._over.set()
            for reader in tuple(self._readers):
                reader.end()


@asynccontextmanager
async def opened(job: Job, past: Past | None = None) -> AsyncGenerator[Run]:
    """Run a job beside the block, which gets it in its hands.

    A block that ends waits for the run to end; one that raises or is cancelled cancels it. A run
    that fails cancels the block and raises in its stead.
    """
    handle = Run()
    if job.stop is not None:
        handle.stopping = job.stop
    own, given_stop = job.on_event, job.stop is not None
    failure: Exception | None = None

    def tell(event: TrainingEvent) -> None:
        handle.hear(event)
        if own is not None:
            own(event)

    made = replace(job, stop=handle.stopping, on_event=tell, handle=not given_stop)
    with alone():
        async with anyio.create_task_group() as group:
            group.start_soon(handle.work, made, past)
            try:
                yield handle
            except Exception as error:  # noqa: BLE001 - raised again when the run is cancelled
                failure = error
                group.cancel_scope.cancel()
    if failure is not None:
        raise failure
