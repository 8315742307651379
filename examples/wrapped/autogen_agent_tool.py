"""An agent that asks another one as a tool, after AutoGen's README, "Multi-Agent Orchestration".

https://github.com/microsoft/autogen/blob/main/README.md
The models answer from lists, so that this runs without a key. Two lines are added to wrap it:
here it is the agent itself that is wrapped, and every episode gets a copy of it.
Run it with `python examples/wrapped/autogen_agent_tool.py` (needs autogen-ext).
"""

from __future__ import annotations

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.tools import AgentTool
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta  # added

TASK = "When should we sail?"

expert = AssistantAgent(
    "tides",
    ReplayChatCompletionClient(["The tide turns at noon."] * 2),
    description="Knows the tides of this coast.",
    system_message="Answer questions about tides.",
)
asks = CreateResult(
    finish_reason="function_calls",
    content=[FunctionCall(id="1", name="tides", arguments='{"task": "When does it turn?"}')],
    usage=RequestUsage(prompt_tokens=30, completion_tokens=9),
    cached=False,
)
captain = AssistantAgent(
    "captain",
    ReplayChatCompletionClient(
        [asks, "We sail at noon, with the tide."] * 2,
        model_info=ModelInfo(
            vision=False,
            function_calling=True,
            json_output=False,
            family="unknown",
            structured_output=False,
        ),
    ),
    tools=[AgentTool(expert, return_value_as_last_message=True)],
    system_message="Decide, and ask who knows.",
    reflect_on_tool_use=True,
)
workflow = ta.wrap(captain)  # added


async def main() -> None:
    """Ask once, as one would without the wrapping."""
    result = await captain.run(task=TASK)
    print(result.messages[-1].to_text())


if __name__ == "__main__":
    asyncio.run(main())
