"""A team whose next speaker a model selects, after AutoGen's page "Selector Group Chat".

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/selector-group-chat.html
The models answer from lists, so that this runs without a key. Two lines are added to wrap it:
the prompt of the selector and the descriptions that it chooses by become parameters.
Run it with `python examples/wrapped/autogen_selector.py` (needs autogen-ext).
"""

from __future__ import annotations

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import SelectorGroupChat
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta  # added

TASK = "How many boats left the harbour on Monday and Tuesday together?"
PROMPT = """Agents and what they do:
{roles}

So far:
{history}

Name the one of {participants} who should go on. The planner goes first."""


def build_team() -> SelectorGroupChat:
    """Return a planner, a clerk who looks things up, and a reckoner."""

    def member(name: str, description: str, answer: str) -> AssistantAgent:
        client = ReplayChatCompletionClient([answer])
        prompt = f"You are the {name} of a harbour office."
        return AssistantAgent(name, client, description=description, system_message=prompt)

    return SelectorGroupChat(
        [
            member("planner", "Divides a question into steps.", "First the counts, then the sum."),
            member("clerk", "Looks numbers up in the log.", "Monday 12 boats, Tuesday 9 boats."),
            member("reckoner", "Adds and compares numbers.", "Together 21 boats left."),
        ],
        ReplayChatCompletionClient(["planner", "clerk", "reckoner"]),
        selector_prompt=PROMPT,
        termination_condition=MaxMessageTermination(4),
    )


workflow = ta.wrap(build_team)  # added


async def main() -> None:
    """Ask once, as one would without the wrapping."""
    result = await build_team().run(task=TASK)
    for message in result.messages:
        print(f"{message.source}: {message.to_text()}")


if __name__ == "__main__":
    asyncio.run(main())
