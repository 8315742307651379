"""Carries a run's events to its loggers without keeping the run waiting."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
import anyio.to_thread

from trace_agents.training.telling.events import EpisodeEnded, TrainingEvent
from trace_agents.training.telling.logger import Logger, Record, metrics_of
from trace_agents.training.telling.state import OnEvent

BUFFER = 10_000
"""Records that may wait for one logger; beyond it single episodes are left out, and counted."""


@asynccontextmanager
async def logging_to(
    loggers: Sequence[Logger], complain: Callable[[str], None]
) -> AsyncGenerator[OnEvent, None]:
    """Give a function that hands each event to all loggers, and close them at the end.

    A logger that raises is left out from then on, and `complain` is told why: no logger can end
    or delay a run. What was logged before a failure or a cancellation is written.
    """
    writers = [_Writer(logger, complain) for logger in loggers]

    def offer(event: TrainingEvent) -> None:
        record = Record(event.status.episodes, time.time(), event, metrics_of(event))
        for writer in writers:
            writer.offer(record)

    async with anyio.create_task_group() as group:
        for writer in writers:
            group.start_soon(writer.run)
        try:
            yield offer
        finally:
            for writer in writers:
                writer.end()


@dataclass(slots=True)
class _Writer:
    logger: Logger
    complain: Callable[[str], None]
    _waiting: deque[Record] = field(default_factory=deque[Record])
    _left_out: int = 0
    _ended: bool = False
    _broken: bool = False
    _news: anyio.Event = field(default_factory=anyio.Event)

    def offer(self, record: Record) -> None:
        if self._broken:
            return
        if len(self._waiting) >= BUFFER and isinstance(record.event, EpisodeEnded):
            self._left_out += 1
            return
        self._waiting.append(record)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def run(self) -> None:
        try:
            while not self._broken and not (self._ended and not self._waiting):
                await self._write()
                if not self._waiting and not self._ended:
                    self._news = anyio.Event()
                    await self._news.wait()
        finally:
            # also for a cancelled run: what was logged so far must be readable
            await self._write()
            await self._guarded(self.logger.close)
        if self._left_out:
            self.complain(f"{self._name} was too slow: {self._left_out} episodes are not in it")

    async def _write(self) -> None:
        if self._waiting and not self._broken:
            records = tuple(self._waiting)
            self._waiting.clear()
            await self._guarded(partial(self.logger.log, records))

    async def _guarded(self, call: Callable[[], None]) -> None:
        try:
            # what was taken out of the queue is written, whatever is cancelled meanwhile
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(call)
        except Exception as error:  # noqa: BLE001 - the boundary: a logger must not end a run
            self._waiting.clear()
            if not self._broken:
                self.complain(f"{self._name} failed and is left out from here on: {error}")
            self._broken = True

    @property
    def _name(self) -> str:
        return f"the logger {type(self.logger).__name__}"
