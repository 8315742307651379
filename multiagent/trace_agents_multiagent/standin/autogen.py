"""The rule-following stand-in as an AutoGen model client: a stand-in for a language model."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal

from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,  # pyright: ignore[reportDeprecated] - the base class still asks for it
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from trace_agents_multiagent.standin.policy import Decision, decide
from trace_agents_multiagent.standin.usage import NAME, call_id, count_tokens


class RuleFollowingClient(ChatCompletionClient):
    """A stand-in for a model: it follows the directives that it finds in its system prompt.

    It sees what a model would see, the messages, and answers with one tool call. It does not
    think and it learns nothing; the table of directives stands in `standin.policy`.
    """

    component_type = "model"
    component_provider_override = "trace_agents_multiagent.standin.autogen.RuleFollowingClient"
    component_config_schema = BaseModel

    def __init__(self) -> None:
        self._usage = RequestUsage(0, 0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Return the tool call that the rules choose."""
        system = "\n".join(m.content for m in messages if isinstance(m, SystemMessage))
        prompt = _last_text(messages)
        decision = decide(system, prompt)
        usage = RequestUsage(count_tokens(system + prompt), count_tokens(decision.why))
        self._usage = RequestUsage(
            self._usage.prompt_tokens + usage.prompt_tokens,
            self._usage.completion_tokens + usage.completion_tokens,
        )
        return _result(decision, usage, call_id(system, prompt))

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Yield the whole answer at once."""
        yield await self.create(messages, tools=tools)

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def actual_usage(self) -> RequestUsage:
        """Return the usage so far."""
        return self._usage

    def total_usage(self) -> RequestUsage:
        """Return the usage so far."""
        return self._usage

    def count_tokens(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
    ) -> int:
        """Return the number of words, which the stand-in calls tokens."""
        return sum(count_tokens(str(message.content)) for message in messages)

    def remaining_tokens(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
    ) -> int:
        """Return a number that never runs out."""
        return 1_000_000

    @property
    def capabilities(self) -> ModelCapabilities:  # pyright: ignore[reportDeprecated]
        """The older form of `model_info`."""
        return ModelCapabilities(  # pyright: ignore[reportDeprecated]
            vision=False, function_calling=True, json_output=False
        )

    @property
    def model_info(self) -> ModelInfo:
        """What the stand-in can do: call functions."""
        return ModelInfo(
            vision=False,
            function_calling=True,
            json_output=False,
            family=NAME,
            structured_output=False,
        )


def _last_text(messages: Sequence[LLMMessage]) -> str:
    users = [m.content for m in messages if isinstance(m, UserMessage)]
    return users[-1] if users and isinstance(users[-1], str) else ""


def _result(decision: Decision, usage: RequestUsage, identity: str) -> CreateResult:
    call = FunctionCall(
        id=identity, name=decision.tool, arguments=json.dumps(dict(decision.arguments))
    )
    return CreateResult(finish_reason="function_calls", content=[call], usage=usage, cached=False)
