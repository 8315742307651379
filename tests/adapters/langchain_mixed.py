"""AutoGen and LangChain in one application: one episode, one version, and edges across."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import LLMMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool

import trace_agents as ta
from tests.adapters.langchain_agents import agent
from tests.adapters.langchain_kit import Book, Case, Client, asks


def looks_up(messages: Sequence[LLMMessage]) -> str | list[FunctionCall]:
    if any(message.type == "FunctionExecutionResultMessage" for message in messages):
        return "The report is written."
    arguments = json.dumps({"question": "How high is the mole?"})
    return [FunctionCall(id="c1", name="look_up", arguments=arguments)]


def researcher(book: Book) -> Any:
    """Return what builds an agent of AutoGen whose tool calls a chain."""
    prompt = ChatPromptTemplate.from_template("Look up: {question}")
    chain: Any = prompt | book("chain-model", "Nine feet high.") | StrOutputParser()

    async def look_up(question: str) -> str:
        """Look a question up."""
        return str(await chain.ainvoke(question))

    def build() -> AssistantAgent:
        return AssistantAgent(
            "writer",
            Client(book, "writer-model", looks_up),
            tools=[look_up],
            system_message="Write reports.",
            reflect_on_tool_use=True,
        )

    return build


def ordering(book: Book) -> Any:
    """Return an agent of LangChain whose tool runs a team of AutoGen."""
    client = Client(book, "poet-model", lambda _: "Grey stones in water rest.")

    def poets() -> RoundRobinGroupChat:
        poet = AssistantAgent("poet", client, system_message="Write a poem.")
        return RoundRobinGroupChat([poet], termination_condition=MaxMessageTermination(2))

    team = ta.wrap(poets)

    @tool
    async def write_poem(subject: str) -> str:
        """Have a poem written."""
        return str(await team.run(subject))

    say = asks("write_poem", "Here is the poem.", subject="A poem on the mole.")
    return agent(book, "boss", say, write_poem)


class ChainAgent(BaseChatAgent):
    """A member of a team that answers by a chain."""

    def __init__(self, name: str, chain: Any) -> None:
        super().__init__(name, "Answers by a chain.")
        self._chain = chain

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        said = await self._chain.ainvoke(messages[-1].to_model_text())
        return Response(chat_message=TextMessage(content=said, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None: ...


def with_chain_member(book: Book) -> Any:
    """Return what builds a team of AutoGen of which one member is a chain."""
    prompt = ChatPromptTemplate.from_template("Judge this: {text}")
    chain = prompt | book("judge-model", "It is well done.") | StrOutputParser()
    client = Client(book, "writer-model", lambda _: "A draft about the mole.")

    def build() -> RoundRobinGroupChat:
        writer = AssistantAgent("writer", client, system_message="Write.")
        members: list[Any] = [writer, ChainAgent("judge", chain)]
        return RoundRobinGroupChat(members, termination_condition=MaxMessageTermination(3))

    return build


MIXED = [
    Case(
        "AutoGen's tool calls a chain",
        researcher,
        {
            "writer.system_message": "Write reports.",
            "writer.tools.look_up.description": "Look a question up.",
            "look_up.user_message": "Look up: {question}",
        },
        {
            "writer.system_message > writer-model",
            "writer.tools.look_up.description > writer-model",
            "task > writer-model",
            "writer-model > look_up",
            "look_up.user_message > chain-model",
            "writer-model > chain-model",
            "chain-model > look_up",
            "writer.system_message > writer-model#2",
            "task > writer-model#2",
            "writer-model > writer-model#2",
            "look_up > writer-model#2",
            "writer-model#2 > build",
        },
        ("look_up.user_message", "Find: {question}", "Find: How high is the mole?"),
        "chain-model",
        first="Look up: How high is the mole?",
        output="The report is written.",
        failed=("chain-model", "look_up"),
        survives=True,
        rescued="The report is written.",
    ),
    Case(
        "LangChain's tool runs a team",
        ordering,
        {
            "boss.system_message": "You are the boss.",
            "boss.tools.write_poem.description": "Have a poem written.",
            "poet.system_message": "Write a poem.",
            "termination.max_messages": 2,
        },
        {
            *(
                f"boss.{part} > boss-model{call}"
                for part in ("system_message", "tools.write_poem.description")
                for call in ("", "#2")
            ),
            "task > boss-model",
            "task > boss-model#2",
            "boss-model > write_poem",
            "poet.system_message > poet-model",
            "boss-model > poet-model",
            "poet-model > write_poem",
            "boss-model > boss-model#2",
            "write_poem > boss-model#2",
            "boss-model#2 > boss",
        },
        ("poet.system_message", "Rhyme.", "Rhyme."),
        "poet-model",
        output="Here is the poem.",
        failed=("poet-model", "write_poem"),
    ),
    Case(
        "a member of AutoGen's team is a chain",
        with_chain_member,
        {
            "writer.system_message": "Write.",
            "team.user_message": "Judge this: {text}",
            "termination.max_messages": 3,
        },
        {
            "writer.system_message > writer-model",
            "task > writer-model",
            "team.user_message > judge-model",
            "writer-model > judge-model",
            "judge-model > team",
            "termination.max_messages > team",
        },
        ("team.user_message", "Rate: {text}", "Rate: A draft about the mole."),
        "judge-model",
        first="Judge this: A draft about the mole.",
        output="It is well done.",
        options={"name": "team"},
    ),
]
