"""Agents over litellm: what a server does wrong is mended below the framework, and billed right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import anyio
import anyio.to_thread
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core import CancellationToken
from autogen_core.models import UserMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable

from tests.core.llm_http import BROKEN, HELD, RESET, Answer, Server, answer, failure, serving
from trace_agents.errors import ModelError, ModelUnavailable
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.autogen import AutoGenWorkflow, LitellmClient
from trace_agents_adapters.autogen import litellm_client as autogen_model
from trace_agents_adapters.langchain import LangChainWorkflow
from trace_agents_adapters.langchain import litellm_client as langchain_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*[Pp]ydantic.*"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Run: TypeAlias = Callable[[Server], Awaitable[object]]
SOON = failure(429, retry_after="0")


async def autogen(server: Server) -> object:
    def build() -> AssistantAgent:
        return AssistantAgent("a", autogen_model("openai/toy", base_url=server.url, api_key="k"))

    return await AutoGenWorkflow(build).run("Rome?")


def chain(server: Server) -> Runnable[dict[str, object], str]:
    chat = langchain_model("openai/toy", base_url=server.url, api_key="k")
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{question}")])
    return prompt | chat | StrOutputParser()


async def langchain(server: Server) -> object:
    return await LangChainWorkflow(chain(server)).run({"question": "Rome?"})


async def langchain_in_a_thread(server: Server) -> object:
    asked: dict[str, object] = {"question": "Rome?"}
    return await anyio.to_thread.run_sync(chain(server).invoke, asked)


@pytest.mark.parametrize("run", [autogen, langchain, langchain_in_a_thread])
@pytest.mark.parametrize("fault", [SOON, BROKEN, RESET], ids=["limit", "broken", "reset"])
async def test_what_may_pass_is_tried_again(run: Run, fault: Answer) -> None:
    """The agent sees one answer."""
    with serving(fault, answer("Sunny.")) as server:
        assert await run(server) == "Sunny."
    assert len(server.requests) == 2


@pytest.mark.parametrize("run", [autogen, langchain])
async def test_the_bill_is_right(run: Run) -> None:
    """What was refused costs nothing, what was answered counts once; each request is a call."""
    trace = Trace("e")
    with serving(SOON, answer("Sunny.")) as server, recording(trace):
        await run(server)
    assert trace.tokens == server.billed == 12
    assert trace.calls == len(server.requests) == 2


EMPTY = Answer(answer("").body.replace('"choices": [', '"choices": [], "others": ['), billed=12)


@pytest.mark.parametrize("run", [autogen, langchain])
async def test_an_answer_without_any_choice_is_billed(run: Run) -> None:
    """It is an error of the model, and was paid for."""
    trace = Trace("e")
    with serving(EMPTY) as server, recording(trace), pytest.raises(ModelError):
        await run(server)
    assert trace.tokens == server.billed == 12


async def test_a_client_can_be_told_how_often_and_how_long() -> None:
    """No retry, and a short timeout."""
    asked = UserMessage(content="Rome?", source="user")
    with serving(SOON) as server:
        client = autogen_model("openai/toy", base_url=server.url, api_key="k", retries=0)
        with pytest.raises(ModelUnavailable):
            await client.create([asked])
    with serving(HELD) as server:
        chat = langchain_model(
            "openai/toy", base_url=server.url, api_key="k", timeout=0.3, retries=0
        )
        with pytest.raises(ModelUnavailable, match="in time"):
            await chat.ainvoke("Rome?")


async def test_a_cancellation_token_ends_a_call() -> None:
    """As AutoGen's own clients do."""
    token = CancellationToken()
    asked = UserMessage(content="Rome?", source="user")
    with serving(HELD) as server:
        client = autogen_model("openai/toy", base_url=server.url, api_key="k")
        call = asyncio.ensure_future(client.create([asked], cancellation_token=token))
        await anyio.to_thread.run_sync(server.asked.wait, 30)
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert len(server.requests) == 1


def test_a_client_is_made_again_from_its_configuration() -> None:
    """All but the key."""
    client = autogen_model("openai/toy", base_url="http://127.0.0.1:9/v1", timeout=7, retries=1)
    again = LitellmClient.load_component(client.dump_component())
    assert again.dump_component() == client.dump_component()
    assert client.dump_component().config == {
        "model": "openai/toy",
        "base_url": "http://127.0.0.1:9/v1",
        "timeout": 7.0,
        "retries": 1,
    }
