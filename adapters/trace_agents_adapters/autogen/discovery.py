"""Finding the parameters of AutoGen agents: each agent's first model call is looked at."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias, cast

import anyio
from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.messages import TextMessage
from autogen_core import CancellationToken

from trace_agents.errors import NotWrappable
from trace_agents_adapters.autogen.boundary import patches
from trace_agents_adapters.bound import in_own_loop
from trace_agents_adapters.boundary import Probe
from trace_agents_adapters.patches import Method, Patches
from trace_agents_adapters.sites import Offer, Sites, sites_of

Runnable: TypeAlias = ChatAgent | Team

_SECONDS = 10.0
_PROBE_TASK = "What can you do?"


def sites_of_factory(factory: Callable[[], Runnable]) -> Sites:
    """Return the sites of the agents that `factory` makes; what it makes is thrown away."""

    async def offers() -> list[Offer]:
        made: list[BaseChatAgent] = []
        with _constructed(made):
            prototype = factory()
        if not made and isinstance(prototype, BaseChatAgent):
            return await _offers_of_one(prototype, restore=True)
        if not made and isinstance(prototype, Team):
            return list(_offers_of_config(prototype))
        return [offer for agent in made for offer in await _offers_of_one(agent, restore=False)]

    return sites_of(in_own_loop(offers))


def sites_of_instance(thing: Runnable) -> Sites:
    """Return the sites of an agent or a team; its state is afterwards what it was.

    Raises:
        NotWrappable: a team that AutoGen cannot describe.
    """
    if isinstance(thing, Team):
        return sites_of(_offers_of_config(thing))
    return sites_of(in_own_loop(lambda: _offers_of_one(thing, restore=True)))


async def _offers_of_one(agent: ChatAgent, *, restore: bool) -> list[Offer]:
    """Return what an agent's first model call offers; the model is not called."""
    probe = Probe(agent.name)
    state: Mapping[str, Any] = await agent.save_state() if restore else {}
    message = TextMessage(content=_PROBE_TASK, source="user")
    # the probe itself ends the call by an exception; only what it saw counts
    with (
        patches.applied(),
        probe.active(),
        suppress(Exception),
        anyio.move_on_after(_SECONDS),
    ):
        await agent.on_messages([message], CancellationToken())
    if restore:
        await agent.load_state(state)
    return probe.offers


@contextmanager
def _constructed(made: list[BaseChatAgent]) -> Generator[None]:
    """Collect the agents that are constructed inside."""

    def collecting(original: Method) -> Method:
        def construct(self: BaseChatAgent, *args: object, **settings: object) -> object:
            made.append(self)
            return original(self, *args, **settings)

        return construct

    with Patches([(BaseChatAgent, (("__init__", collecting),))]).applied():
        yield
    made[:] = dict.fromkeys(made)


def _offers_of_config(team: Team) -> Generator[Offer]:
    """Yield what a team's own description says of its agents.

    A team cannot be probed as agents are: its queues belong to the event loop that uses it first.
    """
    try:
        config = team.dump_component().config
    except Exception as error:
        raise NotWrappable(
            f"the team {type(team).__name__} cannot describe itself ({error}); "
            "wrap a function that builds the team instead: ta.wrap(build_team)"
        ) from error
    yield from _described(config)


def _described(config: Mapping[str, object]) -> Generator[Offer]:
    for part in cast("Iterable[Mapping[str, object]]", config.get("participants") or ()):
        inner = cast("Mapping[str, object]", part.get("config") or {})
        name, system = inner.get("name"), inner.get("system_message")
        if isinstance(name, str):
            texts = (system,) if isinstance(system, str) else ()
            yield Offer(name, texts, tuple(_described_tools(inner)))
        yield from _described(inner)


def _described_tools(agent: Mapping[str, object]) -> Generator[tuple[str, str]]:
    benches = cast("list[Mapping[str, object]]", agent.get("workbench") or [])
    for bench in benches:
        config = cast("Mapping[str, object]", bench.get("config") or {})
        for tool in cast("Iterable[Mapping[str, object]]", config.get("tools") or ()):
            inner = cast("Mapping[str, object]", tool.get("config") or {})
            yield str(inner.get("name", "")), str(inner.get("description", ""))
