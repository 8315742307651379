"""Graphs of LangGraph that remember, ask, compute and try again."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.func import task as step
from langgraph.graph import START, MessagesState
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import RetryPolicy, interrupt

import trace_agents as ta
from tests.adapters.langchain_graphs import Draft, Drafted, Topic, graph
from tests.adapters.langchain_kit import TASK, Book, Case, asks
from trace_agents.tracing import current_trace
from trace_agents.workflow import Workflow
from trace_agents_adapters.langchain import graph_node


def chatting(book: Book, **settings: Any) -> Any:
    said = {1: "It is an old one.", 3: "Since the year 1790."}
    model = book("chat-model", lambda messages: said[len(messages) - 1])

    async def chat(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke([("system", "Chat."), *state["messages"]])]}

    made = graph(MessagesState).add_node("chat", chat).add_edge(START, "chat")
    return made.compile(name="chat", **settings)


async def resumed(workflow: Workflow, thing: Any, task: object) -> object:
    """Say two things in one thread of the user's own."""
    config: Any = {"configurable": {"thread_id": f"mine-{id(current_trace())}"}}
    with workflow.instrumented():
        await thing.ainvoke({"messages": [("user", str(task))]}, config)
        state = await thing.ainvoke({"messages": [("user", "Since when?")]}, config)
    return [message.text for message in state["messages"]]


def told(question: object) -> str:
    return "By the brig."


def asking(book: Book) -> Any:
    model = book("answer-model", "Then take the south gate.")

    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [("user", str(interrupt("By which ship?")))]}

    async def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke([("system", "Be short."), *state["messages"]])]}

    made = graph(MessagesState).add_node("ask", ask).add_node("answer", answer)
    made.add_edge(START, "ask").add_edge("ask", "answer")
    return made.compile(name="asking", checkpointer=InMemorySaver())


@ta.bundle(trainable=True)
def count(state: Draft) -> dict[str, Any]:
    """Note how long it is."""
    return {"note": f"{len(state['draft'].split())} words so far"}


COUNT = '''def count(state: Draft) -> dict[str, Any]:
    """Note how long it is."""
    return {"note": f"{len(state['draft'].split())} words so far"}'''


def bundled(book: Book) -> Any:
    writing, judging = book("write-model", "It is a harbour."), book("judge-model", "That will do.")

    async def write(state: Draft) -> dict[str, Any]:
        return {"draft": str((await writing.ainvoke(f"Write: {state['topic']}")).text)}

    async def judge(state: Draft) -> dict[str, Any]:
        return {"draft": str((await judging.ainvoke(f"Is that enough? {state['note']}")).text)}

    made = graph(Draft, input_schema=Topic, output_schema=Drafted)
    made.add_node("write", write).add_node("count", graph_node(count)).add_node("judge", judge)
    made.add_edge(START, "write").add_edge("write", "count").add_edge("count", "judge")
    return made.compile(name="counted")


@tool
def add(first: int, second: int) -> int:
    """Add two numbers."""
    return first + second


def with_tool_node(book: Book) -> Any:
    bound = book("think-model", asks("add", "It is 5 in total.", first=2, second=3)).bind_tools(
        [add]
    )

    def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [bound.invoke([("system", "Compute."), *state["messages"]])]}

    made = graph(MessagesState).add_node("think", think).add_node("tools", ToolNode([add]))
    made.add_edge(START, "think").add_conditional_edges("think", tools_condition)
    return made.add_edge("tools", "think").compile(name="sums")


def functional(book: Book) -> Any:
    model = book("flow-model", "It is an old one.")

    @step
    async def answer(question: str) -> str:
        said = await model.ainvoke([("system", "Know it all."), ("human", question)])
        return str(said.text)

    @entrypoint()
    async def flow(question: str) -> str:
        return await answer(question)

    return cast("Any", flow)


def retrying(book: Book) -> Any:
    model = book("try-model", "Here we are at last.")

    async def attempt(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke([("system", "Try."), *state["messages"]])]}

    policy = RetryPolicy(initial_interval=0, jitter=False, retry_on=ConnectionError)
    made = graph(MessagesState).add_node("attempt", attempt, retry_policy=policy)
    return made.add_edge(START, "attempt").compile(name="trying")


STATES = [
    Case(
        "checkpoint",
        lambda book: chatting(book, checkpointer=InMemorySaver()),
        {"chat.system_message": "Chat."},
        {
            "chat.system_message > chat-model",
            "task > chat-model",
            "chat.system_message > chat-model#2",
            "task > chat-model#2",
            "chat-model > chat-model#2",
            "input Since when? > chat-model#2",
            "chat-model#2 > output",
        },
        ("chat.system_message", "Gossip.", "Gossip."),
        "chat-model",
        output=[TASK, "It is an old one.", "Since when?", "Since the year 1790."],
        drive=resumed,
        call=2,
    ),
    Case(
        "interrupt",
        asking,
        {"answer.system_message": "Be short."},
        {
            "answer.system_message > answer-model",
            "task > answer-model",
            "input By the brig. > answer-model",
            "answer-model > asking",
        },
        ("answer.system_message", "Be long.", "Be long."),
        "answer-model",
        output="Then take the south gate.",
        options={"answer": told},
    ),
    Case(
        "bundled node",
        bundled,
        {
            "write.user_message": "Write: {topic}",
            "judge.user_message": "Is that enough? {note}",
            "count.code": COUNT,
        },
        {
            "write.user_message > write-model",
            "task > write-model",
            "count.code > count",
            "write-model > count",
            "task > count",
            "judge.user_message > judge-model",
            "count > judge-model",
            "judge-model > counted",
        },
        (
            "count.code",
            COUNT.replace("words so far", "is the number of words"),
            "4 is the number of words",
        ),
        "judge-model",
        first="4 words so far",
        output={"draft": "That will do."},
    ),
    Case(
        "tool node",
        with_tool_node,
        {
            "think.system_message": "Compute.",
            "think.tools.add.description": "Add two numbers.",
        },
        {
            *(
                f"think.{part} > think-model{call}"
                for part in ("system_message", "tools.add.description")
                for call in ("", "#2")
            ),
            "task > think-model",
            "task > think-model#2",
            "think-model > add",
            "think-model > think-model#2",
            "add > think-model#2",
            "think-model#2 > sums",
        },
        ("think.tools.add.description", "Sum up.", "Sum up."),
        "think-model",
        output="It is 5 in total.",
        threads=True,
    ),
    Case(
        "functional",
        functional,
        {"answer.system_message": "Know it all."},
        {"answer.system_message > flow-model", "task > flow-model", "flow-model > flow"},
        ("answer.system_message", "Know nothing.", "Know nothing."),
        "flow-model",
        output="It is an old one.",
        options={"name": "flow"},
    ),
    Case(
        "retrying node",
        retrying,
        {"attempt.system_message": "Try."},
        {"attempt.system_message > try-model", "task > try-model", "try-model > trying"},
        ("attempt.system_message", "Try hard.", "Try hard."),
        "try-model",
        output="Here we are at last.",
        survives=True,
        rescued="Here we are at last.",
    ),
]
