"""An agent with a tool, after LangChain's page "Quickstart".

https://docs.langchain.com/oss/python/langchain/quickstart
The model answers from a list, so that this runs without a key. Two lines are added to wrap it.
Run it with `python examples/wrapped/langchain_quickstart.py` (needs langchain).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, cast

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool

import trace_agents as ta  # added

TASK = "Which line goes to the harbour?"


class Listed(FakeMessagesListChatModel):
    """Says what stands in its list, whatever it is asked."""

    def bind_tools(self, tools: Sequence[Any], **settings: Any) -> Any:
        """Return the model with tools that it may call."""
        return self.bind(tools=[convert_to_openai_tool(each) for each in tools], **settings)


@tool
def line_to(stop: Annotated[str, "The name of a stop."]) -> str:
    """Find the tram line to a stop."""
    return f"Line 7 goes to the {stop}."


asks = AIMessage("", tool_calls=[{"id": "1", "name": "line_to", "args": {"stop": "harbour"}}])
model = Listed(responses=[asks, AIMessage("Take line 7 to the harbour.")])
prompt = "Help people to travel."
agent = cast("Any", create_agent(model, [line_to], system_prompt=prompt, name="guide"))

workflow = ta.wrap(agent)  # added


async def main() -> None:
    """Ask one question, as one would without the wrapping."""
    result = await agent.ainvoke({"messages": [("user", TASK)]})
    print(result["messages"][-1].text)


if __name__ == "__main__":
    asyncio.run(main())
