"""The demo's two agents, made as their frameworks' documentation makes agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from trace_agents.errors import ExtraNotInstalled
from trace_agents_multiagent.tools import TOOLS

if TYPE_CHECKING:
    from autogen_agentchat.agents import AssistantAgent
    from autogen_core.models import ChatCompletionClient
    from langchain_core.language_models import BaseChatModel

PLAN = "You work in a household. Work together with your partner to finish the task."
"""The planning prompt with which both agents begin."""


def autogen_factory(name: str, model: ChatCompletionClient) -> Callable[[], AssistantAgent]:
    """Return a factory of AutoGen AgentChat agents with the household's tools.

    The tools are made once: they hold no state, and their schemas never change.

    Raises:
        ExtraNotInstalled: AutoGen is missing.
    """
    try:
        from autogen_agentchat.agents import AssistantAgent
        from autogen_core.tools import FunctionTool, ToolSchema
    except ImportError:
        raise ExtraNotInstalled("autogen-agentchat", "autogen") from None

    class HouseholdTool(FunctionTool):
        """A function tool that works out its schema once instead of at every call."""

        _worked_out: ToolSchema | None = None

        @property
        def schema(self) -> ToolSchema:
            if self._worked_out is None:
                self._worked_out = super().schema
            return self._worked_out

    tools = [HouseholdTool(tool, description=tool.__doc__ or "") for tool in TOOLS]
    return lambda: AssistantAgent(name, model, tools=list(tools), system_message=PLAN)


def langchain_agent(name: str, model: BaseChatModel) -> object:
    """Return a LangChain agent (a compiled graph) with the household's tools.

    A tool's result ends its turn.

    Raises:
        ExtraNotInstalled: LangChain is missing.
    """
    try:
        # its annotation leaves type arguments out
        from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
        from langchain_core.tools import StructuredTool
    except ImportError:
        raise ExtraNotInstalled("langchain", "langchain") from None
    tools = [StructuredTool.from_function(coroutine=tool, return_direct=True) for tool in TOOLS]
    return cast("object", create_agent(model, tools, system_prompt=PLAN, name=name))


def rule_following_client() -> ChatCompletionClient:
    """Return the stand-in for a model that AutoGen agents can use.

    Raises:
        ExtraNotInstalled: AutoGen is missing.
    """
    try:
        from trace_agents_multiagent.standin.autogen import RuleFollowingClient
    except ImportError:
        raise ExtraNotInstalled("autogen-core", "autogen") from None
    return RuleFollowingClient()


def rule_following_chat_model() -> BaseChatModel:
    """Return the stand-in for a model that LangChain agents can use.

    Raises:
        ExtraNotInstalled: LangChain is missing.
    """
    try:
        from trace_agents_multiagent.standin.langchain import RuleFollowingChatModel
    except ImportError:
        raise ExtraNotInstalled("langchain-core", "langchain") from None
    return RuleFollowingChatModel()
