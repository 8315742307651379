"""Workflows that go to workers: what is sent is found there by its module's name."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import anyio
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.replay import ReplayChatCompletionClient
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate

import trace_agents as ta


@ta.bundle
def combine(task: str, dial: int) -> str:
    """Say the task and the dial."""
    return f"{task}: {dial}"


class Unlucky(Exception):
    """An error of the workflow's own that pickles."""


class Stubborn(Exception):
    """An error that cannot travel."""

    def __reduce__(self) -> str:
        raise TypeError("it stays here")


def leave_word(folder: str, name: str) -> int:
    """Return how many were here before under this name, across all processes."""
    place = Path(folder) / name
    place.mkdir(exist_ok=True)
    number = len(list(place.iterdir()))
    (place / f"{number}-{os.getpid()}").touch()
    return number


def make_dials() -> ta.Workflow:
    """A workflow that does what its task says, beside reading a dial."""
    dial = ta.node(1, "dial", trainable=True, constraint=ta.Number(0, 100, integer=True))

    async def answer(task: ta.Node) -> object:
        kind, _, detail = str(task.data).partition(" ")
        if kind == "raise":
            raise Unlucky(f"{detail} was too hard")
        if kind == "stubborn":
            raise Stubborn("no")
        if kind == "die" or (kind == "die-once" and leave_word(detail, "died") == 0):
            os._exit(1)
        if kind == "cancel":
            raise asyncio.CancelledError
        if kind == "wait":
            leave_word(detail, "began")
            try:
                await anyio.sleep_forever()
            finally:
                leave_word(detail, "ended")
        trace = ta.current_trace()
        if trace is not None:
            trace.spend(tokens=7, usd=0.25, calls=2)
        return combine(task, dial)

    return ta.wrap(answer, parameters=[dial], name="dials")


def build_team() -> RoundRobinGroupChat:
    """A team of two AutoGen agents on replayed answers."""
    writer = AssistantAgent(
        "writer", ReplayChatCompletionClient(["A draft."]), system_message="Write."
    )
    editor = AssistantAgent(
        "editor", ReplayChatCompletionClient(["Better."]), system_message="Edit."
    )
    return RoundRobinGroupChat([writer, editor], termination_condition=MaxMessageTermination(3))


def make_team() -> ta.Workflow:
    """The team as a workflow."""
    return ta.wrap(build_team)


def make_chain() -> ta.Workflow:
    """A LangChain chain as a workflow."""
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    return ta.wrap(prompt | FakeListChatModel(responses=["Yes."]))
