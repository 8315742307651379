"""A writer whom a person answers, after AutoGen's page "Human-in-the-Loop".

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/tutorial/human-in-the-loop.html
The model answers from a list, and a list stands in for the person, so that this runs without a key.
Two lines are added to wrap it. Run it with `python examples/wrapped/autogen_human.py` (needs
autogen-ext).
"""

from __future__ import annotations

import asyncio

from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta  # added

TASK = "Write two lines about the harbour at night."


def build_team() -> RoundRobinGroupChat:
    """Return a poet, and the person who reads along."""
    lines = ["The lamps are lit.", "The lamps are lit, and nets hang out to dry."]
    poet = AssistantAgent(
        "poet", ReplayChatCompletionClient(lines), system_message="You write short poems."
    )
    answers = iter(["Longer, please.", "APPROVE"])
    reader = UserProxyAgent("reader", input_func=lambda prompt: next(answers))
    return RoundRobinGroupChat(
        [poet, reader], termination_condition=TextMentionTermination("APPROVE")
    )


workflow = ta.wrap(build_team)  # added


async def main() -> None:
    """Ask once, as one would without the wrapping."""
    result = await build_team().run(task=TASK)
    for message in result.messages:
        print(f"{message.source}: {message.to_text()}")


if __name__ == "__main__":
    asyncio.run(main())
