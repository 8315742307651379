"""An assistant with a tool, after AutoGen's page "AgentChat: Quickstart".

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/quickstart.html
The model answers from a list, so that this runs without a key. Two lines are added to wrap it.
Run it with `python examples/wrapped/autogen_quickstart.py` (needs autogen-ext).
"""

from __future__ import annotations

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta  # added

TASK = "Do I need an umbrella in Bergen?"


async def forecast(town: str) -> str:
    """Tell the weather that is expected in a town."""
    return f"Rain from noon on is expected in {town}."


def build_agent() -> AssistantAgent:
    """Return a forecaster that asks its tool and puts the result into words."""
    asks = CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id="1", name="forecast", arguments='{"town": "Bergen"}')],
        usage=RequestUsage(prompt_tokens=40, completion_tokens=12),
        cached=False,
    )
    client = ReplayChatCompletionClient(
        [asks, "Take one: it will rain in Bergen from noon."],
        model_info=ModelInfo(
            vision=False,
            function_calling=True,
            json_output=False,
            family="unknown",
            structured_output=False,
        ),
    )
    return AssistantAgent(
        "forecaster",
        client,
        tools=[forecast],
        system_message="Answer questions about the weather.",
        reflect_on_tool_use=True,
    )


workflow = ta.wrap(build_agent)  # added


async def main() -> None:
    """Ask once, as one would without the wrapping."""
    result = await build_agent().run(task=TASK)
    print(result.messages[-1].to_text())


if __name__ == "__main__":
    asyncio.run(main())
