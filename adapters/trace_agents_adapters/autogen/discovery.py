"""Finding the parameters of AutoGen agents: read from descriptions, else seen in a model call."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias, cast

import anyio
from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import ChatAgent, Team, TerminationCondition
from autogen_agentchat.messages import TextMessage
from autogen_core import CancellationToken

from trace_agents_adapters.autogen.boundary import Rehearsal, patches
from trace_agents_adapters.autogen.copying import AnyComponent, Copies, Sharing, described
from trace_agents_adapters.autogen.reading import read
from trace_agents_adapters.autogen.toolcode import codes_of
from trace_agents_adapters.bound import NothingToLearn, in_own_loop
from trace_agents_adapters.boundary import Probe
from trace_agents_adapters.patches import Method, Patches
from trace_agents_adapters.sites import Offer, Site, Sites, sites_of
from trace_agents_adapters.toolcode import Codes, Function

Runnable: TypeAlias = ChatAgent | Team
Factory: TypeAlias = Callable[[], Runnable | Awaitable[Runnable]]

_SECONDS = 10.0
_PROBE_TASK = "What can you do?"
_READABLE = ("autogen_agentchat", "autogen_ext", "autogen_core")


async def built(factory: Factory) -> Runnable:
    """Return what a factory makes."""
    made = factory()
    return await made if inspect.isawaitable(made) else made


def sites_of_factory(factory: Factory, name: str, codes: Codes) -> Sites:
    """Return the sites of what `factory` makes; what it makes is thrown away.

    Raises:
        InvalidValue: the code of a tool was asked for that there is not, or that cannot change.
    """

    async def find() -> Sites:
        made: list[object] = []
        with _constructed(made):
            prototype = await built(factory)
        return await _sites_of(prototype, made, codes)

    return _checked(in_own_loop(find), name)


def sites_of_copies(copies: Copies, name: str, codes: Codes) -> Sites:
    """Return the sites of an agent or a team, found in a copy of it."""
    return sites_of_factory(copies.make, name, codes)


def sites_of_app(app: Callable[[object], Awaitable[object]], name: str) -> Sites:
    """Return the sites of an application, run once with models that all answer "OK"."""

    async def find() -> Sites:
        probe = Rehearsal("")
        await _probed(probe, lambda: app(_PROBE_TASK))
        return sites_of(probe.offers)

    return _checked(in_own_loop(find), name)


async def _sites_of(thing: Runnable, made: Sequence[object], codes: Codes) -> Sites:
    sharing = Sharing(strict=False)
    described(cast("AnyComponent", thing), sharing)
    known = [component for component, _ in sharing.described]
    # agents that only a member without a description knows are still known by their construction
    for agent in made:
        if isinstance(agent, BaseChatAgent) and not any(agent is member for member in known):
            described(agent, sharing)
    offers: list[Offer] = []
    sites: list[Site] = []
    tools: list[tuple[str, str, Function | None]] = []
    # one agent may be a member of two teams
    parts = {id(component): (component, model) for component, model in sharing.described}
    order = {id(component): at for at, component in enumerate(made)}
    for component, model in sorted(parts.values(), key=lambda part: _place(part[0], order)):
        if isinstance(component, BaseChatAgent) and _is_foreign(component):
            offers += await _seen(component)
        else:
            reading = await read(component, model.config, sharing)
            offers += reading.offers
            sites += reading.sites
            tools += reading.tools
    _tell_undescribed(offers)
    return _in_order(sites_of(offers, [*sites, *codes_of(tools, codes)]))


def _tell_undescribed(offers: Iterable[Offer]) -> None:
    for offer in offers:
        for tool, text in offer.tools:
            if not text.strip():
                warnings.warn(
                    f"the tool {tool!r} of {offer.agent!r} has no description: its model sees "
                    "only its name, and training can change nothing; give its function a docstring",
                    NothingToLearn,
                    stacklevel=2,
                )


def _place(component: AnyComponent, order: Mapping[int, int]) -> int:
    """Return where a condition comes: as it was made, which is how its limit is bound."""
    return order.get(id(component), 0) if isinstance(component, TerminationCondition) else -1


def _is_foreign(component: AnyComponent) -> bool:
    return type(component).__module__.partition(".")[0] not in _READABLE


async def _seen(agent: ChatAgent) -> list[Offer]:
    """Return what an agent's first model call offers; the model is not called."""
    probe = Probe(agent.name)
    message = TextMessage(content=_PROBE_TASK, source="user")
    await _probed(probe, lambda: agent.on_messages([message], CancellationToken()))
    return probe.offers


async def _probed(probe: Probe, run: Callable[[], Awaitable[object]]) -> None:
    # the probe itself ends the call by an exception; only what it saw counts
    with (
        patches.applied(),
        probe.active(),
        suppress(Exception),
        anyio.move_on_after(_SECONDS),
    ):
        await run()


@contextmanager
def _constructed(made: list[object]) -> Generator[None]:
    """Collect the agents and the conditions that are constructed inside, in order."""

    def collecting(original: Method) -> Method:
        def construct(self: object, *args: object, **settings: object) -> object:
            made.append(self)
            return original(self, *args, **settings)

        return construct

    wrapping = (("__init__", collecting),)
    with Patches([(BaseChatAgent, wrapping), (TerminationCondition, wrapping)]).applied():
        yield
    made[:] = {id(thing): thing for thing in made}.values()


def _in_order(sites: Sites) -> Sites:
    """Return the sites with those of agents before those of teams and conditions."""
    return Sites(tuple(sorted(sites.all, key=lambda site: site.place not in ("system", "tool"))))


def _checked(sites: Sites, name: str) -> Sites:
    """Return the sites, with a warning where there is nothing to learn."""
    if not sites.all:
        warnings.warn(
            f"{name!r} has nothing to learn: no agent in it has a system message and no tool a "
            "description; give an agent a system_message=, or a tool a docstring",
            NothingToLearn,
            stacklevel=2,
        )
    return sites
