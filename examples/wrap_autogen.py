"""Wrap an AutoGen agent, run it under another prompt, and send feedback back to the prompt.

The model client answers from a list, so that this runs without a key: put your own in its place.
Run it with `python examples/wrap_autogen.py` (needs autogen-ext for the listed answers).
"""

from __future__ import annotations

import anyio
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.replay import ReplayChatCompletionClient

import trace_agents as ta


def build_writer() -> AssistantAgent:
    """Return a fresh agent, as any AutoGen application would."""
    client = ReplayChatCompletionClient(["Tea is a drink made from leaves."])
    return AssistantAgent("writer", client, system_message="Write one sentence.")


async def main() -> None:
    """Show the parameters, one recorded run, and what its feedback reaches."""
    writer = ta.wrap(build_writer)
    for name, parameter in writer.parameters().items():
        print(f"parameter {name} = {parameter.value!r}")
    values = {"writer.system_message": "Write one sentence, like a pirate."}
    async with ta.applied(writer, values) as trace:
        print("answer:", await writer.run("What is tea?"))
    subgraph = ta.backward(trace.graph(), "A pirate would say 'arr'.")
    for node in subgraph.graph.nodes:
        print(f"{node.kind:10} {node.name}: {node.value}")


if __name__ == "__main__":
    anyio.run(main)
