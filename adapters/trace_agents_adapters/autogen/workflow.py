"""An AutoGen agent, team or application as a workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from weakref import WeakSet

from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_agentchat.messages import BaseTextChatMessage

from trace_agents.errors import NotWrappable
from trace_agents.sandbox import Sandbox, SandboxName
from trace_agents_adapters import boundary
from trace_agents_adapters.autogen import limits
from trace_agents_adapters.autogen.boundary import patches
from trace_agents_adapters.autogen.copying import Copies
from trace_agents_adapters.autogen.discovery import (
    Factory,
    built,
    sites_of_app,
    sites_of_copies,
    sites_of_factory,
)
from trace_agents_adapters.autogen.running import run_app, run_to_end
from trace_agents_adapters.bound import BoundWorkflow, Discovery
from trace_agents_adapters.toolcode import Asked, Codes

Runnable: TypeAlias = ChatAgent | Team
App: TypeAlias = Callable[[object], Awaitable[object]]


class AutoGenWorkflow(BoundWorkflow):
    """Runs a fresh agent or team on each task and returns the text of the last message.

    A factory, async or not, is called for every episode. An agent or a team is copied for every
    episode, with its settings and its conversation so far; its model clients, tools, workbenches
    and executors are shared, and it itself stays as it is.

    Args:
        thing: an agent, a team, or a function without arguments that builds one.
        name: what to call it in traces.
        tool_code: True, or the names of tools, to make the code of tools that are functions
            parameters too.
        sandbox: where new code of tools runs; the code as it is runs as always.

    Raises:
        NotWrappable: an agent or team that cannot be copied, with the member that is in the way.
    """

    def __init__(
        self,
        thing: Runnable | Factory,
        *,
        name: str | None = None,
        tool_code: Asked = False,
        sandbox: SandboxName | Sandbox = "monty",
    ) -> None:
        label, codes = name or _name(thing), Codes(tool_code, sandbox)
        if isinstance(thing, ChatAgent | Team):
            copies = Copies(thing)
            self._make: Callable[[], Awaitable[Runnable]] = copies.at_start
            discovery = Discovery(lambda: sites_of_copies(copies, label, codes))
        else:
            self._make = _Fresh(thing, label)
            discovery = Discovery(lambda: sites_of_factory(thing, label, codes))
        super().__init__(label, patches, discovery)

    async def _run(self, task: object) -> object:
        with limits.binding() as bound:
            thing = await self._make()
        boundary.uses_in_run(bound)
        return _final_text(await run_to_end(thing, str(task)))


class AutoGenApp(BoundWorkflow):
    """Runs an async function of one task that uses AutoGen in any way, on any runtime.

    Its parameters are found by running it once, in an event loop of its own, with models that
    answer "OK" to everything. Where `app` needs a runtime that runs already, `rehearse` is what
    is run instead: the same agents on a runtime that it starts itself.
    """

    def __init__(self, app: App, *, name: str | None = None, rehearse: App | None = None) -> None:
        label = name or _name(app)
        self._app = app
        discovery = Discovery(lambda: sites_of_app(rehearse or app, label))
        super().__init__(label, patches, discovery)

    async def _run(self, task: object) -> object:
        with limits.binding() as bound:
            output = await run_app(self._app, task)
        boundary.uses_in_run(bound)
        return output


class _Fresh:
    """Calls a factory for each episode, and sees that it makes something new each time."""

    def __init__(self, factory: Factory, name: str) -> None:
        self._factory = factory
        self._name = name
        self._made: WeakSet[Runnable] = WeakSet()

    async def __call__(self) -> Runnable:
        thing = await built(self._factory)
        if thing in self._made:
            raise NotWrappable(
                f"{self._name!r} gave the same {type(thing).__name__} for two episodes, so that "
                "they would share one conversation; build a new one inside the function, or wrap "
                "the object itself, which is copied for every episode"
            )
        self._made.add(thing)
        return thing


def _name(thing: object) -> str:
    named: object = getattr(thing, "name", None) or getattr(thing, "__name__", None)
    return named if isinstance(named, str) else type(thing).__name__


def _final_text(result: TaskResult) -> str:
    last = result.messages[-1] if result.messages else None
    if isinstance(last, BaseTextChatMessage):
        return last.content
    return last.to_text() if last is not None else ""
