"""Real agents with scripted models, which remember what they were given."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import FunctionCall
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    SystemMessage,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

Say = Callable[[Sequence[LLMMessage]], str | list[FunctionCall]]


class ScriptedClient(ChatCompletionClient):
    """An AutoGen client whose answers a function makes."""

    def __init__(self, say: Say, pause: Callable[[], Any] | None = None) -> None:
        self.say = say
        self.pause = pause
        self.seen: list[tuple[list[LLMMessage], list[Any]]] = []

    async def create(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Any] = (), **settings: Any
    ) -> CreateResult:
        self.seen.append((list(messages), list(tools)))
        if self.pause is not None:
            await self.pause()
        content = self.say(messages)
        return CreateResult(
            finish_reason="stop" if isinstance(content, str) else "function_calls",
            content=content,
            usage=RequestUsage(5, 2),
            cached=False,
        )

    async def create_stream(
        self, messages: Sequence[LLMMessage], **settings: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        result = await self.create(messages, **settings)
        yield str(result.content)
        yield result

    async def close(self) -> None: ...

    def actual_usage(self) -> RequestUsage:
        return RequestUsage(0, 0)

    def total_usage(self) -> RequestUsage:
        return RequestUsage(0, 0)

    def count_tokens(self, messages: Sequence[LLMMessage], **settings: Any) -> int:
        return 0

    def remaining_tokens(self, messages: Sequence[LLMMessage], **settings: Any) -> int:
        return 1000

    @property
    def capabilities(self) -> ModelInfo:
        return self.model_info

    @property
    def model_info(self) -> ModelInfo:
        return ModelInfo(
            vision=False,
            function_calling=True,
            json_output=False,
            family="unknown",
            structured_output=False,
        )

    @property
    def systems(self) -> list[str]:
        return [m.content for ms, _ in self.seen for m in ms if isinstance(m, SystemMessage)]


async def weather(city: str) -> str:
    """Look up the weather."""
    if city == "Atlantis":
        raise LookupError("no such city: Atlantis")
    return f"It is sunny in {city} today."


def calls_weather(city: str = "Rome") -> Say:
    def say(messages: Sequence[LLMMessage]) -> str | list[FunctionCall]:
        if any(m.type == "FunctionExecutionResultMessage" for m in messages):
            return f"The weather report for {city} is ready."
        return [
            FunctionCall(id=f"call-{city}", name="weather", arguments=json.dumps({"city": city}))
        ]

    return say


def tool_agent(client: ScriptedClient) -> AssistantAgent:
    return AssistantAgent(
        "writer",
        client,
        tools=[weather],
        system_message="Write well.",
        reflect_on_tool_use=True,
    )


def team(writer: ScriptedClient, critic: ScriptedClient) -> RoundRobinGroupChat:
    first = AssistantAgent("writer", writer, system_message="Be brief.")
    second = AssistantAgent("critic", critic, system_message="Be brief.")
    return RoundRobinGroupChat([first, second], termination_condition=MaxMessageTermination(3))


class ScriptedChat(BaseChatModel):
    """A LangChain model that calls its first tool once, and then answers."""

    seen: list[tuple[list[BaseMessage], list[Any]]] = Field(
        default_factory=list[tuple[list[BaseMessage], list[Any]]]
    )
    answer: str = "The final answer is here."
    city: str = "Rome"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **settings: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: Any = None,
        run_manager: Any = None,
        **settings: Any,
    ) -> ChatResult:
        tools: list[Mapping[str, Any]] = settings.get("tools") or []
        self.seen.append((messages, list(tools)))
        if tools and not any(isinstance(m, ToolMessage) for m in messages):
            name = tools[0]["function"]["name"]
            calls = [{"id": "c1", "name": name, "args": {"city": self.city}}]
            message = AIMessage("", tool_calls=calls)
        else:
            message = AIMessage(self.answer)
        message.usage_metadata = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
        return ChatResult(generations=[ChatGeneration(message=message)])


class NamedClient(ScriptedClient):
    """A scripted client whose model has a name, which is the name of its nodes."""

    def __init__(self, model: str, say: Say, pause: Callable[[], Any] | None = None) -> None:
        super().__init__(say, pause)
        self.model = model

    @property
    def texts(self) -> list[str]:
        """Everything that the model was given, one text a call, with what it was told of tools."""
        return [
            "\n".join([*(str(m.content) for m in messages), *map(_told, tools)])
            for messages, tools in self.seen
        ]


def _told(tool: Any) -> str:
    return json.dumps(tool if isinstance(tool, Mapping) else tool.schema)


def always(answer: str) -> Say:
    """Return a model that has one answer."""
    return lambda messages: answer


def calls(name: str, answer: str, **arguments: object) -> Say:
    """Return a model that calls a tool, and answers when it has the result."""

    def say(messages: Sequence[LLMMessage]) -> str | list[FunctionCall]:
        if any(m.type == "FunctionExecutionResultMessage" for m in messages):
            return answer
        return [FunctionCall(id=f"call-{name}", name=name, arguments=json.dumps(arguments))]

    return say
