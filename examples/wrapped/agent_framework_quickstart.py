"""An agent with a tool, after Microsoft Agent Framework's sample "02_add_tools".

https://github.com/microsoft/agent-framework/tree/main/python/samples/01-get-started
The model answers from a list, so that this runs without a key. Two lines are added to wrap it.
Run it with `python examples/wrapped/agent_framework_quickstart.py` (needs agent-framework-core).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Annotated, Any

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
)

import trace_agents as ta  # added

TASK = "Is the ferry running today?"


class Listed(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    """Says what stands in its list, one answer after the other."""

    def __init__(self, *answers: str | Content) -> None:
        super().__init__()
        self._answers = answers
        self._said = 0

    def _inner_get_response(
        self,
        *,
        messages: Sequence[Message],
        stream: bool,
        options: Mapping[str, Any],
        **settings: Any,
    ) -> Awaitable[ChatResponse] | ResponseStream[ChatResponseUpdate, ChatResponse]:
        return self._next()

    async def _next(self) -> ChatResponse:
        answer = self._answers[self._said % len(self._answers)]
        self._said += 1
        return ChatResponse(messages=[Message("assistant", [answer])])


def wind(place: Annotated[str, "Where the wind blows."]) -> str:
    """Find out how strong the wind is."""
    return f"Gale, force nine, at {place}."


asks = Content.from_function_call("1", "wind", arguments={"place": "the strait"})
agent: Agent[Any] = Agent(
    client=Listed(asks, "No, there is a gale over the strait."),
    name="ferry",
    instructions="Tell travellers what they need to know.",
    tools=[wind],
)
workflow = ta.wrap(agent)  # added


async def main() -> None:
    """Ask one question, as one would without the wrapping."""
    print(await agent.run(TASK))


if __name__ == "__main__":
    asyncio.run(main())
