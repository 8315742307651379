"""Each sort of graph of LangGraph: how it is built, found, connected, and what its models get."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal, TypedDict, cast

from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send

from tests.adapters.langchain_agents import agent
from tests.adapters.langchain_kit import TASK, Book, Case, asks


def graph(state: Any, **settings: Any) -> Any:
    return cast("Any", StateGraph(state, **settings))


class Topic(TypedDict):
    topic: str


class Views(TypedDict):
    topic: str
    views: Annotated[list[str], operator.add]
    end: str


def branches(book: Book) -> Any:
    praising, blaming = book("pro-model", "It shelters."), book("contra-model", "It silts up.")
    weighing = book("weigh-model", "Keep it.")

    def pro(state: Views) -> dict[str, Any]:
        return {"views": [str(praising.invoke(f"Praise {state['topic']}").text)]}

    async def contra(state: Views) -> dict[str, Any]:
        return {"views": [str((await blaming.ainvoke(f"Blame {state['topic']}")).text)]}

    async def weigh(state: Views) -> dict[str, Any]:
        asked = "Weigh: " + " / ".join(sorted(state["views"]))
        return {"end": str((await weighing.ainvoke(asked)).text)}

    made = graph(Views, input_schema=Topic, output_schema=End)
    made.add_node("pro", pro).add_node("contra", contra).add_node("weigh", weigh)
    made.add_edge(START, "pro").add_edge(START, "contra").add_edge(["pro", "contra"], "weigh")
    return made.compile(name="debate")


class End(TypedDict):
    end: str


class Quays(TypedDict):
    topic: str
    quays: list[str]
    lines: Annotated[list[str], operator.add]
    end: str


class Quay(TypedDict):
    quay: str


def map_reduce(book: Book) -> Any:
    listing = book("list-model", "North Quay; South Quay")
    praising = book("line-model", lambda messages: f"Fair is {messages[-1].text[7:]} to see.")
    picking = book("pick-model", "The north one wins.")

    async def plan(state: Quays) -> dict[str, Any]:
        said = await listing.ainvoke(f"List the quays: {state['topic']}")
        return {"quays": said.text.split("; ")}

    async def praise(state: Quay) -> dict[str, Any]:
        return {"lines": [str((await praising.ainvoke(f"Praise {state['quay']}")).text)]}

    async def pick(state: Quays) -> dict[str, Any]:
        asked = "Pick the best:\n" + "\n".join(state["lines"])
        return {"end": str((await picking.ainvoke(asked)).text)}

    def spread(state: Quays) -> list[Send]:
        return [Send("praise", {"quay": quay}) for quay in state["quays"]]

    made = graph(Quays, input_schema=Topic, output_schema=End)
    made.add_node("plan", plan).add_node("praise", praise).add_node("pick", pick)
    made.add_edge(START, "plan").add_conditional_edges("plan", spread, ["praise"])
    return made.add_edge("praise", "pick").compile(name="best")


class Draft(TypedDict):
    topic: str
    draft: str
    note: str


def loop(book: Book) -> Any:
    drafts = {"": "It is a harbour.", "Make it longer.": "It is an old harbour of stone."}
    writing = book("write-model", lambda messages: drafts[messages[-1].text])
    judging = book(
        "judge-model",
        lambda messages: "Good enough." if "stone" in messages[-1].text else "Make it longer.",
    )

    def write(state: Draft) -> dict[str, Any]:
        asked = [("system", f"Write of: {state['topic']}"), ("human", state.get("note", ""))]
        return {"draft": str(writing.invoke(asked).text)}

    def judge(state: Draft) -> dict[str, Any]:
        asked = [("system", "Criticise."), ("human", state["draft"])]
        return {"note": str(judging.invoke(asked).text)}

    def onward(state: Draft) -> str:
        return END if state["note"].startswith("Good") else "write"

    made = graph(Draft, input_schema=Topic, output_schema=Drafted)
    made.add_node("write", write).add_node("judge", judge).add_edge(START, "write")
    made.add_edge("write", "judge").add_conditional_edges("judge", onward, ["write", END])
    return made.compile(name="loop")


class Drafted(TypedDict):
    draft: str


def handoff(book: Book) -> Any:
    first, second = book("desk-model", "The pilot should go."), book("pilot-model", "I go out now.")

    async def desk(state: MessagesState) -> Command[Literal["pilot"]]:
        said = await first.ainvoke([("system", "Decide who helps."), *state["messages"]])
        return Command(goto="pilot", update={"messages": [said]})

    async def pilot(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await second.ainvoke([("system", "Steer."), *state["messages"]])]}

    made = graph(MessagesState).add_node("desk", desk).add_node("pilot", pilot)
    return made.add_edge(START, "desk").compile(name="port")


def handed_by_tool(book: Book) -> Any:
    @tool
    def transfer(runtime: ToolRuntime[None, dict[str, Any]]) -> Command[str]:
        """Hand over to the cashier."""
        done = ToolMessage("The desk handed over.", tool_call_id=runtime.tool_call_id)
        messages = [*runtime.state["messages"], done]
        return Command(goto="cashier", graph=Command.PARENT, update={"messages": messages})

    made = graph(MessagesState)
    made.add_node("desk", agent(book, "desk", asks("transfer", "Unused answer."), transfer))
    made.add_node("cashier", agent(book, "cashier", "That is two crowns."))
    return made.add_edge(START, "desk").compile(name="shop")


def nested(book: Book) -> Any:
    inner = graph(MessagesState).add_node("crew", agent(book, "crew", "Aye, the sails are set."))
    outer = graph(MessagesState).add_node("deck", inner.add_edge(START, "crew").compile())
    return outer.add_edge(START, "deck").compile(name="ship")


def onward(state: Routed) -> str:
    return state["way"]


class Routed(TypedDict):
    topic: str
    way: str
    end: str


def routing(book: Book) -> Any:
    deciding = book("route-model", "poem")
    singing, telling = book("poem-model", "Grey stones."), book("tale-model", "Once upon a time.")

    async def route(state: Routed) -> dict[str, Any]:
        said = await deciding.ainvoke([("system", "Poem or tale?"), ("human", state["topic"])])
        return {"way": str(said.text)}

    async def poem(state: Routed) -> dict[str, Any]:
        return {"end": str((await singing.ainvoke(f"Sing of {state['topic']}")).text)}

    async def tale(state: Routed) -> dict[str, Any]:
        return {"end": str((await telling.ainvoke(f"Tell of {state['topic']}")).text)}

    made = graph(Routed, input_schema=Topic, output_schema=End)
    made.add_node("route", route).add_node("poem", poem).add_node("tale", tale)
    made.add_edge(START, "route").add_conditional_edges("route", onward)
    return made.compile(name="router")


def graded(book: Book) -> Any:
    writing = book("write-model", "It is a harbour.")
    grading = book("grade-model", "pass it on")
    closing = book("close-model", "That is all.")

    async def write(state: Routed) -> dict[str, Any]:
        return {"way": str((await writing.ainvoke(f"Write of {state['topic']}")).text)}

    async def grade(state: Routed) -> Literal["close", "write"]:
        said = await grading.ainvoke(f"Will that do? {state['way']}")
        return "close" if "pass" in said.text else "write"

    async def close(state: Routed) -> dict[str, Any]:
        return {"end": str((await closing.ainvoke("Close the book.")).text)}

    made = graph(Routed, input_schema=Topic, output_schema=End)
    made.add_node("write", write).add_node("close", close).add_edge(START, "write")
    return made.add_conditional_edges("write", grade).compile(name="graded")


GRAPHS = [
    Case(
        "router",
        routing,
        {
            "route.system_message": "Poem or tale?",
            "poem.user_message": "Sing of {topic}",
            "tale.user_message": "Tell of {topic}",
        },
        {
            "route.system_message > route-model",
            "task > route-model",
            "poem.user_message > poem-model",
            "task > poem-model",
            "route-model > poem-model",
            "poem-model > router",
        },
        ("poem.user_message", "Hum of {topic}", f"Hum of {TASK}"),
        "poem-model",
        first=f"Sing of {TASK}",
        output={"end": "Grey stones."},
    ),
    Case(
        "model in a conditional edge",
        graded,
        {
            "write.user_message": "Write of {topic}",
            "write.user_message.2": "Will that do? {way}",
            "close.user_message": "Close the book.",
        },
        {
            "write.user_message > write-model",
            "task > write-model",
            "write.user_message.2 > grade-model",
            "write-model > grade-model",
            "close.user_message > close-model",
            "grade-model > close-model",
            "close-model > graded",
        },
        ("write.user_message.2", "Good? {way}", "Good? It is a harbour."),
        "grade-model",
        first="Will that do? It is a harbour.",
        output={"end": "That is all."},
    ),
    Case(
        "parallel branches",
        branches,
        {
            "pro.user_message": "Praise {topic}",
            "contra.user_message": "Blame {topic}",
            "weigh.user_message": "Weigh: {views}",
        },
        {
            "pro.user_message > pro-model",
            "task > pro-model",
            "contra.user_message > contra-model",
            "task > contra-model",
            "weigh.user_message > weigh-model",
            "pro-model > weigh-model",
            "contra-model > weigh-model",
            "weigh-model > debate",
        },
        ("weigh.user_message", "Judge {views}", "Judge It shelters. / It silts up."),
        "weigh-model",
        first="Weigh: It shelters. / It silts up.",
        output={"end": "Keep it."},
    ),
    Case(
        "map and reduce",
        map_reduce,
        {
            "plan.user_message": "List the quays: {topic}",
            "praise.user_message": "Praise {quay}",
            "pick.user_message": "Pick the best:\n{lines}",
        },
        {
            "plan.user_message > list-model",
            "task > list-model",
            "praise.user_message > line-model",
            "praise.user_message > line-model#2",
            "list-model > line-model",
            "list-model > line-model#2",
            "pick.user_message > pick-model",
            "line-model > pick-model",
            "line-model#2 > pick-model",
            "pick-model > best",
        },
        ("praise.user_message", "Laud me {quay}", "Laud me South Quay"),
        "line-model",
        first="Praise South Quay",
        output={"end": "The north one wins."},
        call=2,
    ),
    Case(
        "loop",
        loop,
        {
            "write.system_message": "Write of: {topic}",
            "judge.system_message": "Criticise.",
        },
        {
            *(f"write.system_message > write-model{call}" for call in ("", "#2")),
            *(f"task > write-model{call}" for call in ("", "#2")),
            *(f"judge.system_message > judge-model{call}" for call in ("", "#2")),
            "write-model > judge-model",
            "judge-model > write-model#2",
            "write-model#2 > judge-model#2",
            "write-model#2 > loop",
        },
        ("write.system_message", "Sing of: {topic}", f"Sing of: {TASK}"),
        "write-model",
        first=f"Write of: {TASK}",
        output={"draft": "It is an old harbour of stone."},
        call=2,
        threads=True,
    ),
    Case(
        "handoff",
        handoff,
        {"desk.system_message": "Decide who helps.", "pilot.system_message": "Steer."},
        {
            "desk.system_message > desk-model",
            "task > desk-model",
            "pilot.system_message > pilot-model",
            "task > pilot-model",
            "desk-model > pilot-model",
            "pilot-model > port",
        },
        ("pilot.system_message", "Row.", "Row."),
        "pilot-model",
        output="I go out now.",
    ),
    Case(
        "handoff by a tool",
        handed_by_tool,
        {
            "desk.system_message": "You are the desk.",
            "desk.tools.transfer.description": "Hand over to the cashier.",
            "cashier.system_message": "You are the cashier.",
        },
        {
            "desk.system_message > desk-model",
            "desk.tools.transfer.description > desk-model",
            "task > desk-model",
            "desk-model > transfer",
            "cashier.system_message > cashier-model",
            "task > cashier-model",
            "desk-model > cashier-model",
            "transfer > cashier-model",
            "cashier-model > shop",
        },
        ("desk.tools.transfer.description", "Go away.", "Go away."),
        "desk-model",
        output="That is two crowns.",
    ),
    Case(
        "graph in a graph",
        nested,
        {"crew.system_message": "You are the crew."},
        {"crew.system_message > crew-model", "task > crew-model", "crew-model > ship"},
        ("crew.system_message", "You are a bosun.", "You are a bosun."),
        "crew-model",
        output="Aye, the sails are set.",
    ),
]
