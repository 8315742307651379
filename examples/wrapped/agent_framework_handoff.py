"""Agents that hand over, after Microsoft Agent Framework's sample "handoff_simple".

https://github.com/microsoft/agent-framework/tree/main/python/samples/03-workflows/orchestrations
The models answer from lists, so that this runs without a key. Two lines are added to wrap it:
a workflow keeps its state, so that the function is wrapped which builds one.
Run it with `python examples/wrapped/agent_framework_handoff.py` (needs
agent-framework-orchestrations).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Mapping, Sequence
from typing import Any

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
    Workflow,
)
from agent_framework_orchestrations import HandoffBuilder

import trace_agents as ta  # added

TASK = "My lamp arrived broken."


class Fixed(FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], BaseChatClient[Any]):
    """Says the same, whatever it is asked."""

    def __init__(self, answer: str | Content) -> None:
        super().__init__()
        self._answer = answer

    def _inner_get_response(
        self,
        *,
        messages: Sequence[Message],
        stream: bool,
        options: Mapping[str, Any],
        **settings: Any,
    ) -> Awaitable[ChatResponse] | ResponseStream[ChatResponseUpdate, ChatResponse]:
        return self._build_response_stream(self._pieces()) if stream else self._whole()

    async def _whole(self) -> ChatResponse:
        return ChatResponse(messages=[Message("assistant", [self._answer])])

    async def _pieces(self) -> AsyncIterable[ChatResponseUpdate]:
        for content in (await self._whole()).messages[0].contents:
            yield ChatResponseUpdate(role="assistant", contents=[content])


def agent(name: str, instructions: str, answer: str | Content) -> Agent[Any]:
    """Return an agent that can take part in handoffs."""
    return Agent(
        client=Fixed(answer),
        name=name,
        instructions=instructions,
        require_per_service_call_history_persistence=True,
    )


def build_desk() -> Workflow:
    """Return a desk that gives a case to whoever can settle it."""
    to_refunds = Content.from_function_call("1", "handoff_to_refunds", arguments={})
    triage = agent("triage", "Find out who can help.", to_refunds)
    refunds = agent("refunds", "Settle the matter.", "We will send you a new lamp.")
    builder = HandoffBuilder(name="desk", participants=[triage, refunds])
    return (
        builder.with_start_agent(triage)
        .add_handoff(triage, [refunds], description="For broken and missing goods.")
        .add_handoff(refunds, [triage], description="For everything else.")
        .build()
    )


workflow = ta.wrap(build_desk)  # added


async def main() -> None:
    """Ask once, as one would without the wrapping."""
    result = await build_desk().run(TASK)
    print(result.get_outputs()[-1].text)


if __name__ == "__main__":
    asyncio.run(main())
