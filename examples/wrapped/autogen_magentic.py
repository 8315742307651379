"""A team that a leader plans for, after AutoGen's page "Magentic-One".

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/magentic-one.html
The models answer from lists, so that this runs without a key. Two lines are added to wrap it:
the prompts by which the leader plans, asks for progress and ends become parameters.
Run it with `python examples/wrapped/autogen_magentic.py` (needs autogen-ext).
"""

from __future__ import annotations

import asyncio
import json

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import MagenticOneGroupChat
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta  # added

TASK = "Which of our lamps is the oldest?"


def progress(instruction: str, *, done: bool) -> str:
    """Return a leader's answer to the question how far the team is."""
    answers: dict[str, object] = {
        "is_request_satisfied": done,
        "is_in_loop": False,
        "is_progress_being_made": True,
        "next_speaker": "archivist",
        "instruction_or_question": instruction,
    }
    return json.dumps({key: {"reason": "", "answer": value} for key, value in answers.items()})


def build_team() -> MagenticOneGroupChat:
    """Return an archivist and the leader that plans for it."""
    archivist = AssistantAgent(
        "archivist",
        ReplayChatCompletionClient(["The lamp on the north mole was lit in 1790."]),
        description="Reads the books of the harbour.",
        system_message="You keep the books of a harbour.",
    )
    leader = ReplayChatCompletionClient(
        [
            "To look up: when each lamp was lit.",
            "Ask the archivist for the year of each lamp.",
            progress("When was each lamp lit?", done=False),
            progress("", done=True),
            "The oldest lamp stands on the north mole.",
        ]
    )
    return MagenticOneGroupChat([archivist], leader)


workflow = ta.wrap(build_team)  # added


async def main() -> None:
    """Ask once, as one would without the wrapping."""
    result = await build_team().run(task=TASK)
    print(result.messages[-1].to_text())


if __name__ == "__main__":
    asyncio.run(main())
