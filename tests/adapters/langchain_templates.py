"""Each sort of prompt template: what is found, what is connected, what the model gets."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
)

from tests.adapters.langchain_chains import CHAIN
from tests.adapters.langchain_kit import TASK, Book, Case
from trace_agents.graph import Number


def lcel(book: Book) -> Any:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You know {region} well."), ("human", "Explain this: {topic}")]
    )
    return prompt.partial(region="Kent") | book("guide", "It has a mole.") | StrOutputParser()


def mustache(book: Book) -> Any:
    text = 'As {"kind": "{{kind}}"}:\n{{#hints}}\n- {{.}}\n{{/hints}}\nAnswer {{topic}}'
    prompt = ChatPromptTemplate.from_messages([("human", text)], template_format="mustache")
    return prompt | book("guide", "It has a mole.")


def jinja2(book: Book) -> Any:
    text = "Answer {{ topic|upper }}{% for hint in hints %}, {{ hint }}{% endfor %} as {{ kind }}"
    prompt = ChatPromptTemplate.from_messages([("system", text)], template_format="jinja2")
    return prompt | book("guide", "It has a mole.")


WITH_HINTS = {"topic": TASK, "kind": "song", "hints": ["be brief", "rhyme"]}


def few_shot(book: Book) -> Any:
    prompt = FewShotPromptTemplate(
        examples=[{"word": "tall", "other": "short"}, {"word": "wet", "other": "dry"}],
        example_prompt=PromptTemplate.from_template("{word} is not {other}"),
        prefix="Find the opposite in {language}.",
        suffix="{word} is not",
        input_variables=["language", "word"],
    )
    return prompt | book("guide", "The opposite of it.")


def few_shot_chat(book: Book) -> Any:
    shown = FewShotChatMessagePromptTemplate(
        examples=[{"asked": "mole", "told": "A wall in the sea."}],
        example_prompt=ChatPromptTemplate.from_messages(
            [("human", "Explain the word {asked}"), ("ai", "{told}")]
        ),
    )
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Be a dictionary."), shown, ("human", "{asked}")]
    )
    return prompt | book("guide", "A place for ships.")


def with_history(book: Book) -> Any:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You recall."), MessagesPlaceholder("history"), ("human", "And {topic}?")]
    )
    return prompt | book("guide", "It has a mole.")


TEMPLATES = [
    Case(
        "lcel",
        lcel,
        {
            "chain.system_message": "You know {region} well.",
            "chain.user_message": "Explain this: {topic}",
        },
        {
            "chain.system_message > guide",
            "chain.user_message > guide",
            "task > guide",
            "input Kent > guide",
            "guide > chain",
        },
        ("chain.system_message", "{region}: be exact.", "Kent: be exact."),
        "guide",
        first="You know Kent well.",
        output="It has a mole.",
        options=CHAIN,
    ),
    Case(
        "mustache",
        mustache,
        {"chain.user_message": 'As {{"kind": "{kind}"}}:\n{hints}Answer {topic}'},
        {
            "chain.user_message > guide",
            "task > guide",
            "input song > guide",
            "input be brief > guide",
            "input - be brief\n- rhyme\n > guide",
            "guide > chain",
        },
        (
            "chain.user_message",
            "{kind} of {topic}\n{hints}",
            f"song of {TASK}\n- be brief\n- rhyme",
        ),
        "guide",
        first=f'As {{"kind": "song"}}:\n- be brief\n- rhyme\nAnswer {TASK}',
        output="It has a mole.",
        task=WITH_HINTS,
        options=CHAIN,
    ),
    Case(
        "jinja2",
        jinja2,
        {"chain.system_message": "Answer {topic_upper}{for_hint_in_hints} as {kind}"},
        {
            "chain.system_message > guide",
            f"input {TASK.upper()} > guide",
            "input be brief > guide",
            "input , be brief, rhyme > guide",
            "input song > guide",
            "guide > chain",
        },
        (
            "chain.system_message",
            "{kind}{for_hint_in_hints}: {topic_upper}",
            f"song, be brief, rhyme: {TASK.upper()}",
        ),
        "guide",
        first=f"Answer {TASK.upper()}, be brief, rhyme as song",
        output="It has a mole.",
        task=WITH_HINTS,
        options=CHAIN,
    ),
    Case(
        "few-shot",
        few_shot,
        {"chain.user_message": "Find the opposite in {language}.\n\n{examples}\n\n{word} is not"},
        {
            "chain.user_message > guide",
            "input Latin > guide",
            "input deep > guide",
            "input tall is not short\n\nwet is not dry > guide",
            "guide > chain",
        },
        (
            "chain.user_message",
            "{word} in {language}, as:\n{examples}",
            "deep in Latin, as:\ntall is not short\n\nwet is not dry",
        ),
        "guide",
        first="Find the opposite in Latin.\n\ntall is not short\n\nwet is not dry\n\ndeep is not",
        output="The opposite of it.",
        task={"language": "Latin", "word": "deep"},
        options=CHAIN,
    ),
    Case(
        "few-shot chat",
        few_shot_chat,
        {
            "chain.system_message": "Be a dictionary.",
            "chain.user_message": "Explain the word {asked}",
        },
        {
            "chain.system_message > guide",
            "chain.user_message > guide",
            "input mole > guide",
            "message A wall in the sea. > guide",
            "task > guide",
            "guide > chain",
        },
        ("chain.user_message", "What is a {asked}?", "What is a mole?"),
        "guide",
        first="Explain the word mole",
        output="A place for ships.",
        options=CHAIN,
    ),
    Case(
        "placeholder",
        with_history,
        {"chain.system_message": "You recall.", "chain.user_message": "And {topic}?"},
        {
            "chain.system_message > guide",
            "chain.user_message > guide",
            "input What of the basin? > guide",
            "message It is deep. > guide",
            "input the pier > guide",
            "guide > chain",
        },
        ("chain.user_message", "So {topic}!", "So the pier!"),
        "guide",
        first="And the pier?",
        output="It has a mole.",
        task={
            "topic": "the pier",
            "history": [HumanMessage("What of the basin?"), AIMessage("It is deep.")],
        },
        options=CHAIN,
    ),
    Case(
        "setting",
        lcel,
        {
            "chain.system_message": "You know {region} well.",
            "chain.user_message": "Explain this: {topic}",
            "chain.temperature": 0.5,
        },
        {
            "chain.system_message > guide",
            "chain.user_message > guide",
            "chain.temperature > guide",
            "task > guide",
            "input Kent > guide",
            "guide > chain",
        },
        ("chain.temperature", 0.9, "at 0.9"),
        "guide",
        first="at 0.5",
        output="It has a mole.",
        options={**CHAIN, "settings": {"temperature": Number(0, 1)}},
    ),
]
