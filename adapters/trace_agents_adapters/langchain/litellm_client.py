"""A LangChain chat model over litellm: any provider's model, by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, cast

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from trace_agents_adapters.litellm_calls import Answer, Endpoint, Json, acomplete, complete


class LitellmChat(BaseChatModel):
    """Answers through litellm."""

    model: str
    base_url: str | None = None
    api_key: str | None = None
    temperature: float | None = None
    timeout: float = 600.0
    retries: int = 2

    @property
    def _llm_type(self) -> str:
        return "litellm"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **settings: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with tools that it may call."""
        chosen = {} if tool_choice is None else {"tool_choice": tool_choice}
        offered = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=offered, **chosen, **settings)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        tools, extra = _split(settings, stop)
        return _result(await acomplete(self._endpoint(), _openai(messages), tools, extra))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        tools, extra = _split(settings, stop)
        return _result(complete(self._endpoint(), _openai(messages), tools, extra))

    def _endpoint(self) -> Endpoint:
        asked = (self.model, self.base_url, self.api_key, self.temperature)
        return Endpoint(*asked, self.timeout, self.retries)


def litellm_client(
    model: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    temperature: float | None = None,
    timeout: float = 600.0,
    retries: int = 2,
) -> LitellmChat:
    """Return a LangChain chat model for a litellm name, such as `openai/gpt-4o-mini`.

    A request may take `timeout` seconds. Rate limits, server errors and broken connections are
    tried again `retries` times, after growing pauses or the time that the server asks for.
    """
    return LitellmChat(
        model=model,
        base_url=base_url,
        api_key=api_key,
        temperature=temperature,
        timeout=timeout,
        retries=retries,
    )


def _split(settings: Json, stop: list[str] | None) -> tuple[list[Json], Json]:
    tools = cast("list[Json]", settings.pop("tools", None) or [])
    return tools, {**settings, **({"stop": stop} if stop else {})}


def _openai(messages: list[BaseMessage]) -> list[Json]:
    return cast("list[Json]", convert_to_openai_messages(messages))


def _result(answer: Answer) -> ChatResult:
    message = AIMessage(
        content=answer.text,
        tool_calls=[
            tool_call(name=name, args=json.loads(arguments or "{}"), id=call_id)
            for call_id, name, arguments in answer.tool_calls
        ],
        usage_metadata=UsageMetadata(
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            total_tokens=answer.input_tokens + answer.output_tokens,
        ),
    )
    return ChatResult(generations=[ChatGeneration(message=message)])
