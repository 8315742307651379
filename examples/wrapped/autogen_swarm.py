"""A desk that hands a customer on, after AutoGen's page "Swarm".

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/swarm.html
The models answer from lists, so that this runs without a key. Two lines are added to wrap it:
when to hand over, and with which words, become parameters.
Run it with `python examples/wrapped/autogen_swarm.py` (needs autogen-ext).
"""

from __future__ import annotations

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import Swarm
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta  # added

TASK = "My parcel 81 came broken, I want my money back."


async def refund(parcel: str) -> str:
    """Pay back the price of a parcel."""
    return f"The price of parcel {parcel} was paid back."


def client(*answers: str | FunctionCall) -> ReplayChatCompletionClient:
    """Return a model that says these things and makes these calls."""
    return ReplayChatCompletionClient(
        [answer if isinstance(answer, str) else calling(answer) for answer in answers],
        model_info=ModelInfo(
            vision=False,
            function_calling=True,
            json_output=False,
            family="unknown",
            structured_output=False,
        ),
    )


def calling(call: FunctionCall) -> CreateResult:
    """Return the answer of a model that is one call."""
    return CreateResult(
        finish_reason="function_calls",
        content=[call],
        usage=RequestUsage(prompt_tokens=20, completion_tokens=5),
        cached=False,
    )


def build_team() -> Swarm:
    """Return a desk and a cashier."""
    desk = AssistantAgent(
        "desk",
        client(FunctionCall(id="1", name="transfer_to_cashier", arguments="{}")),
        handoffs=[Handoff(target="cashier", description="Hand over who wants money back.")],
        system_message="Greet customers and find out what they need.",
    )
    cashier = AssistantAgent(
        "cashier",
        client(
            FunctionCall(id="2", name="refund", arguments='{"parcel": "81"}'),
            "You have your money back for parcel 81. GOODBYE",
        ),
        tools=[refund],
        reflect_on_tool_use=True,
        system_message="Pay back and say GOODBYE.",
    )
    return Swarm([desk, cashier], termination_condition=TextMentionTermination("GOODBYE"))


workflow = ta.wrap(build_team)  # added


async def main() -> None:
    """Serve one customer, as one would without the wrapping."""
    result = await build_team().run(task=TASK)
    for message in result.messages:
        print(f"{message.source}: {message.to_text()}")


if __name__ == "__main__":
    asyncio.run(main())
