"""Agents of `create_agent`: prompts, tools, middleware, structured output, agents in tools."""

from __future__ import annotations

from typing import Annotated, Any, cast

import anyio
import pytest

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool, ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from tests.adapters.speaking import Heard, Speaking, calls, edges, episode, values
from trace_agents.errors import EpisodeFailed
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace
from trace_agents_adapters.langchain import LangChainWorkflow, NothingToLearn
from trace_agents_adapters.otel import SpanRecorder


@tool
def weather(city: Annotated[str, "Where to look."]) -> str:
    """Look up the weather."""
    return f"It is sunny in {city} today."


def asks_weather(heard: Heard) -> str | AIMessage:
    return "Rome is fine today." if heard.answered else calls("weather", city="Rome")


def agent(model: Speaking, *tools: Any, **settings: Any) -> Any:
    settings = {"system_prompt": "Be kind.", "name": "bot", **settings}
    return cast("Any", create_agent(model, list(tools), **settings))


async def test_what_an_agent_offers_are_parameters_down_to_the_arguments() -> None:
    """The prompt, the tool's and its argument's description are found, bound and restored."""
    model = Speaking(say=asks_weather)
    workflow = LangChainWorkflow(agent(model, weather))
    assert values(workflow) == {
        "bot.system_message": "Be kind.",
        "bot.tools.weather.description": "Look up the weather.",
        "bot.tools.weather.arguments.city.description": "Where to look.",
    }
    assert model.heard == []
    new = {name: f"New {number}" for number, name in enumerate(values(workflow))}
    await episode(workflow, Trace("e", 1, new), "How is it?")
    offered = model.heard[0].tools[0]["function"]
    assert model.heard[0].texts[0] == "New 0"
    assert offered["description"] == "New 1"
    assert offered["parameters"]["properties"]["city"]["description"] == "New 2"
    assert weather.description == "Look up the weather."
    assert weather.args["city"]["description"] == "Where to look."


async def test_a_tools_handled_error_is_an_error_in_its_node() -> None:
    """An error that LangChain turns into a message for the model is one in the graph too."""

    @tool
    def search(query: str) -> str:
        """Search the archive."""
        raise ToolException("the archive is closed")

    search.handle_tool_error = True

    def say(heard: Heard) -> str | AIMessage:
        return "Nothing was found." if heard.answered else calls("search", query="bears")

    trace = Trace("e")
    await episode(LangChainWorkflow(agent(Speaking(say=say), search)), trace, "Find bears")
    (node,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert node.error is not None
    assert "the archive is closed" in node.error


async def test_sync_tools_run_in_threads_with_the_context_of_their_episode() -> None:
    """A sync tool that calls a chain is bound and recorded in the episode that called it."""
    inner = Speaking(say=lambda _: "The short version.")
    helper = agent(inner, system_prompt="Shorten it.", name="short")

    @tool
    def shorten(text: str) -> str:
        """Shorten a text."""
        return str(helper.invoke({"messages": [("user", text)]})["messages"][-1].text)

    def say(heard: Heard) -> str | AIMessage:
        return "Done with it." if heard.answered else calls("shorten", text="a long text")

    workflow = LangChainWorkflow(agent(Speaking(say=say), shorten))
    trace = Trace("e", 1, {"short.system_message": "Cut it."})
    await episode(workflow, trace, "Go on")
    assert inner.heard[0].texts == ["Cut it.", "a long text"]
    assert ("model:short", "shorten", "content") in edges(trace.graph())


async def test_a_cancelled_run_stops_with_its_threads() -> None:
    """After a cancellation no model is called any more, not even by a thread that was left."""
    started, go_on = anyio.Event(), anyio.Event()
    inner = Speaking(say=lambda _: "One step.")
    portal: dict[str, Any] = {}

    @tool
    def work(job: str) -> str:
        """Do a job in two steps."""
        anyio.from_thread.run_sync(started.set, token=portal["token"])
        anyio.from_thread.run(go_on.wait, token=portal["token"])
        try:
            return str(inner.invoke("the second step").text)
        except EpisodeFailed as error:
            portal["error"] = str(error)
            raise
        finally:
            anyio.from_thread.run_sync(portal["done"].set, token=portal["token"])

    portal["token"], portal["done"] = anyio.lowlevel.current_token(), anyio.Event()
    workflow = LangChainWorkflow(agent(Speaking(say=lambda _: calls("work", job="it")), work))
    trace = Trace("e")
    async with anyio.create_task_group() as group:
        group.start_soon(episode, workflow, trace, "Begin")
        await started.wait()
        group.cancel_scope.cancel()
    go_on.set()
    await portal["done"].wait()
    assert inner.heard == []
    assert portal["error"].startswith("the run is over")
    graph = trace.graph()
    assert graph.problems == ()
    assert [n.error for n in graph.of_kind(Kind.TOOL_CALL)] == [
        "the run was over before the call was"
    ]


async def test_each_episode_has_a_thread_of_its_own_and_leaves_nothing() -> None:
    """An agent with a checkpointer forgets between episodes; what the user has saved stays."""
    saver = InMemorySaver()
    model = Speaking()
    remembering = agent(model, checkpointer=saver)
    config = {"configurable": {"thread_id": "mine"}}
    await remembering.ainvoke({"messages": [("user", "Keep this.")]}, config)
    workflow = LangChainWorkflow(remembering)
    await episode(workflow, Trace("a"), "One")
    await episode(workflow, Trace("b"), "Two")
    assert model.heard[-1].texts == ["Be kind.", "Two"]
    assert list(saver.storage) == ["mine"]


def test_an_agent_with_nothing_to_learn_and_a_tool_without_words_get_sentences() -> None:
    """Nothing is invented where there is no text: a warning says what is missing."""

    class Blank(BaseModel):
        city: str

    @tool("mute", args_schema=Blank, description=" ")
    def mute(city: str) -> str:
        return city

    with pytest.warns(NothingToLearn) as told:
        found = LangChainWorkflow(agent(Speaking(), mute, system_prompt=None)).parameters()
    assert list(found) == []
    silent, nothing = (str(warning.message) for warning in told)
    assert silent.startswith("the tool 'mute' of 'bot' has no description")
    assert nothing.startswith("'bot' has nothing to learn")


async def test_a_tool_that_refers_to_its_own_workflow_ends_the_search() -> None:
    """A workflow whose tool runs the workflow again is searched once, and runs inside itself."""

    @tool
    async def again(question: str) -> str:
        """Ask once more."""
        return str(await workflow.run(question))

    def say(heard: Heard) -> str | AIMessage:
        deeper = heard.texts[1] == "Why?" and not heard.answered
        return calls("again", question="Really?") if deeper else "Because it is so."

    workflow = LangChainWorkflow(agent(Speaking(say=say), again))
    assert list(values(workflow)) == ["bot.system_message", "bot.tools.again.description"]
    trace = Trace("e")
    assert await episode(workflow, trace, "Why?") == "Because it is so."
    assert [node.name for node in trace.graph().of_kind(Kind.OUTPUT)] == ["bot"]


async def test_a_tool_whose_class_calls_the_method_that_it_overrides_is_one_call() -> None:
    """A tool of the user's own class around LangChain's `arun` is not counted twice."""

    class Careful(StructuredTool):
        async def arun(self, *args: Any, **settings: Any) -> Any:
            return await super().arun(*args, **settings)

    careful = Careful.from_function(coroutine=look, name="weather", description="Look up.")
    trace = Trace("e")
    await episode(LangChainWorkflow(agent(Speaking(say=asks_weather), careful)), trace, "Go")
    names = [record.name for record in trace.recorder(SpanRecorder, SpanRecorder).records()]
    assert names.count("execute_tool weather") == 1


async def look(city: str) -> str:
    return f"It rains in {city} today."
