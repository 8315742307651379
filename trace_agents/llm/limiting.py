"""Limits that a provider sets: calls at once, and requests and tokens a minute."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

import anyio
from anyio.lowlevel import RunVar

from trace_agents.errors import InvalidValue, ModelError, ModelUnavailable
from trace_agents.llm.around import Around
from trace_agents.llm.base import Message, Model, Reply, Schema

MINUTE = 60.0
"""Seconds."""

_CHARACTERS = 4
"""So many make a token, about, in English text."""

_ANSWER = 200
"""Tokens of an answer, as long as none is known."""


@dataclass(slots=True, eq=False)
class Place:
    """One call's place in the last minute, or in the next."""

    at: float
    tokens: int


class Minute:
    """The calls of the last minute and those that wait: each is given its time when it comes.

    So they are served in the order in which they came, from any thread and any event loop.
    """

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        self._requests = requests
        self._tokens = tokens
        self._places: deque[Place] = deque()
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def book(self, now: float, tokens: int) -> Place:
        """Return the first place that keeps within the limits."""
        with self._lock:
            self._forget(now)
            last = self._places[-1].at if self._places else now
            at = max(now, last, self._closed_until, self._after_requests(), self._room_for(tokens))
            place = Place(at, tokens)
            self._places.append(place)
            return place

    def give_up(self, place: Place) -> None:
        """Free the place of a call that was never made."""
        with self._lock:
            if place in self._places:
                self._places.remove(place)

    def close(self, until: float) -> None:
        """Let no later call begin before a time: the server asked for it."""
        with self._lock:
            self._closed_until = max(self._closed_until, until)

    def _forget(self, now: float) -> None:
        while self._places and self._places[0].at + MINUTE <= now:
            self._places.popleft()

    def _after_requests(self) -> float:
        if self._requests is None or len(self._places) < self._requests:
            return 0.0
        return self._places[-self._requests].at + MINUTE

    def _room_for(self, tokens: int) -> float:
        if self._tokens is None:
            return 0.0
        left = self._tokens - tokens  # one that is larger than the limit goes alone
        for place in reversed(self._places):
            left -= place.tokens
            if left < 0:
                return place.at + MINUTE
        return 0.0


class Limited(Around):
    """A model that is not asked more often than its provider allows; calls wait for their turn.

    A call's tokens are estimated before it is made, from the length of its prompt and the mean
    of the answers so far, and corrected after it. Where the server refuses and says how long to
    wait, no call that comes later begins before that.

    Args:
        inside: the model.
        max_concurrency: calls at once, in each event loop.
        rpm: requests in any minute.
        tpm: tokens in any minute, in and out.
        clock: seconds, from anywhere on.
        sleep: waits so many seconds.

    Raises:
        InvalidValue: a limit below 1.
    """

    def __init__(
        self,
        inside: Model,
        *,
        max_concurrency: int | None = None,
        rpm: int | None = None,
        tpm: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        super().__init__(inside)
        for name, limit in (("max_concurrency", max_concurrency), ("rpm", rpm), ("tpm", tpm)):
            if limit is not None and limit < 1:
                raise InvalidValue(f"{name} must be at least 1, or None, and not {limit}")
        self._most = max_concurrency
        self._limiter: RunVar[anyio.CapacityLimiter] = RunVar("limiter")
        self._minute = Minute(rpm, tpm)
        self._answers = _Mean(_ANSWER)
        self._clock = clock
        self._sleep = sleep

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the reply, after its turn has come.

        Raises:
            ModelError: the model could not answer.
        """
        async with self._slot():
            place = await self._turn(messages)
            try:
                reply = await self._inside.complete(messages, schema=schema)
            except ModelError as error:
                place.tokens = error.tokens
                if isinstance(error, ModelUnavailable) and error.retry_after:
                    self._minute.close(self._clock() + error.retry_after)
                raise
            place.tokens = reply.tokens
            self._answers.add(reply.output_tokens)
            return reply

    def _slot(self) -> AbstractAsyncContextManager[object]:
        if self._most is None:
            return nullcontext()
        try:
            return self._limiter.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(self._most)
            self._limiter.set(limiter)
            return limiter

    async def _turn(self, messages: Sequence[Message]) -> Place:
        length = sum(len(message["content"]) for message in messages)
        now = self._clock()
        place = self._minute.book(now, length // _CHARACTERS + self._answers.value)
        try:
            if place.at > now:
                await self._sleep(place.at - now)
        except BaseException:
            self._minute.give_up(place)
            raise
        return place


class _Mean:
    """The mean of some whole numbers; a guess counts as the first of them."""

    def __init__(self, guess: int) -> None:
        self._sum = guess
        self._count = 1

    @property
    def value(self) -> int:
        return self._sum // self._count

    def add(self, number: int) -> None:
        self._sum += number
        self._count += 1
