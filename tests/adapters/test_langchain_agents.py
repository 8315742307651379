"""Agents of `create_agent`: prompts, tools, middleware, structured output, agents in tools."""

from __future__ import annotations

from typing import Annotated, Any, cast

import anyio
import pytest

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain.agents.middleware import dynamic_prompt
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage
from langchain_core.tools import ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from tests.adapters.speaking import Heard, Speaking, calls, edges, episode, values
from trace_agents.errors import EpisodeFailed
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace
from trace_agents_adapters.langchain import LangChainWorkflow, NothingToLearn


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


async def test_an_agents_values_flow_from_the_task_through_its_tool() -> None:
    """The edges of a run with one tool call, all of those that carry data."""
    trace = Trace("e")
    await episode(
        LangChainWorkflow(agent(Speaking(say=asks_weather), weather)), trace, "How is it?"
    )
    flow = {(source, target) for source, target, _ in edges(trace.graph())}
    prompt, told = "bot.system_message", "bot.tools.weather.description"
    argument = "bot.tools.weather.arguments.city.description"
    assert {
        *(
            (parameter, f"model:bot{call}")
            for parameter in (prompt, told, argument)
            for call in ("", ".2")
        ),
        ("input", "model:bot"),
        ("input", "model:bot.2"),
        ("model:bot", "weather"),
        ("model:bot", "model:bot.2"),
        ("weather", "model:bot.2"),
        ("model:bot.2", "bot"),
    } == flow - {("weather", "weather")}


async def test_a_prompt_that_middleware_makes_is_a_parameter() -> None:
    """What `dynamic_prompt` returns is found at the model, and replaced there."""

    @dynamic_prompt
    def polite(request: Any) -> str:
        return "Be polite and brief."

    model = Speaking()
    workflow = LangChainWorkflow(agent(model, system_prompt=None, middleware=[polite]))
    assert values(workflow) == {"bot.system_message": "Be polite and brief."}
    await episode(workflow, Trace("e", 1, {"bot.system_message": "Be rude."}), "Hello")
    assert model.heard[0].texts == ["Be rude.", "Hello"]


async def test_structured_output_comes_out_as_it_is() -> None:
    """The schema's description is a parameter, and the output is the object."""

    class City(BaseModel):
        """A city that was asked for."""

        title: str

    model = Speaking(say=lambda _: calls("City", title="Rome"))
    workflow = LangChainWorkflow(agent(model, response_format=ToolStrategy(City)))
    assert values(workflow)["bot.tools.City.description"] == "A city that was asked for."
    assert await episode(workflow, Trace("e"), "I love Rome") == City(title="Rome")


async def test_a_sub_agent_in_a_tool_belongs_to_the_same_episode() -> None:
    """A supervisor whose tool is an agent: both prompts are found, and data flows through."""
    inner = Speaking(say=lambda _: "The invoice is paid.")
    billing = agent(inner, system_prompt="Know bills.", name="billing")

    @tool
    async def ask_billing(question: str) -> str:
        """Ask the billing agent."""
        result = await billing.ainvoke({"messages": [("user", question)]})
        return str(result["messages"][-1].text)

    def say(heard: Heard) -> str | AIMessage:
        asked = calls("ask_billing", question="Is invoice 7 paid?")
        return "Yes, all is well." if heard.answered else asked

    workflow = LangChainWorkflow(agent(Speaking(say=say), ask_billing, name="boss"))
    assert values(workflow) == {
        "boss.system_message": "Be kind.",
        "boss.tools.ask_billing.description": "Ask the billing agent.",
        "billing.system_message": "Know bills.",
    }
    trace = Trace("e", 1, {"billing.system_message": "Be exact."})
    await episode(workflow, trace, "What about invoice 7?")
    assert inner.heard[0].texts == ["Be exact.", "Is invoice 7 paid?"]
    assert {
        ("billing.system_message", "model:billing", "parameter"),
        ("model:boss", "model:billing", "content"),
        ("model:billing", "ask_billing", "content"),
        ("ask_billing", "model:boss.2", "tool_call_id"),
        ("model:boss.2", "boss", "content"),
    } <= edges(trace.graph())


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


async def test_a_models_error_is_in_its_node_and_fails_the_run() -> None:
    """A model that raises leaves a node with the error; the run raises it."""

    def say(heard: Heard) -> str:
        raise ConnectionError("the model is down")

    trace = Trace("e")
    with pytest.raises(ConnectionError):
        await episode(LangChainWorkflow(agent(Speaking(say=say))), trace, "Hi")
    (node,) = trace.graph().of_kind(Kind.LLM_CALL)
    assert node.error == "ConnectionError: the model is down"


async def test_two_versions_of_one_agent_run_at_once() -> None:
    """Thirty episodes of one object, half of each version, meet inside their tools."""
    met = anyio.Event()
    waiting = 0

    @tool
    async def meet(place: str) -> str:
        """Meet at a place."""
        nonlocal waiting
        waiting += 1
        if waiting == 30:
            met.set()
        await met.wait()
        return f"They met at {place}."

    def say(heard: Heard) -> str | AIMessage:
        return f"Prompt {heard.texts[0]}." if heard.answered else calls("meet", place="noon")

    workflow = LangChainWorkflow(agent(Speaking(say=say), meet))
    traces = [Trace(f"e{i}", i % 2, {"bot.system_message": f"V{i % 2}"}) for i in range(30)]
    outputs: dict[str, object] = {}

    async def one(trace: Trace) -> None:
        outputs[trace.episode] = await episode(workflow, trace, f"Task of {trace.episode}")

    async with anyio.create_task_group() as group:
        for trace in traces:
            group.start_soon(one, trace)
    assert outputs == {trace.episode: f"Prompt V{trace.version}." for trace in traces}
    for trace in traces:
        inputs = [node.value for node in trace.graph().of_kind(Kind.INPUT)]
        assert inputs == [f"Task of {trace.episode}"]


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
