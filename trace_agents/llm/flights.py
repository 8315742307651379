"""Work that several callers want at the same time, done once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Flight(Generic[T]):
    """One piece of work under way; without a result or an error at its end it was abandoned."""

    landed: anyio.Event = field(default_factory=anyio.Event)
    result: T | None = None
    error: Exception | None = None


class Flights(Generic[T]):
    """The work under way in one event loop, by key.

    The first caller does the work in its own task. Where that is cancelled, the next one that
    waits takes over; an error goes to all that wait.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, _Flight[T]] = {}

    async def share(self, key: str, work: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Return the result, and whether another caller did the work.

        Raises:
            Exception: what the work raised.
        """
        while (flight := self._under_way.get(key)) is not None:
            await flight.landed.wait()
            if flight.error is not None:
                raise Shared(flight.error)
            if flight.result is not None:
                return flight.result, True
        return await self._fly(key, work), False

    async def _fly(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        flight = self._under_way[key] = _Flight[T]()
        try:
            flight.result = await work()
        except Exception as error:
            flight.error = error
            raise
        finally:
            del self._under_way[key]
            flight.landed.set()
        return flight.result


class Shared(Exception):
    """The work of another caller raised."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
