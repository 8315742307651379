"""What is wrapped: a team of AutoGen and an agent of LangChain, with models that cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
)
from autogen_core.tools import Tool, ToolSchema

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool, tool
from langchain_core.utils.function_calling import convert_to_openai_tool

Agent: TypeAlias = Runnable[Any, Any]

TURNS = 2
"""Agents that speak in one run of the team."""
TASK = "How deep is the water at the quay of the harbour?"
ANSWER = "The water is four metres deep at low tide."
_PROMPTS = {"writer": "You write one short sentence.", "critic": "You judge what was written."}


class Client(ChatCompletionClient):
    """A model of AutoGen with one answer, which lets others run before it gives it."""

    def __init__(self, model: str) -> None:
        self.model = model

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: object = "auto",
        json_output: object = None,
        extra_create_args: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Return the answer."""
        await asyncio.sleep(0)
        usage = RequestUsage(prompt_tokens=5, completion_tokens=2)
        return CreateResult(finish_reason="stop", content=ANSWER, usage=usage, cached=False)

    async def create_stream(
        self, messages: Sequence[LLMMessage], **settings: object
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Yield the answer as one piece."""
        yield await self.create(messages)

    async def close(self) -> None:
        """Do nothing."""

    def actual_usage(self) -> RequestUsage:
        """Return nothing used."""
        return RequestUsage(prompt_tokens=0, completion_tokens=0)

    def total_usage(self) -> RequestUsage:
        """Return nothing used."""
        return RequestUsage(prompt_tokens=0, completion_tokens=0)

    def count_tokens(self, messages: Sequence[LLMMessage], **settings: object) -> int:
        """Return that nothing counts."""
        return 0

    def remaining_tokens(self, messages: Sequence[LLMMessage], **settings: object) -> int:
        """Return that there is room."""
        return 1_000

    @property
    def capabilities(self) -> ModelInfo:
        """Return what the model can."""
        return self.model_info

    @property
    def model_info(self) -> ModelInfo:
        """Return what the model can."""
        return ModelInfo(
            vision=False,
            function_calling=True,
            json_output=False,
            family=ModelFamily.UNKNOWN,
            structured_output=False,
        )


class Clients:
    """One model for each agent; all episodes share them."""

    def __init__(self) -> None:
        self._clients = {name: Client(f"{name}-model") for name in _PROMPTS}

    def team(self) -> RoundRobinGroupChat:
        """Return two agents, each of which speaks once."""
        agents = [
            AssistantAgent(name, self._clients[name], system_message=prompt)
            for name, prompt in _PROMPTS.items()
        ]
        ended = MaxMessageTermination(1 + TURNS)
        return RoundRobinGroupChat(list(agents), termination_condition=ended)


class Chat(BaseChatModel):
    """A model of LangChain that calls each of its tools once, and then has one answer."""

    @property
    def _llm_type(self) -> str:
        return "chat"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **settings: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with the definitions of its tools."""
        return self.bind(tools=[convert_to_openai_tool(each) for each in tools])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        message = AIMessage(ANSWER)
        if settings.get("tools") and not isinstance(messages[-1], ToolMessage):
            name = settings["tools"][0]["function"]["name"]
            message = AIMessage("", tool_calls=[{"id": "c1", "name": name, "args": {"at": "quay"}}])
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        await asyncio.sleep(0)
        return self._generate(messages, stop, **settings)


@tool
async def sounding(at: str) -> str:
    """Measure the depth of the water."""
    return f"At the {at} the sounding is 4.02 metres."


def agent(*tools: BaseTool) -> Agent:
    """Return an agent with a prompt."""
    made = create_agent(Chat(), list(tools), system_prompt="Be exact.", name="pilot")  # pyright: ignore[reportUnknownVariableType]
    return cast("Agent", made)
