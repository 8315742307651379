"""Three clients and both forms of OptoPrime against a real small model: form, not sense.

`make test-llm` runs it; elsewhere it is skipped. The smallest model talks nonsense, in the right
shape.
"""
# LangChain's annotations leave type arguments out
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import ModelInfo, UserMessage
from autogen_core.tools import FunctionTool
from autogen_ext.models.openai import OpenAIChatCompletionClient
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field, SecretStr

import trace_agents as ta
from tests.llm.local import Place
from trace_agents.llm import Message, Model, as_model
from trace_agents.optimizers import OptoPrime, Proposal
from trace_agents.optimizers.forms import FormName
from trace_agents.optimizers.wording import Style
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.autogen import litellm_client as autogen_litellm
from trace_agents_adapters.langchain import litellm_client as langchain_litellm

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*[Pp]ydantic.*"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

PATIENCE = 240.0
"""Seconds for one answer: the machine may be slow and shared."""
SHORT = 60
"""Tokens of a plain answer."""
HELLO: list[Message] = [{"role": "user", "content": "Say hello."}]


class City(BaseModel):
    """A city and how many people live there."""

    name: str = Field(max_length=20)
    people: int = Field(ge=0, le=10**8)


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


SKY = FunctionTool(weather, description="The weather in a city.")
ABILITIES = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=True,
    family="unknown",
    structured_output=True,
)


@pytest.fixture
async def autogen(real: Place) -> AsyncIterator[OpenAIChatCompletionClient]:
    """AutoGen's own client for OpenAI's protocol."""
    client = OpenAIChatCompletionClient(
        model=real.model,
        base_url=real.url,
        api_key=real.key,
        model_info=ABILITIES,
        timeout=PATIENCE,
        max_tokens=SHORT,
        temperature=0,
    )
    yield client
    await client.close()


@pytest.fixture
async def langchain(real: Place) -> AsyncIterator[ChatOpenAI]:
    """LangChain's own model for OpenAI's protocol."""
    connection = httpx.AsyncClient()
    async with connection:
        yield ChatOpenAI(
            model=real.model,
            base_url=real.url,
            api_key=SecretStr(real.key),
            timeout=PATIENCE,
            max_completion_tokens=SHORT,
            temperature=0,
            http_async_client=connection,
        )


def own_model(real: Place, **options: Any) -> Model:
    return as_model(
        real.litellm_name,
        base_url=real.url,
        api_key=real.key,
        timeout=PATIENCE,
        structured=True,
        temperature=0,
        **options,
    )


async def test_litellm_plain(real: Place) -> None:
    """Text comes back, and its tokens are counted."""
    reply = await own_model(real, max_tokens=SHORT).complete(HELLO)
    assert reply.text.strip()
    assert reply.input_tokens > 0
    assert 0 < reply.output_tokens <= SHORT


async def test_litellm_structured(real: Place) -> None:
    """A schema holds a model that knows nothing of it."""
    reply = await own_model(real).complete(HELLO, schema=City.model_json_schema())
    City.model_validate_json(reply.text)


async def test_litellm_tools(real: Place) -> None:
    """Our clients for both frameworks bring a call with arguments."""
    told = await autogen_litellm(real.litellm_name, base_url=real.url, api_key=real.key).create(
        [UserMessage(content="The weather in Rome?", source="user")],
        tools=[SKY],
        tool_choice="required",
    )
    assert not isinstance(told.content, str)
    assert isinstance(json.loads(told.content[0].arguments)["city"], str)
    chat = langchain_litellm(real.litellm_name, base_url=real.url, api_key=real.key)
    said = await chat.bind_tools([weather], tool_choice="required").ainvoke("The weather in Rome?")
    assert [call["name"] for call in said.tool_calls] == ["weather"]


async def test_autogen_plain(autogen: OpenAIChatCompletionClient) -> None:
    """AutoGen's own OpenAI client reads text and usage."""
    told = await autogen.create([UserMessage(content="Say hello.", source="user")])
    assert isinstance(told.content, str)
    assert told.usage.completion_tokens > 0


async def test_autogen_tools(autogen: OpenAIChatCompletionClient) -> None:
    """AutoGen's own OpenAI client reads a call."""
    asked = UserMessage(content="The weather in Rome?", source="user")
    told = await autogen.create([asked], tools=[SKY], tool_choice="required")
    assert told.finish_reason == "function_calls"
    assert not isinstance(told.content, str)
    assert "city" in json.loads(told.content[0].arguments)


async def test_autogen_structured(autogen: OpenAIChatCompletionClient) -> None:
    """AutoGen's own OpenAI client holds the model to a form."""
    told = await autogen.create(
        [UserMessage(content="Rome.", source="user")],
        json_output=City,
        extra_create_args={"max_tokens": 200},
    )
    assert isinstance(told.content, str)
    City.model_validate_json(told.content)


async def test_langchain_plain(langchain: ChatOpenAI) -> None:
    """LangChain's OpenAI model reads text and usage."""
    said = await langchain.ainvoke("Say hello.")
    assert said.text.strip()
    assert said.usage_metadata is not None
    assert said.usage_metadata["output_tokens"] > 0


async def test_langchain_tools(langchain: ChatOpenAI) -> None:
    """LangChain's OpenAI model reads a call."""
    model = langchain.bind_tools([weather], tool_choice="required")
    said = await model.ainvoke("The weather in Rome?")
    assert isinstance(said, AIMessage)
    assert [call["name"] for call in said.tool_calls] == ["weather"]
    assert isinstance(said.tool_calls[0]["args"]["city"], str)


async def test_langchain_structured(langchain: ChatOpenAI) -> None:
    """LangChain's OpenAI model holds the model to a form."""
    chat = langchain.model_copy(update={"max_tokens": 200})
    model = chat.with_structured_output(City, method="json_schema")
    assert isinstance(await model.ainvoke("Rome."), City)


async def test_an_agent_runs_and_is_recorded(autogen: OpenAIChatCompletionClient) -> None:
    """A wrapped AutoGen agent over the real model: a graph, an output, tokens."""

    def build() -> AssistantAgent:
        return AssistantAgent("clerk", autogen, system_message="Be brief.")

    trace = Trace("e")
    with recording(trace):
        said = await AutoGenWorkflow(build).run("Say hello.")
    assert said
    assert trace.tokens > 0
    assert "clerk.system_message" in {node.name for node in trace.graph().nodes}


def fits(optimizer: OptoPrime, proposal: Proposal) -> None:
    """Nothing but values of the right type, and sentences on what was dropped."""
    assert proposal.tokens > 0
    parameters = optimizer.parameters
    for name, value in proposal.changes.items():
        assert parameters[name].type.check(value) == value
    assert all(isinstance(problem, str) and problem for problem in proposal.problems)


@pytest.mark.parametrize("form", ["tagged", "json"])
@pytest.mark.parametrize("style", ["standard", "small"])
async def test_one_step_of_optoprime(real: Place, form: FormName, style: Style) -> None:
    """Whatever the model writes, a proposal holds values that may be used, or none."""
    prompt = ta.node("Answer at length.", "prompt", trainable=True)
    heat = ta.node(0.9, "heat", trainable=True, constraint=ta.Number(0, 1))

    @ta.bundle
    def ask(prompt: str, heat: float) -> str:
        """Ask a model."""
        return "Tea is, as one might say at some length, a leaf in water."

    model = own_model(real, max_tokens=250)
    optimizer = OptoPrime([prompt, heat], llm=model, form=form, style=style)
    optimizer.backward(cast("ta.Node", ask(prompt, heat)), "score 0.2\nfar too long")
    before = (prompt.data, heat.data)
    proposal = await optimizer.propose()
    assert (prompt.data, heat.data) == before
    fits(optimizer, proposal)
    await optimizer.step()
    assert isinstance(heat.data, float)
    assert 0 <= heat.data <= 1
