"""Each sort of agent of `create_agent`: how it is built, found, connected, and what it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain.agents.middleware import SummarizationMiddleware, dynamic_prompt, wrap_model_call
from langchain.agents.structured_output import ToolStrategy
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from tests.adapters.langchain_kit import TASK, Book, Case, asks

DEPTH = '''def depth(place: Annotated[str, "Name of the basin."]) -> str:
    """Look up how deep a basin is."""
    return f"The basin of {place} is seven fathoms deep."'''


@tool(parse_docstring=False)
def depth(place: Annotated[str, "Name of the basin."]) -> str:
    """Look up how deep a basin is."""
    return f"The basin of {place} is seven fathoms deep."


@tool
async def tide(day: str) -> str:
    """Look up the tide."""
    return f"High at noon on {day}."


class Verdict(BaseModel):
    """What is thought of it."""

    good: bool


@dynamic_prompt
def polite(request: Any) -> str:
    return "Be polite and brief."


@wrap_model_call  # pyright: ignore[reportUntypedFunctionDecorator]
async def once_more(request: Any, handler: Any) -> Any:
    try:
        return await handler(request)
    except ConnectionError:
        return await handler(request)


def agent(book: Book, name: str, say: Any, *tools: Any, **settings: Any) -> Any:
    settings = {"system_prompt": f"You are the {name}.", "name": name, **settings}
    return cast("Any", create_agent(book(f"{name}-model", say), list(tools), **settings))


def pilot(book: Book) -> Any:
    return agent(book, "pilot", asks("depth", "Seven fathoms it is.", place="Aberwick"), depth)


def two_tools(book: Book) -> Any:
    calls = [
        {"id": "c1", "name": "depth", "args": {"place": "Dunholm"}},
        {"id": "c2", "name": "tide", "args": {"day": "Monday"}},
    ]

    def say(messages: Any) -> str | AIMessage:
        done = messages[-1].type == "tool"
        return "Come on Monday at noon." if done else AIMessage("", tool_calls=calls)

    return agent(book, "pilot", say, depth, tide)


def harbour_master(book: Book) -> Any:
    clerk = agent(book, "clerk", "The fee has been paid.")
    smith = agent(book, "smith", "The anchor is mended.")

    @tool
    async def ask_clerk(question: str) -> str:
        """Ask the clerk."""
        result = await clerk.ainvoke({"messages": [("user", question)]})
        return str(result["messages"][-1].text)

    @tool
    async def ask_smith(question: str) -> str:
        """Ask the smith."""
        result = await smith.ainvoke({"messages": [("user", question)]})
        return str(result["messages"][-1].text)

    order = [
        AIMessage("", tool_calls=[{"id": "c1", "name": "ask_clerk", "args": {"question": "Fee?"}}]),
        AIMessage(
            "", tool_calls=[{"id": "c2", "name": "ask_smith", "args": {"question": "Iron?"}}]
        ),
        AIMessage("She may sail at once."),
    ]

    def in_turn(messages: list[BaseMessage]) -> AIMessage:
        return order[sum(message.type == "tool" for message in messages)]

    return agent(
        book,
        "master",
        in_turn,
        ask_clerk,
        ask_smith,
    )


TOOLS = {
    "pilot.system_message": "You are the pilot.",
    "pilot.tools.depth.description": "Look up how deep a basin is.",
    "pilot.tools.depth.arguments.place.description": "Name of the basin.",
}
WITH_TOOL = {
    *(f"{parameter} > pilot-model{call}" for parameter in TOOLS for call in ("", "#2")),
    "task > pilot-model",
    "task > pilot-model#2",
    "pilot-model > depth",
    "pilot-model > pilot-model#2",
    "depth > pilot-model#2",
    "pilot-model#2 > pilot",
}


@dataclass
class Guest:
    name: str


@dynamic_prompt
def by_name(request: Any) -> str:
    return f"Call the guest {request.runtime.context.name}."


@tool
def berth(runtime: ToolRuntime[Guest, dict[str, Any]]) -> str:
    """Look up the guest's berth."""
    return f"The berth of {runtime.context.name} is the ninth."


def with_context(book: Book) -> Any:
    say = asks("berth", "It is number nine.")
    settings: dict[str, Any] = {"system_prompt": None, "middleware": [by_name]}
    return agent(book, "host", say, berth, context_schema=Guest, **settings)


def summarizing(book: Book) -> Any:
    summary = SummarizationMiddleware(
        model=book("sum-model", "They spoke of the basin."),
        trigger=("messages", 3),
        keep=("messages", 1),
        summary_prompt="Sum this up:\n{messages}\nBriefly.",
    )
    say = asks("depth", "Seven fathoms it is.", place="Aberwick")
    return agent(book, "pilot", say, depth, middleware=[summary])


AGENTS = [
    Case(
        "summarizing middleware",
        summarizing,
        {
            "pilot.system_message": "You are the pilot.",
            "pilot.tools.depth.description": "Look up how deep a basin is.",
            "pilot.tools.depth.arguments.place.description": "Name of the basin.",
            "pilot.summary_prompt": "Sum this up:\n{messages}\nBriefly.",
        },
        {
            *(f"{parameter} > pilot-model{call}" for parameter in TOOLS for call in ("", "#2")),
            "task > pilot-model",
            "pilot-model > depth",
            "pilot.summary_prompt > sum-model",
            "task > sum-model",
            f'input <message type="human">{TASK}</message> > sum-model',
            "sum-model > pilot-model#2",
            "input Here is a summary of the conversation to date:\n\nThey spoke of the basin."
            " > pilot-model#2",
            "pilot-model > pilot-model#2",
            "depth > pilot-model#2",
            "pilot-model#2 > pilot",
        },
        ("pilot.summary_prompt", "Shorten:\n{messages}", "Shorten:"),
        "sum-model",
        first="Sum this up:",
        output="Seven fathoms it is.",
        survives=True,
        rescued="Seven fathoms it is.",
    ),
    Case(
        "runtime context",
        with_context,
        {
            "host.system_message": "Call the guest Ada of Dover.",
            "host.tools.berth.description": "Look up the guest's berth.",
        },
        {
            *(
                f"host.{part} > host-model{call}"
                for part in ("system_message", "tools.berth.description")
                for call in ("", "#2")
            ),
            "task > host-model",
            "task > host-model#2",
            "host-model > berth",
            "host-model > host-model#2",
            "berth > host-model#2",
            "host-model#2 > host",
        },
        ("host.tools.berth.description", "Find the berth.", "Find the berth."),
        "host-model",
        output="It is number nine.",
        options={
            "context": Guest("Ada of Dover"),
            "config": {"configurable": {"thread_id": "mine"}, "recursion_limit": 9},
        },
    ),
    Case(
        "tool",
        pilot,
        TOOLS,
        WITH_TOOL,
        ("pilot.tools.depth.arguments.place.description", "Which one?", "Which one?"),
        "pilot-model",
        output="Seven fathoms it is.",
        call=2,
    ),
    Case(
        "tool code",
        pilot,
        TOOLS | {"pilot.tools.depth.code": DEPTH},
        WITH_TOOL | {"pilot.tools.depth.code > depth"},
        (
            "pilot.tools.depth.code",
            DEPTH.replace("seven fathoms deep", "far too shallow"),
            "The basin of Aberwick is far too shallow.",
        ),
        "pilot-model",
        first="The basin of Aberwick is seven fathoms deep.",
        output="Seven fathoms it is.",
        options={"tool_code": True},
        call=2,
    ),
    Case(
        "two tools at once",
        two_tools,
        TOOLS | {"pilot.tools.tide.description": "Look up the tide."},
        WITH_TOOL
        | {
            "pilot.tools.tide.description > pilot-model",
            "pilot.tools.tide.description > pilot-model#2",
            "pilot-model > tide",
            "tide > pilot-model#2",
        },
        ("pilot.tools.tide.description", "Ask the moon.", "Ask the moon."),
        "pilot-model",
        output="Come on Monday at noon.",
    ),
    Case(
        "middleware",
        lambda book: agent(
            book, "host", "Welcome ashore.", system_prompt=None, middleware=[polite]
        ),
        {"host.system_message": "Be polite and brief."},
        {"host.system_message > host-model", "task > host-model", "host-model > host"},
        ("host.system_message", "Be rude.", "Be rude."),
        "host-model",
        output="Welcome ashore.",
    ),
    Case(
        "retrying middleware",
        lambda book: agent(
            book,
            "host",
            "Welcome ashore.",
            middleware=[once_more],
        ),
        {"host.system_message": "You are the host."},
        {"host.system_message > host-model", "task > host-model", "host-model > host"},
        ("host.system_message", "Be rude.", "Be rude."),
        "host-model",
        output="Welcome ashore.",
        survives=True,
        rescued="Welcome ashore.",
    ),
    Case(
        "structured output",
        lambda book: agent(
            book,
            "judge",
            AIMessage("", tool_calls=[{"id": "v", "name": "Verdict", "args": {"good": True}}]),
            response_format=ToolStrategy(Verdict),
        ),
        {
            "judge.system_message": "You are the judge.",
            "judge.tools.Verdict.description": "What is thought of it.",
        },
        {
            "judge.system_message > judge-model",
            "judge.tools.Verdict.description > judge-model",
            "task > judge-model",
            "judge-model > judge",
        },
        ("judge.tools.Verdict.description", "Say yes or no.", "Say yes or no."),
        "judge-model",
        output=Verdict(good=True),
    ),
    Case(
        "supervisor",
        harbour_master,
        {
            "master.system_message": "You are the master.",
            "master.tools.ask_clerk.description": "Ask the clerk.",
            "master.tools.ask_smith.description": "Ask the smith.",
            "clerk.system_message": "You are the clerk.",
            "smith.system_message": "You are the smith.",
        },
        {
            *(
                f"master.{part} > master-model{call}"
                for part in (
                    "system_message",
                    "tools.ask_clerk.description",
                    "tools.ask_smith.description",
                )
                for call in ("", "#2", "#3")
            ),
            *(f"task > master-model{call}" for call in ("", "#2", "#3")),
            "master-model > ask_clerk",
            "clerk.system_message > clerk-model",
            "master-model > clerk-model",
            "clerk-model > ask_clerk",
            "master-model > master-model#2",
            "ask_clerk > master-model#2",
            "master-model#2 > ask_smith",
            "smith.system_message > smith-model",
            "master-model#2 > smith-model",
            "smith-model > ask_smith",
            "master-model > master-model#3",
            "ask_clerk > master-model#3",
            "master-model#2 > master-model#3",
            "ask_smith > master-model#3",
            "master-model#3 > master",
        },
        ("smith.system_message", "You are a rigger.", "You are a rigger."),
        "smith-model",
        output="She may sail at once.",
        failed=("smith-model", "ask_smith"),
    ),
]
