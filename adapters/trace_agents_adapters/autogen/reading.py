"""What AutoGen's own descriptions tell of parameters: prompts, descriptions, messages, limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from autogen_agentchat.agents import AssistantAgent, CodeExecutorAgent, SocietyOfMindAgent
from autogen_agentchat.teams import MagenticOneGroupChat, SelectorGroupChat
from autogen_core.tools import StaticWorkbench, ToolSchema, Workbench

from trace_agents_adapters.autogen.copying import AnyComponent, Sharing, resolved
from trace_agents_adapters.autogen.limits import limits_of
from trace_agents_adapters.autogen.messages import offer
from trace_agents_adapters.sites import Offer, Site, template_fields

Config: TypeAlias = Mapping[str, Any]

_SELECTOR_FIELDS = ("roles", "participants", "history")
_FINAL_ANSWER_FIELDS = ("task",)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one agent or team."""

    offers: tuple[Offer, ...] = ()
    sites: tuple[Site, ...] = ()


async def read(component: AnyComponent, config: Config, sharing: Sharing) -> Reading:
    """Return what a description of AutoGen's own classes tells."""
    if type(component) is AssistantAgent:
        schemas = [schema async for schema in _offered(config, sharing)]
        return Reading(
            (offer(config["name"], _texts(config.get("system_message")), schemas),),
            tuple(_handoffs(config)),
        )
    if type(component) is CodeExecutorAgent and "model_client" in config:
        return Reading((Offer(config["name"], _texts(config.get("system_message"))),))
    return Reading((), tuple(_sites(component, config)))


def _sites(component: AnyComponent, config: Config) -> Generator[Site]:
    if isinstance(component, SelectorGroupChat):
        yield _template(component.name, config, "selector_prompt", _SELECTOR_FIELDS)
        yield from _roles(config)
    elif isinstance(component, MagenticOneGroupChat):
        yield _template(component.name, config, "final_answer_prompt", _FINAL_ANSWER_FIELDS)
        yield from _roles(config)
    elif isinstance(component, SocietyOfMindAgent):
        for part in ("instruction", "response_prompt"):
            if str(config.get(part) or "").strip():
                yield Site(f"{component.name}.{part}", component.name, "user", config[part])
    else:
        yield from limits_of(component, config)


def _template(name: str, config: Config, part: str, known: Iterable[str]) -> Site:
    text = str(config[part])
    found = template_fields(text) or ()
    fields = tuple(field for field in found if field in known)
    members = tuple(_names(config))
    return Site(f"{name}.{part}", name, "user", text, fields=fields, members=members)


def _roles(config: Config) -> Generator[Site]:
    for part in config["participants"]:
        told = cast("Config", part["config"])
        name, text = told.get("name"), told.get("description")
        if isinstance(name, str) and isinstance(text, str) and text.strip():
            yield Site(f"{name}.description", name, "role", text)


def _names(config: Config) -> Generator[str]:
    for part in config["participants"]:
        name: object = part["config"].get("name")
        if isinstance(name, str):
            yield name


def _handoffs(config: Config) -> Generator[Site]:
    agent = config["name"]
    for handoff in config.get("handoffs") or ():
        name = f"{agent}.handoffs.{handoff['target']}.message"
        yield Site(name, agent, "result", handoff["message"], handoff["name"])


async def _offered(config: Config, sharing: Sharing) -> AsyncGenerator[ToolSchema, None]:
    for part in config.get("workbench") or ():
        for schema in await _listed(cast("Workbench", resolved(part, sharing))):
            yield schema
    for handoff in config.get("handoffs") or ():
        yield ToolSchema(name=handoff["name"], description=handoff["description"])


async def _listed(bench: Workbench) -> list[ToolSchema]:
    """Return the tools of a workbench; one that holds connections is asked by a copy of it."""
    if isinstance(bench, StaticWorkbench):
        return await bench.list_tools()
    copy = _copied(bench)
    if copy is None:
        return await bench.list_tools()
    async with copy:
        return await copy.list_tools()


def _copied(bench: Workbench) -> Workbench | None:
    try:
        return Workbench.load_component(bench.dump_component())
    except Exception:  # noqa: BLE001 - any component may refuse, each in its own way
        return None


def _texts(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else ()
