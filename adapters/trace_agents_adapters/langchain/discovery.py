"""Finding the parameters of runnables: chains are walked, agents' first model call is seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import anyio
from langchain_core.messages import SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.prompts.chat import HumanMessagePromptTemplate, SystemMessagePromptTemplate
from langchain_core.prompts.prompt import PromptTemplate
from langchain_core.runnables import Runnable, RunnableBinding, RunnableSequence

from trace_agents_adapters.bound import in_own_loop
from trace_agents_adapters.boundary import Probe
from trace_agents_adapters.langchain.boundary import patches
from trace_agents_adapters.sites import Offer, Place, Site, Sites, sites_of, template_fields

_SECONDS = 10.0
_PROBE_TASK = "What can you do?"

AnyRunnable = Runnable[Any, Any]


def find_sites(thing: AnyRunnable, agent: str) -> Sites:
    """Return the sites of a runnable; no model is called."""
    walked = [site for prompt in _prompts(thing) for site in _of_prompt(prompt, agent)]
    return sites_of(in_own_loop(lambda: _offers(thing, agent)), walked)


def task_input(thing: AnyRunnable, task: object) -> object:
    """Return a task in the shape that a runnable takes: text becomes a message or a field."""
    if not isinstance(task, str):
        return task
    if not isinstance(thing, RunnableSequence | RunnableBinding | ChatPromptTemplate):
        return {"messages": [("user", task)]} if _is_graph(thing) else task
    for prompt in _prompts(thing):
        if len(prompt.input_variables) == 1:
            return {prompt.input_variables[0]: task}
    return task


def _is_graph(thing: AnyRunnable) -> bool:
    return any(base.__module__.startswith("langgraph.") for base in type(thing).__mro__)


def _prompts(thing: object) -> Iterator[ChatPromptTemplate]:
    if isinstance(thing, ChatPromptTemplate):
        yield thing
    elif isinstance(thing, RunnableSequence):
        for step in cast("list[object]", thing.steps):
            yield from _prompts(step)
    elif isinstance(thing, RunnableBinding):
        yield from _prompts(cast("RunnableBinding[object, object]", thing).bound)


def _of_prompt(prompt: ChatPromptTemplate, agent: str) -> Iterator[Site]:
    for message in prompt.messages:
        match message:
            case SystemMessagePromptTemplate(prompt=PromptTemplate() as template):
                yield from _template_site(template, agent, "system", "system_message")
            case HumanMessagePromptTemplate(prompt=PromptTemplate() as template):
                yield from _template_site(template, agent, "user", "user_message")
            case SystemMessage(content=str() as text):
                yield Site(f"{agent}.system_message", agent, "system", text)
            case _:
                pass


def _template_site(template: PromptTemplate, agent: str, place: Place, name: str) -> Iterator[Site]:
    fields = template_fields(template.template)
    if template.template_format != "f-string" or fields is None:
        return
    bare = template.template
    for field in fields:
        bare = bare.replace("{" + field + "}", "")
    # a template that is nothing but its fields says nothing that could be improved
    if bare.strip():
        yield Site(f"{agent}.{name}", agent, place, template.template, fields=fields)


async def _offers(thing: AnyRunnable, agent: str) -> list[Offer]:
    probe = Probe(agent)
    # the probe itself ends the call by an exception; only what it saw counts
    with (
        patches.applied(),
        probe.active(),
        suppress(Exception),
        anyio.move_on_after(_SECONDS),
    ):
        await thing.ainvoke(task_input(thing, _PROBE_TASK))
    return probe.offers
