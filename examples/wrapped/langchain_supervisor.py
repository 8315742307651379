"""An assistant with two agents as its tools, after LangChain's page "Build a supervisor".

https://docs.langchain.com/oss/python/langchain/supervisor
The models answer from lists, so that this runs without a key. Two lines are added to wrap it: the
prompts and tools of all three agents become parameters.
Run it with `python examples/wrapped/langchain_supervisor.py` (needs langchain).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool

import trace_agents as ta  # added

TASK = "Invite the crew to dinner on Friday."


class Listed(FakeMessagesListChatModel):
    """Says what stands in its list, whatever it is asked."""

    def bind_tools(self, tools: Sequence[Any], **settings: Any) -> Any:
        """Return the model with tools that it may call."""
        return self.bind(tools=[convert_to_openai_tool(each) for each in tools], **settings)


def agent(name: str, prompt: str, tools: Sequence[Any], *answers: AIMessage) -> Any:
    """Return an agent that gives these answers."""
    model = Listed(responses=list(answers))
    return cast("Any", create_agent(model, tools, system_prompt=prompt, name=name))


def calling(name: str, **arguments: str) -> AIMessage:
    """Return the answer of a model that is one call."""
    return AIMessage("", tool_calls=[{"id": name, "name": name, "args": arguments}])


booked = AIMessage("Friday at eight is booked.")
calendar = agent("calendar", "Find a free hour and book it.", [], booked)
sent = AIMessage("The invitation went to four people.")
post = agent("post", "Write short, kind letters.", [], sent)


@tool
async def schedule(request: str) -> str:
    """Put something into the calendar."""
    result = await calendar.ainvoke({"messages": [("user", request)]})
    return str(result["messages"][-1].text)


@tool
async def write_to(request: str) -> str:
    """Send a letter."""
    result = await post.ainvoke({"messages": [("user", request)]})
    return str(result["messages"][-1].text)


assistant = agent(
    "assistant",
    "Split the work and give it to your helpers.",
    [schedule, write_to],
    calling("schedule", request="Book a dinner on Friday."),
    calling("write_to", request="Invite the crew for Friday at eight."),
    AIMessage("Dinner is on Friday at eight, and all are invited."),
)

workflow = ta.wrap(assistant)  # added


async def main() -> None:
    """Do one errand, as one would without the wrapping."""
    result = await assistant.ainvoke({"messages": [("user", TASK)]})
    print(result["messages"][-1].text)


if __name__ == "__main__":
    asyncio.run(main())
