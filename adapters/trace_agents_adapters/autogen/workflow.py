"""An AutoGen agent or team as a workflow."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_agentchat.messages import BaseTextChatMessage
from autogen_core import CancellationToken

from trace_agents.errors import NotWrappable
from trace_agents_adapters.autogen.boundary import patches
from trace_agents_adapters.autogen.discovery import sites_of_factory, sites_of_instance
from trace_agents_adapters.bound import BoundWorkflow, Discovery

Runnable: TypeAlias = ChatAgent | Team
Factory: TypeAlias = Callable[[], Runnable]


class AutoGenWorkflow(BoundWorkflow):
    """Runs an agent or team on a task and returns the text of the last message.

    With a factory every episode gets a fresh agent, so that episodes may overlap. An agent or
    team itself holds one conversation: it serves one episode at a time, from its first state.
    """

    def __init__(self, thing: Runnable | Factory, *, name: str | None = None) -> None:
        if isinstance(thing, ChatAgent | Team):
            discovery = Discovery(lambda: sites_of_instance(thing))
            self._lend: _Shared | _Fresh = _Shared(thing)
        else:
            discovery = Discovery(lambda: sites_of_factory(thing))
            self._lend = _Fresh(thing)
        self._first_state: Mapping[str, object] | None = None
        super().__init__(name or _name(thing), patches, discovery)

    async def _run(self, task: object) -> object:
        with self._lend() as thing:
            if isinstance(self._lend, _Shared):
                await self._rewind(thing)
            token = CancellationToken()
            try:
                result = await thing.run(task=str(task), cancellation_token=token)
            except BaseException:
                # a cancelled run leaves the tasks of its tool calls behind; the token ends them
                token.cancel()
                raise
        return _final_text(result)

    async def _rewind(self, thing: Runnable) -> None:
        """Put a shared agent or team back to the state that it had at its first episode."""
        if self._first_state is None:
            self._first_state = await thing.save_state()
        else:
            await thing.load_state(self._first_state)


def _name(thing: Runnable | Factory) -> str:
    named: object = getattr(thing, "name", None) or getattr(thing, "__name__", None)
    return named if isinstance(named, str) else type(thing).__name__


def _final_text(result: TaskResult) -> str:
    last = result.messages[-1] if result.messages else None
    if isinstance(last, BaseTextChatMessage):
        return last.content
    return last.to_text() if last is not None else ""


class _Fresh:
    """Makes a new agent or team for each episode."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory

    @contextmanager
    def __call__(self) -> Generator[Runnable]:
        yield self._factory()


class _Shared:
    """Lends one agent or team to one episode at a time."""

    def __init__(self, thing: Runnable) -> None:
        self._thing = thing
        self._lent = False

    @contextmanager
    def __call__(self) -> Generator[Runnable]:
        if self._lent:
            raise NotWrappable(
                f"{_name(self._thing)!r} holds one conversation and serves another episode now; "
                "to run episodes at once, wrap a function that builds it: ta.wrap(build)"
            )
        self._lent = True
        try:
            yield self._thing
        finally:
            self._lent = False
