"""The rule-following stand-in as a LangChain chat model: a stand-in for a language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from trace_agents_multiagent.standin.policy import decide
from trace_agents_multiagent.standin.usage import NAME, call_id, count_tokens


class RuleFollowingChatModel(BaseChatModel):
    """A stand-in for a model: it follows the directives that it finds in its system prompt.

    It sees what a model would see, the messages, and answers with one tool call. It does not
    think and it learns nothing; the table of directives stands in `standin.policy`.
    """

    model_name: str = NAME

    @property
    def _llm_type(self) -> str:
        return NAME

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with the tools in every call, in OpenAI's form."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _answer(messages)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _answer(messages)


def _answer(messages: Sequence[BaseMessage]) -> ChatResult:
    system = "\n".join(m.text for m in messages if isinstance(m, SystemMessage))
    users = [m.text for m in messages if isinstance(m, HumanMessage)]
    prompt = users[-1] if users else ""
    decision = decide(system, prompt)
    spent, made = count_tokens(system + prompt), count_tokens(decision.why)
    message = AIMessage(
        content="",
        tool_calls=[
            {
                "name": decision.tool,
                "args": dict(decision.arguments),
                "id": call_id(system, prompt),
                "type": "tool_call",
            }
        ],
        usage_metadata=UsageMetadata(
            input_tokens=spent, output_tokens=made, total_tokens=spent + made
        ),
    )
    return ChatResult(generations=[ChatGeneration(message=message)])
