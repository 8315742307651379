"""Agents that pass on what they wrote, after the page "Sequential Workflow" of AutoGen's core.

https://microsoft.github.io/autogen/stable/user-guide/core-user-guide/design-patterns/sequential-workflow.html
The models answer from lists, so that this runs without a key. Two lines are added to wrap it.
Run it with `python examples/wrapped/autogen_sequence.py` (needs autogen-ext).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from autogen_core import (
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
    message_handler,
)
from autogen_core.models import ChatCompletionClient, SystemMessage, UserMessage
from autogen_ext.models.replay import ReplayChatCompletionClient

from trace_agents_adapters.autogen import AutoGenApp  # added

TASK = "A kettle for ships, that does not spill."


@dataclass
class Draft:
    """What one agent hands to the next."""

    text: str


class Writer(RoutedAgent):
    """Does its part of the text and hands it on."""

    def __init__(self, client: ChatCompletionClient, prompt: str, then: str) -> None:
        super().__init__("Writes a part of an advertisement.")
        self._client = client
        self._prompt = prompt
        self._then = then

    @message_handler
    async def write(self, message: Draft, ctx: MessageContext) -> None:
        """Ask the model and publish what it says."""
        asked = UserMessage(content=message.text, source=self.id.key)
        result = await self._client.create([SystemMessage(content=self._prompt), asked])
        await self.publish_message(Draft(str(result.content)), TopicId(self._then, self.id.key))


class Desk(RoutedAgent):
    """Keeps what comes out at the end."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__("Keeps the result.")
        self._kept = kept

    @message_handler
    async def keep(self, message: Draft, ctx: MessageContext) -> None:
        """Keep the text."""
        self._kept.append(message.text)


async def advertise(task: object) -> str:
    """Return the advertisement for a product."""
    steps = [
        ("analyst", "Name what is special about the product.", "It stands firm at sea."),
        ("copywriter", "Write the advertisement.", "Tea in a storm? This one stands firm at sea."),
        ("editor", "Make it shorter.", "Tea in a storm? It stands firm."),
    ]
    kept: list[str] = []
    runtime = SingleThreadedAgentRuntime()
    following = [name for name, _, _ in steps[1:]] + ["desk"]
    for (name, prompt, answer), then in zip(steps, following, strict=True):
        client = ReplayChatCompletionClient([answer])
        await Writer.register(runtime, name, partial(Writer, client, prompt, then))
        await runtime.add_subscription(TypeSubscription(name, name))
    await Desk.register(runtime, "desk", lambda: Desk(kept))
    await runtime.add_subscription(TypeSubscription("desk", "desk"))
    runtime.start()
    await runtime.publish_message(Draft(str(task)), TopicId("analyst", "default"))
    await runtime.stop_when_idle()
    return kept[0]


workflow = AutoGenApp(advertise)  # added


async def main() -> None:
    """Ask once, as one would without the wrapping."""
    print(await advertise(TASK))


if __name__ == "__main__":
    asyncio.run(main())
