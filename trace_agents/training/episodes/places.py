"""Places for episodes that run at the same time: who judges goes before who learns."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from types import TracebackType

import anyio


class Places:
    """A number of places, which `async with` takes and gives back; the longest wait comes first.

    Whoever takes `first` instead goes before all that do not: a decision waits for the episodes
    of the gate, and nobody waits for those of a later batch.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: tuple[deque[anyio.Event], deque[anyio.Event]] = (deque(), deque())
        self.first = Door(self, 0)
        self._last = Door(self, 1)

    async def take(self, rank: int) -> None:
        """Wait for a place."""
        if self._free:
            self._free -= 1
            return
        turn, waiting = anyio.Event(), self._waiting[rank]
        waiting.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():  # a place was handed over to who is cancelled
                self.give()
            else:
                waiting.remove(turn)
            raise

    def give(self) -> None:
        """Hand a place to whoever is next."""
        for waiting in self._waiting:
            if waiting:
                waiting.popleft().set()
                return
        self._free += 1

    async def __aenter__(self) -> None:
        await self._last.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.give()


@dataclass(frozen=True, slots=True)
class Door:
    """A way to the places, with its rank among those who wait."""

    places: Places
    rank: int

    async def __aenter__(self) -> None:
        await self.places.take(self.rank)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.places.give()
