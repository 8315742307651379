"""Asking again what may be answered the next time, after a growing pause."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import anyio

from trace_agents.errors import ModelError, ModelUnavailable
from trace_agents.llm.around import Around
from trace_agents.llm.base import Message, Model, Reply, Schema


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and after which pauses a call is made again. Times are seconds.

    A pause is drawn from the upper half of a span that doubles each time, so that many callers
    that failed together do not come back together. Where the server says how long to wait, that
    is waited at least; more than `longest` is not.
    """

    retries: int = 2
    """Tries after the first."""
    first: float = 0.5
    """The span before the second try."""
    longest: float = 60.0
    """No pause is longer; a server that asks for more is not asked again."""

    def pause(
        self, attempt: int, error: ModelError, draw: Callable[[], float] = random.random
    ) -> float | None:
        """Return how long to wait after the failure of try `attempt` (from 0); None: give up."""
        if not isinstance(error, ModelUnavailable) or attempt >= self.retries:
            return None
        asked = error.retry_after
        if asked is not None:
            return None if asked > self.longest else asked + self.first * draw() / 2
        return min(self.longest, self.first * 2.0**attempt) * (1 + draw()) / 2


class Retrying(Around):
    """A model that is asked again where that may help.

    What failed tries were billed, and the tries themselves, are counted in the reply, or in the
    error of the last one.

    Args:
        inside: the model.
        backoff: how often, and after which pauses.
        sleep: waits so many seconds.
        draw: returns a random number from 0 to 1.
    """

    def __init__(
        self,
        inside: Model,
        backoff: Backoff | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(inside)
        self._backoff = backoff or Backoff()
        self._sleep = sleep
        self._draw = draw

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the reply.

        Raises:
            ModelError: another try cannot help, or the last one failed too.
        """
        attempt, tokens, usd, calls = 0, 0, 0.0, 0
        while True:
            try:
                reply = await self._inside.complete(messages, schema=schema)
            except ModelError as error:
                tokens, usd = tokens + error.tokens, usd + error.usd
                calls += error.calls
                pause = self._backoff.pause(attempt, error, self._draw)
                if pause is None:
                    raise error.costing(tokens, usd, calls)  # noqa: B904 - it is the same error
            else:
                return replace(
                    reply,
                    input_tokens=reply.input_tokens + tokens,
                    usd=reply.usd + usd,
                    retries=reply.retries + calls,
                )
            attempt += 1
            await self._sleep(pause)
