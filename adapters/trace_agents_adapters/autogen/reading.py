"""What AutoGen's own descriptions tell of parameters: prompts, descriptions, messages, limits."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard, cast

from autogen_agentchat.agents import AssistantAgent, CodeExecutorAgent, SocietyOfMindAgent
from autogen_agentchat.teams import MagenticOneGroupChat, SelectorGroupChat
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import BaseTool, ToolSchema, Workbench

from trace_agents_adapters.autogen.benches import listed
from trace_agents_adapters.autogen.copying import AnyComponent, Sharing, resolved
from trace_agents_adapters.autogen.ledger import ledger_sites
from trace_agents_adapters.autogen.limits import limits_of
from trace_agents_adapters.autogen.messages import offer, one_line
from trace_agents_adapters.autogen.toolcode import function_of
from trace_agents_adapters.sites import Offer, Site, template_fields
from trace_agents_adapters.toolcode import Function

Config: TypeAlias = Mapping[str, Any]

_SELECTOR_FIELDS = ("roles", "participants", "history")
_FINAL_ANSWER_FIELDS = ("task",)
_OWN = ("autogen_agentchat", "autogen_ext")
"""Whose teams keep AutoGen's own ledger prompts; a subclass may have others."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one agent or team."""

    offers: tuple[Offer, ...] = ()
    sites: tuple[Site, ...] = ()
    tools: tuple[tuple[str, str, Function | None], ...] = ()
    """Agent, name and function of each tool; None where it is something else."""


async def read(component: AnyComponent, config: Config, sharing: Sharing) -> Reading:
    """Return what a description of AutoGen's own classes tells."""
    if type(component) is AssistantAgent:
        schemas = [schema async for schema in _offered(config, sharing)]
        return Reading(
            (offer(config["name"], _texts(config.get("system_message")), schemas),),
            tuple(_handoffs(config)),
            tuple(_tools(config, sharing)),
        )
    if type(component) is CodeExecutorAgent and "model_client" in config:
        return Reading((Offer(config["name"], _texts(config.get("system_message"))),))
    sites = tuple(_sites(component, config))
    if type(component).__module__.partition(".")[0] in _OWN and _asks_a_ledger(component):
        client = cast("ChatCompletionClient", resolved(config["model_client"], sharing))
        sites += await ledger_sites(component.name, client, tuple(_names(config)))
    return Reading((), sites)


def _asks_a_ledger(component: AnyComponent) -> TypeGuard[MagenticOneGroupChat]:
    return isinstance(component, MagenticOneGroupChat)


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
    shapes = _shapes(config) if {"roles", "participants"} & set(fields) else ()
    return Site(f"{name}.{part}", name, "user", text, fields=fields, members=members, shapes=shapes)


def _shapes(config: Config) -> tuple[tuple[str, str], ...]:
    """Return what a selector's fields look like: its members, one a line, and a list of names."""
    lines: list[str] = []
    for part in config["participants"]:
        told = one_line(str(part["config"].get("description") or ""))
        name = re.escape(str(part["config"].get("name")))
        lines.append(rf"{name}:(?: {re.escape(told)}|[^\n]*?)")
    quoted = "|".join(re.escape(repr(name)) for name in _names(config))
    names = rf"\[(?:{quoted})(?:, (?:{quoted}))*\]"
    return (("roles", r"\n".join(lines)), ("participants", names))


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


def _tools(config: Config, sharing: Sharing) -> Generator[tuple[str, str, Function | None]]:
    for bench in config.get("workbench") or ():
        for part in bench["config"].get("tools") or ():
            tool = cast("BaseTool[Any, Any]", resolved(part, sharing))
            yield config["name"], tool.name, function_of(tool)


async def _offered(config: Config, sharing: Sharing) -> AsyncGenerator[ToolSchema, None]:
    for part in config.get("workbench") or ():
        for schema in await listed(cast("Workbench", resolved(part, sharing))):
            yield schema
    for handoff in config.get("handoffs") or ():
        yield ToolSchema(name=handoff["name"], description=handoff["description"])


def _texts(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else ()
