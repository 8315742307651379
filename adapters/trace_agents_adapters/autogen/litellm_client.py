"""An AutoGen model client over litellm: any provider's model, by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Literal, Self, cast

from autogen_core import CancellationToken, Component, FunctionCall
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    SystemMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from trace_agents.llm import load_litellm
from trace_agents_adapters.autogen.messages import schema_of
from trace_agents_adapters.litellm_calls import Endpoint, Json, acomplete

_CONTEXT = 128_000


class LitellmSettings(BaseModel):
    """What a `LitellmClient` is made of; the key stays out of it."""

    model: str
    base_url: str | None = None
    temperature: float | None = None
    timeout: float = 600.0
    retries: int = 2


class LitellmClient(ChatCompletionClient, Component[LitellmSettings]):
    """Answers through litellm. A stream yields the whole answer as one chunk."""

    component_type = "model"
    component_config_schema = LitellmSettings
    component_provider_override = "trace_agents_adapters.autogen.LitellmClient"

    def __init__(self, endpoint: Endpoint) -> None:
        self.model = endpoint.model
        self._endpoint = endpoint
        self._used = RequestUsage(prompt_tokens=0, completion_tokens=0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Return the model's answer."""
        extra: Json = dict(extra_create_args)
        if json_output:
            extra["response_format"] = (
                {"type": "json_object"} if json_output is True else json_output
            )
        if tools and tool_choice != "auto":
            extra["tool_choice"] = _choice(tool_choice)
        offered: list[Json] = [{"type": "function", "function": schema_of(tool)} for tool in tools]
        sent = [part for message in messages for part in _openai(message)]
        answering = asyncio.ensure_future(acomplete(self._endpoint, sent, offered, extra))
        if cancellation_token is not None:
            cancellation_token.link_future(answering)
        answer = await answering
        usage = RequestUsage(answer.input_tokens, answer.output_tokens)
        self._used.prompt_tokens += usage.prompt_tokens
        self._used.completion_tokens += usage.completion_tokens
        calls = [FunctionCall(id=i, name=n, arguments=a) for i, n, a in answer.tool_calls]
        return CreateResult(
            finish_reason="function_calls" if calls else "stop",
            content=calls or answer.text,
            usage=usage,
            cached=False,
            thought=answer.text if calls and answer.text else None,
        )

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Yield the answer's text, then the result."""
        result = await self.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        if isinstance(result.content, str):
            yield result.content
        yield result

    async def close(self) -> None:
        """Do nothing: litellm keeps its own connections."""

    def actual_usage(self) -> RequestUsage:
        """Return the tokens used so far."""
        return self._used

    def total_usage(self) -> RequestUsage:
        """Return the tokens used so far."""
        return self._used

    def count_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Return how many tokens the messages are, without the tools."""
        count = cast("Callable[..., int]", load_litellm().token_counter)
        return count(model=self.model, messages=[p for m in messages for p in _openai(m)])

    def remaining_tokens(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()
    ) -> int:
        """Return how many of 128,000 tokens the messages leave."""
        return _CONTEXT - self.count_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelInfo:
        """Return what the model can do."""
        return self.model_info

    @property
    def model_info(self) -> ModelInfo:
        """Return what the model can do: tools and structured output, no pictures."""
        return ModelInfo(
            vision=False,
            function_calling=True,
            json_output=True,
            family="unknown",
            structured_output=True,
        )

    def _to_config(self) -> LitellmSettings:
        return LitellmSettings.model_validate(self._endpoint, from_attributes=True)

    @classmethod
    def _from_config(cls, config: LitellmSettings) -> Self:
        return cls(Endpoint(**config.model_dump()))


def litellm_client(
    model: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    temperature: float | None = None,
    timeout: float = 600.0,
    retries: int = 2,
) -> LitellmClient:
    """Return an AutoGen client for a litellm model name, such as `openai/gpt-4o-mini`.

    A request may take `timeout` seconds. Rate limits, server errors and broken connections are
    tried again `retries` times, after growing pauses or the time that the server asks for.
    """
    return LitellmClient(Endpoint(model, base_url, api_key, temperature, timeout, retries))


def _choice(tool_choice: Tool | str) -> object:
    if isinstance(tool_choice, str):
        return tool_choice
    return {"type": "function", "function": {"name": tool_choice.name}}


def _openai(message: LLMMessage) -> list[Json]:
    """Return one message as those of the chat protocol: a result of each tool is one of its own."""
    match message:
        case SystemMessage():
            return [{"role": "system", "content": message.content}]
        case FunctionExecutionResultMessage():
            return [
                {"role": "tool", "tool_call_id": r.call_id, "content": r.content}
                for r in message.content
            ]
        case AssistantMessage(content=str() as text):
            return [{"role": "assistant", "content": text}]
        case AssistantMessage():
            calls = [
                {
                    "id": c.id,
                    "type": "function",
                    "function": {"name": c.name, "arguments": c.arguments},
                }
                for c in message.content
                if isinstance(c, FunctionCall)
            ]
            return [{"role": "assistant", "content": message.thought, "tool_calls": calls}]
        case _:
            content = message.content
            texts = [content] if isinstance(content, str) else content
            return [{"role": "user", "content": "\n".join(t for t in texts if isinstance(t, str))}]
