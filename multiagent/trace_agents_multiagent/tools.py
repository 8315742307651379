"""The tools of a household agent: plain async functions, so that any framework can offer them.

They act through whoever acts in this context, which one ContextVar says. So the same agent object
with the same tools can be in many houses at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from opentelemetry import trace as otel
from opentelemetry.trace import SpanContext

from trace_agents.errors import EpisodeFailed
from trace_agents_multiagent.household import Actor, Household

_hands: ContextVar[Hands | None] = ContextVar("trace_agents_hands", default=None)


class Hands:
    """One agent's presence in one house, and the span of the last thing that it did there."""

    def __init__(self, name: str, household: Household) -> None:
        self._name = name
        self._household = household
        self._actor: Actor | None = None
        self.last_span: SpanContext | None = None

    @asynccontextmanager
    async def in_the_house(self) -> AsyncGenerator[None]:
        """Be in the house; an agent that leaves keeps nobody waiting."""
        async with self._household.actor(self._name) as actor:
            self._actor = actor
            yield

    @property
    def actor(self) -> Actor:
        """What the agent can do in the house."""
        if self._actor is None:
            raise EpisodeFailed(f"{self._name} is not in the house")
        return self._actor

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return self.actor.over

    @property
    def decisions(self) -> int:
        """How many actions the agent has chosen so far."""
        return self.actor.decisions

    def prompt(self) -> str:
        """Return what the agent knows and can do."""
        return self.actor.prompt()

    async def hesitate(self, reason: str) -> None:
        """Lose a step, and be told why."""
        await self.actor.hesitate(reason)

    def note_span(self) -> None:
        """Remember the span of the tool call that runs now."""
        context = otel.get_current_span().get_span_context()
        if context.is_valid:
            self.last_span = context


@contextmanager
def acting(hands: Hands) -> Generator[None]:
    """Let the tools that run in this context act through `hands`."""
    token = _hands.set(hands)
    try:
        yield
    finally:
        _hands.reset(token)


def _here() -> Hands:
    hands = _hands.get()
    if hands is None:
        raise EpisodeFailed("a household tool was called outside a household episode")
    hands.note_span()
    return hands


async def goexplore(room: str) -> str:
    """Walk to a room and look around."""
    return await _here().actor.goexplore(room)


async def gocheck(container: int) -> str:
    """Walk to the container with this number, open it and look inside."""
    return await _here().actor.gocheck(container)


async def gograb(item: int) -> str:
    """Walk to the object with this number and take it into a free hand."""
    return await _here().actor.gograb(item)


async def goput(target: int) -> str:
    """Walk to the furniture with this number and put there everything that you hold."""
    return await _here().actor.goput(target)


async def send_message(text: str) -> str:
    """Send a message to your partner, 500 characters at most; it takes a step."""
    return await _here().actor.send_message(text)


TOOLS: tuple[Callable[..., Awaitable[str]], ...] = (
    goexplore,
    gocheck,
    gograb,
    goput,
    send_message,
)
"""The five actions that C-WAH's language agents choose from."""
