"""The parameters in prompt templates: the texts that the user wrote, and the fields they keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from langchain_core.messages import BaseMessage
from langchain_core.prompts import BasePromptTemplate, ChatPromptTemplate
from langchain_core.prompts.chat import HumanMessagePromptTemplate, SystemMessagePromptTemplate
from langchain_core.prompts.prompt import PromptTemplate

from trace_agents_adapters.langchain.texts import texts_of
from trace_agents_adapters.sites import Place, Site, template_fields

_NAMES: Mapping[str, str] = {"system": "system_message", "user": "user_message"}


def sites_in(prompt: object, agent: str) -> Iterator[Site]:
    """Yield the sites of one prompt template."""
    if isinstance(prompt, ChatPromptTemplate):
        for message in cast("list[object]", prompt.messages):
            yield from _of_message(message, agent)
    elif isinstance(prompt, PromptTemplate):
        yield from _of_template(prompt, agent, "user")


def _of_message(message: object, agent: str) -> Iterator[Site]:
    if isinstance(message, ChatPromptTemplate):
        yield from sites_in(message, agent)
    elif isinstance(message, BaseMessage):
        for where, text in texts_of(message):
            yield _site(agent, where, text)
    elif isinstance(message, SystemMessagePromptTemplate | HumanMessagePromptTemplate):
        place: Place = "system" if isinstance(message, SystemMessagePromptTemplate) else "user"
        held: object = message.prompt
        for template in cast("list[object]", held) if isinstance(held, list) else [held]:
            if isinstance(template, PromptTemplate):
                yield from _of_template(template, agent, place)


def _of_template(template: PromptTemplate, agent: str, place: Place) -> Iterator[Site]:
    fields = template_fields(template.template)
    if template.template_format != "f-string" or fields is None:
        return
    bare = template.template
    for field in fields:
        bare = bare.replace("{" + field + "}", "")
    # a template that is nothing but its fields says nothing that could be improved
    if not any(map(str.isalpha, bare)):
        return
    text = template.template if fields else template.format()
    yield _site(agent, place, text, fields)


def _site(agent: str, place: Place, text: str, fields: tuple[str, ...] = ()) -> Site:
    return Site(f"{agent}.{_NAMES[place]}", agent, place, text, fields=fields)


def variables(prompts: Iterable[object]) -> Iterator[tuple[str, ...]]:
    """Yield the names that each prompt is to be filled with."""
    for prompt in prompts:
        if isinstance(prompt, BasePromptTemplate):
            yield tuple(cast("BasePromptTemplate[object]", prompt).input_variables)
