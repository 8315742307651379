"""A writer and an editor who take turns, after AutoGen's page "AgentChat: Teams".

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/tutorial/teams.html
The models answer from lists, so that this runs without a key. Two lines are added to wrap it.
Run it with `python examples/wrapped/autogen_team.py` (needs autogen-ext).
"""

from __future__ import annotations

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta  # added

TASK = "Write a line about the sea in autumn."


def build_team() -> RoundRobinGroupChat:
    """Return a team that goes on until the editor accepts the line."""
    writer = AssistantAgent(
        "writer",
        ReplayChatCompletionClient(
            ["The sea is grey in autumn.", "Grey waves carry the last warm light of autumn."]
        ),
        system_message="Write one line of verse.",
    )
    editor = AssistantAgent(
        "editor",
        ReplayChatCompletionClient(["It needs something that moves.", "ACCEPTED, print that."]),
        system_message="Judge the line. Say ACCEPTED when it is good.",
    )
    end = TextMentionTermination("ACCEPTED", sources=["editor"]) | MaxMessageTermination(9)
    return RoundRobinGroupChat([writer, editor], termination_condition=end)


workflow = ta.wrap(build_team)  # added


async def main() -> None:
    """Let them write, as one would without the wrapping."""
    result = await build_team().run(task=TASK)
    for message in result.messages:
        print(f"{message.source}: {message.to_text()}")


if __name__ == "__main__":
    asyncio.run(main())
