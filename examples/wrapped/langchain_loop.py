"""A writer and a judge that go round, after LangGraph's page "Workflows and agents".

https://docs.langchain.com/oss/python/langgraph/workflows-agents (evaluator-optimizer)
The models answer from lists, so that this runs without a key. Two lines are added to wrap it: the
prompts inside the nodes' functions become templates of the state's fields.
Run it with `python examples/wrapped/langchain_loop.py` (needs langgraph).
"""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict, cast

from langchain_core.language_models import FakeListChatModel
from langgraph.graph import END, START, StateGraph

import trace_agents as ta  # added

TASK = "the fog"


class Asked(TypedDict):
    """What the graph takes."""

    subject: str


class State(TypedDict):
    """What the nodes share."""

    subject: str
    verse: str
    advice: str


writer = FakeListChatModel(responses=["Fog is grey.", "Fog walks on small grey feet."])
judge = FakeListChatModel(responses=["Too plain, use an image.", "PASS, that is good."])


def write(state: State) -> dict[str, Any]:
    """Write a verse, with the advice on the one before."""
    asked = f"Write a verse about {state['subject']}. Advice: {state.get('advice', '')}"
    return {"verse": str(writer.invoke(asked).text)}


def assess(state: State) -> dict[str, Any]:
    """Judge the verse."""
    asked = [("system", "Say PASS or give advice."), ("human", f"Verse: {state['verse']}")]
    return {"advice": str(judge.invoke(asked).text)}


def onward(state: State) -> str:
    """Go round until the judge is content."""
    return END if state.get("advice", "").startswith("PASS") else "write"


builder = cast("Any", StateGraph(State, input_schema=Asked))
builder.add_node("write", write).add_node("assess", assess)
builder.add_edge(START, "write").add_edge("write", "assess")
builder.add_conditional_edges("assess", onward, ["write", END])
graph: Any = builder.compile(name="verses")

workflow = ta.wrap(graph)  # added


async def main() -> None:
    """Write one verse, as one would without the wrapping."""
    print((await graph.ainvoke({"subject": TASK}))["verse"])


if __name__ == "__main__":
    asyncio.run(main())
