"""An event loop whose clock stands still while anybody works, and jumps while all wait.

For tests only: hours of waiting take no time, every schedule is repeatable, and a program that
waits for something that can never come is an error instead of a hang.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
TURNS = 200_000
"""Turns of the loop after which a program is taken to go round in circles."""


class Stuck(AssertionError):
    """Everybody waits, and nothing can wake anybody."""


class _Instant(selectors.DefaultSelector):
    """A selector that never waits: where the loop would, its clock is moved on instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Stuck(f"at {self.loop.time():g} s all tasks wait for each other")
            self.loop.now += timeout
        self.loop.turn()
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop; no thread and no other process may have to wake it."""

    def __init__(self) -> None:
        selector = _Instant()
        selector.loop = self
        self.now = 0.0
        self.turns = 0
        self.each_turn: Callable[[int], None] = lambda _turn: None
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def turn(self) -> None:
        self.turns += 1
        if self.turns > TURNS:
            raise Stuck(f"no end after {TURNS} turns of the loop, {self.now:g} s")
        self.each_turn(self.turns)


@dataclass(slots=True)
class Outcome(Generic[T]):
    """How a program ended."""

    value: T | None = None
    cancelled: bool = False
    left: list[str] = field(default_factory=list[str])
    """The tasks that it left behind."""
    turns: int = 0
    seconds: float = 0.0
    at_start: float = 0.0


def run(
    main: Callable[[VirtualLoop], Coroutine[Any, Any, T]],
    *,
    cancel_at: int | None = None,
    each_turn: Iterable[Callable[[], None]] = (),
) -> Outcome[T]:
    """Run a program in virtual time; `cancel_at` cancels it at that turn of the loop.

    Raises:
        Stuck: it can never end.
    """
    loop, outcome = VirtualLoop(), Outcome[T]()
    watchers = tuple(each_turn)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        outcome.value, outcome.cancelled = runner.run(_watched(main, loop, cancel_at, watchers))
        outcome.turns, outcome.seconds = loop.turns, loop.now
        outcome.left = [task.get_name() for task in asyncio.all_tasks(loop)]
    return outcome


async def _watched(
    main: Callable[[VirtualLoop], Coroutine[Any, Any, T]],
    loop: VirtualLoop,
    cancel_at: int | None,
    watchers: tuple[Callable[[], None], ...],
) -> tuple[T | None, bool]:
    began = loop.turns
    task = loop.create_task(main(loop), name="the program")

    def each_turn(turn: int) -> None:
        for watch in watchers:
            watch()
        if cancel_at is not None and turn - began == cancel_at:
            task.cancel()

    loop.each_turn = each_turn
    try:
        return await task, False
    except asyncio.CancelledError:
        return None, True
    finally:
        loop.each_turn = lambda _turn: None
