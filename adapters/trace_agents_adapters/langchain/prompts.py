"""The parameters in prompt templates: the texts that the user wrote, and the fields they keep."""

from __future__ import annotations

import string
import warnings
from collections.abc import Iterator, Mapping
from typing import cast

from langchain_core.messages import BaseMessage
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
)
from langchain_core.prompts.chat import HumanMessagePromptTemplate, SystemMessagePromptTemplate
from langchain_core.prompts.prompt import PromptTemplate

from trace_agents_adapters.bound import NothingToLearn
from trace_agents_adapters.langchain.syntaxes import Plain
from trace_agents_adapters.langchain.templates import plain_of
from trace_agents_adapters.langchain.texts import texts_of
from trace_agents_adapters.sites import Place, Site

_NAMES: Mapping[str, str] = {"system": "system_message", "user": "user_message"}
_SHOWN = 40
"""Characters of a template that a warning shows."""


def sites_in(prompt: object, agent: str) -> Iterator[Site]:
    """Yield the sites of one prompt template."""
    if isinstance(prompt, ChatPromptTemplate):
        for message in cast("list[object]", prompt.messages):
            yield from _of_message(message, agent)
    elif isinstance(prompt, PromptTemplate | FewShotPromptTemplate):
        yield from _of_template(prompt, agent, "user")
    elif isinstance(prompt, FewShotChatMessagePromptTemplate):
        yield from sites_in(prompt.example_prompt, agent)


def _of_message(message: object, agent: str) -> Iterator[Site]:
    if isinstance(message, ChatPromptTemplate | FewShotChatMessagePromptTemplate):
        yield from sites_in(message, agent)
    elif isinstance(message, BaseMessage):
        for where, text in texts_of(message):
            yield _site(agent, where, text)
    elif isinstance(message, SystemMessagePromptTemplate | HumanMessagePromptTemplate):
        place: Place = "system" if isinstance(message, SystemMessagePromptTemplate) else "user"
        held: object = message.prompt
        for template in cast("list[object]", held) if isinstance(held, list) else [held]:
            if isinstance(template, PromptTemplate | FewShotPromptTemplate):
                yield from _of_template(template, agent, place)


def _of_template(
    template: PromptTemplate | FewShotPromptTemplate, agent: str, place: Place
) -> Iterator[Site]:
    known = plain_of(template)
    if known is None:
        _warn(template.template if isinstance(template, PromptTemplate) else template.prefix, agent)
    elif _says_something(known):
        text = known.text if known.fields else template.format()
        yield _site(agent, place, text, known.fields)


def _says_something(template: Plain) -> bool:
    """Tell whether a template is more than its fields, which nothing could improve."""
    literals = [literal for literal, *_ in string.Formatter().parse(template.text)]
    return any(map(str.isalpha, "".join(literals)))


def _warn(shown: str, agent: str) -> None:
    warnings.warn(
        f"the template {shown[:_SHOWN]!r} of {agent!r} stays as it is: its fields are no plain "
        "names, or some of it changes what the rest means; write its fields as plain names, and "
        "give what is computed to it as a field",
        NothingToLearn,
        stacklevel=2,
    )


def _site(agent: str, place: Place, text: str, fields: tuple[str, ...] = ()) -> Site:
    return Site(f"{agent}.{_NAMES[place]}", agent, place, text, fields=fields)
