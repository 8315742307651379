"""Many calls from one list and one choice, after LangGraph's page "Use the graph API".

https://docs.langchain.com/oss/python/langgraph/use-graph-api (map-reduce and the Send API)
The models answer from lists, so that this runs without a key. Two lines are added to wrap it.
Run it with `python examples/wrapped/langchain_map_reduce.py` (needs langgraph).
"""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict, cast

from langchain_core.language_models import FakeListChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

import trace_agents as ta  # added

TASK = "a village fair"


class Asked(TypedDict):
    """What the graph takes."""

    event: str


class State(TypedDict):
    """What the nodes share."""

    event: str
    stalls: list[str]
    slogans: Annotated[list[str], operator.add]
    chosen: str


class Stall(TypedDict):
    """What each call of the map takes."""

    stall: str


planner = FakeListChatModel(responses=["apple cider, wool scarves"])
copywriter = FakeListChatModel(responses=["Taste the whole orchard.", "Warm until spring comes."])
mayor = FakeListChatModel(responses=["Hang up: Taste the whole orchard."])


def plan(state: State) -> dict[str, Any]:
    """Name the stalls."""
    listed = str(planner.invoke(f"Name two stalls for {state['event']}.").text)
    return {"stalls": listed.split(", ")}


def advertise(state: Stall) -> dict[str, Any]:
    """Find a slogan for one stall."""
    return {"slogans": [str(copywriter.invoke(f"A slogan for {state['stall']}, please.").text)]}


def choose(state: State) -> dict[str, Any]:
    """Choose the best slogan."""
    slogans = "\n".join(state["slogans"])
    return {"chosen": str(mayor.invoke(f"Choose the best slogan:\n{slogans}").text)}


def spread(state: State) -> list[Send]:
    """Give each stall a call of its own."""
    return [Send("advertise", {"stall": stall}) for stall in state["stalls"]]


builder = cast("Any", StateGraph(State, input_schema=Asked))
builder.add_node("plan", plan).add_node("advertise", advertise).add_node("choose", choose)
builder.add_edge(START, "plan").add_conditional_edges("plan", spread, ["advertise"])
builder.add_edge("advertise", "choose").add_edge("choose", END)
graph: Any = builder.compile(name="fair")

workflow = ta.wrap(graph)  # added


async def main() -> None:
    """Plan one event, as one would without the wrapping."""
    print((await graph.ainvoke({"event": TASK}))["chosen"])


if __name__ == "__main__":
    asyncio.run(main())
