"""A graph with branches and a loop, after AutoGen's page "GraphFlow (Workflows)".

https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/graph-flow.html
The models answer from lists, so that this runs without a key. Two lines are added to wrap it.
Run it with `python examples/wrapped/autogen_graph.py` (needs autogen-ext).
"""

from __future__ import annotations

import asyncio

from autogen_agentchat.agents import AssistantAgent, MessageFilterAgent, MessageFilterConfig
from autogen_agentchat.agents import PerSourceFilter as From
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta  # added

TASK = "Draft a notice about the closed pier."


def agent(name: str, prompt: str, *answers: str) -> AssistantAgent:
    """Return an agent with these answers."""
    return AssistantAgent(name, ReplayChatCompletionClient(list(answers)), system_message=prompt)


def build_flow() -> GraphFlow:
    """Return a flow: a draft goes to two checkers at once, and back until the chief is content."""
    drafter = agent(
        "drafter", "Draft a notice.", "The pier is shut.", "The pier is shut until Friday, sorry."
    )
    facts = agent("facts", "Check the facts.", "Say until when.", "The facts are right.")
    tone = agent("tone", "Check the tone.", "Be friendlier.", "The tone is fine.")
    chief = agent("chief", "Decide: AGAIN or PRINT.", "AGAIN, please.", "PRINT it.")
    printer = MessageFilterAgent(
        "printer",
        agent("press", "Set the notice in type.", "NOTICE: the pier is shut until Friday."),
        filter=MessageFilterConfig(per_source=[From(source="drafter", position="last", count=1)]),
    )
    builder = DiGraphBuilder()
    for node in (drafter, facts, tone, chief, printer):
        builder.add_node(node)
    builder.add_edge(drafter, facts).add_edge(drafter, tone)
    builder.add_edge(facts, chief).add_edge(tone, chief)
    builder.add_edge(chief, drafter, condition=lambda message: "AGAIN" in message.to_model_text())
    builder.add_edge(chief, printer, condition=lambda message: "PRINT" in message.to_model_text())
    builder.set_entry_point(drafter)
    return GraphFlow(
        builder.get_participants(),
        builder.build(),
        termination_condition=MaxMessageTermination(20),
    )


workflow = ta.wrap(build_flow)  # added


async def main() -> None:
    """Let the notice be made, as one would without the wrapping."""
    result = await build_flow().run(task=TASK)
    for message in result.messages:
        print(f"{message.source}: {message.to_text()}")


if __name__ == "__main__":
    asyncio.run(main())
