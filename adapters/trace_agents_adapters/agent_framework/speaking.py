"""Which agent calls a model: noted around each run of an agent."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from inspect import isawaitable

from agent_framework import BaseAgent, ResponseStream

from trace_agents_adapters.patches import Method

_speaker: ContextVar[str] = ContextVar("trace_agents_agent_framework_speaker", default="")


def speaker() -> str:
    """Return the name of the agent that runs in this context."""
    return _speaker.get()


def name_of(agent: BaseAgent) -> str:
    """Return what an agent is called in the names of its parameters."""
    return agent.name or "agent"


def wrap_run(original: Method) -> Method:
    """Return an agent's `run`, during which it is the speaker."""

    @wraps(original)
    def named_run(self: BaseAgent, *args: object, **settings: object) -> object:
        name = name_of(self)
        with _speaking(name):
            result = original(self, *args, **settings)
        if isinstance(result, ResponseStream):
            # a stream may be read in another context than the one that asked for it
            return result.with_pull_context_manager(partial(_speaking, name))  # pyright: ignore[reportUnknownVariableType]
        return _awaited(name, result) if isawaitable(result) else result

    return named_run


@contextmanager
def _speaking(name: str) -> Generator[None]:
    token = _speaker.set(name)
    try:
        yield
    finally:
        _speaker.reset(token)


async def _awaited(name: str, result: Awaitable[object]) -> object:
    with _speaking(name):
        return await result
