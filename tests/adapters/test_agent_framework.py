"""Agents of Microsoft Agent Framework: what is found, bound and connected; what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import (
    Agent,
    Content,
    ContextProvider,
    FunctionTool,
)
from agent_framework.observability import OBSERVABILITY_SETTINGS
from pydantic import BaseModel

import trace_agents as ta
from tests.adapters.agent_framework_kit import (
    ARGUMENT,
    CHANGED,
    DESCRIPTION,
    ScriptedClient,
    calls,
    depth,
    drawn,
    pilot,
    run,
)
from trace_agents.tracing.context import Trace
from trace_agents_adapters.agent_framework import AgentFrameworkWorkflow


def test_parameters_are_found_by_reading() -> None:
    """Instructions, tools and described arguments are found, and no model is called."""
    agent, client = pilot()
    found = {name: p.value for name, p in ta.wrap(agent).parameters().items()}
    assert found == {
        "pilot.system_message": "You are the pilot.",
        DESCRIPTION: "Look up how deep a harbour is.",
        ARGUMENT: "Name of the harbour.",
    }
    assert client.texts == []


def test_a_tool_may_come_with_a_schema_of_its_own() -> None:
    """Of a schema that somebody else wrote, what is described is found."""
    properties: dict[str, Any] = {"place": {"description": "Where."}, "rest": True}
    schema = {"type": "object", "properties": properties}
    sound = FunctionTool(name="sound", description="Sound it.", func=depth, input_model=schema)
    agent, _ = pilot(tools=[sound])
    names = [name for name in ta.wrap(agent).parameters() if "sound" in name]
    assert names == [
        "pilot.tools.sound.description",
        "pilot.tools.sound.arguments.place.description",
    ]


async def test_a_run_becomes_a_graph() -> None:
    """Parameters, task, calls, tool and output are connected as the data went."""
    agent, _ = pilot()
    trace = Trace("e", 0)
    assert await run(AgentFrameworkWorkflow(agent), trace) == "It is deep enough."
    assert trace.calls == 2
    expected = {f"{name} > pilot-model{again}" for name in CHANGED for again in ("", "#2")}
    assert drawn(trace.graph()) == expected | {
        "task > pilot-model",
        "task > pilot-model#2",
        "pilot-model > depth",
        "pilot-model > pilot-model#2",
        "depth > pilot-model#2",
        "pilot-model#2 > pilot",
    }
    assert trace.graph().problems == ()


async def test_a_version_reaches_the_model_and_the_agent_stays() -> None:
    """The model is given the pinned texts, and the user's agent and tools keep their own."""
    agent, client = pilot()
    offered = agent.default_options["tools"][0]
    assert await run(AgentFrameworkWorkflow(agent), Trace("e", 3, CHANGED)) == "It is deep enough."
    assert client.instructions == ["Be brief."] * 2
    assert client.tools == [{"depth": ("Sound it.", {"place": "Which one."})}] * 2
    assert agent.default_options["instructions"] == "You are the pilot."
    assert agent.default_options["tools"] == [offered]
    assert offered.description == "Look up how deep a harbour is."
    assert offered.parameters()["properties"]["place"]["description"] == "Name of the harbour."


async def test_an_agent_as_tool_is_a_part_of_the_graph() -> None:
    """The agent behind a tool is found, bound, and connected with the call that asked it."""
    asked = ScriptedClient("tides-model", "The tide turns at noon.")
    tides: Agent[Any] = Agent(asked, "Know tides.", name="tides", description="Knows tides.")
    client = ScriptedClient("chief-model", calls("tides", "Sail at noon.", task="When?"))
    chief: Agent[Any] = Agent(client, "Lead.", name="chief", tools=[tides.as_tool()])
    workflow = AgentFrameworkWorkflow(chief)
    values = {"chief.tools.tides.description": "Ask it.", "tides.system_message": "Be exact."}
    assert {"chief.system_message", *values} < set(workflow.parameters())
    trace = Trace("e", 1, values)
    assert await run(workflow, trace) == "Sail at noon."
    assert asked.instructions == ["Be exact."]
    assert client.tools[0]["tides"][0] == "Ask it."
    edges = drawn(trace.graph())
    assert {"chief-model > tides", "tides.system_message > tides-model"} <= edges
    assert {"tides-model > tides", "tides > chief-model#2"} <= edges


class Store:
    def __init__(self, clerk: Agent[Any]) -> None:
        self.clerk = clerk

    async def ropes(self) -> str:
        """Count the ropes."""
        return (await self.clerk.run("How many ropes are there?")).text


async def test_agents_with_one_text_have_their_own_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who speaks is known without the framework's spans, so that equal texts stay apart."""
    monkeypatch.setattr(OBSERVABILITY_SETTINGS, "enable_instrumentation", False)
    asked = ScriptedClient("tides-model", "At noon.")
    tides: Agent[Any] = Agent(asked, "Be brief.", name="tides")
    client = ScriptedClient("chief-model", calls("tides", "Sail at noon.", task="When?"))
    chief: Agent[Any] = Agent(client, "Be brief.", name="chief", tools=[tides.as_tool()])
    values = {"chief.system_message": "Be kind.", "tides.system_message": "Be exact."}
    await run(AgentFrameworkWorkflow(chief), Trace("e", 1, values))
    assert client.instructions == ["Be kind."] * 2
    assert asked.instructions == ["Be exact."]


@pytest.mark.parametrize("method", [False, True])
async def test_an_agent_that_a_tools_function_asks_is_found(method: bool) -> None:
    """An agent that a function or an object of the user's reads is a part too."""
    asked = ScriptedClient("clerk-model", "Nine ropes.")
    clerk: Agent[Any] = Agent(asked, "Count.", name="clerk")

    async def ropes() -> str:
        """Count the ropes."""
        return (await clerk.run("How many ropes are there?")).text

    tool = Store(clerk).ropes if method else ropes
    chief: Agent[Any] = Agent(
        ScriptedClient("m", calls("ropes", "Nine.")), "Lead.", name="chief", tools=[tool]
    )
    workflow, trace = AgentFrameworkWorkflow(chief), Trace("e", 1, {"clerk.system_message": "Sum."})
    assert await run(workflow, trace) == "Nine."
    assert asked.instructions == ["Sum."]
    assert "clerk.system_message > clerk-model" in drawn(trace.graph())


async def test_a_structured_answer_comes_out_as_its_value() -> None:
    """With a response format the output is the parsed object, connected with the model's call."""

    class Port(BaseModel):
        name: str

    client = ScriptedClient("m", '{"name": "Hull harbour"}')
    options: Any = {"response_format": Port}
    agent: Agent[Any] = Agent(client, "Find it.", name="finder", default_options=options)
    trace = Trace("e", 0)
    assert await run(AgentFrameworkWorkflow(agent), trace) == Port(name="Hull harbour")
    assert "m > finder" in drawn(trace.graph())


async def test_what_a_context_provider_adds_is_kept() -> None:
    """Instructions that grow at run time keep what was added, after the pinned text."""

    class Weather(ContextProvider):
        async def before_run(self, *, context: Any, **settings: Any) -> None:
            context.extend_instructions("weather", "It rains today.")

    agent, client = pilot(context_providers=[Weather("weather")])
    await run(AgentFrameworkWorkflow(agent), Trace("e", 0, CHANGED))
    assert client.instructions == ["Be brief.\nIt rains today."] * 2


def test_nothing_to_learn_is_refused_with_a_sentence() -> None:
    """An agent without instructions and described tools says what to give it."""
    bare: Agent[Any] = Agent(ScriptedClient("m", "Yes."), name="bare")
    with pytest.raises(ta.NotWrappable, match=r"'bare' has nothing to learn: .* instructions="):
        ta.wrap(bare)


def test_what_is_no_agent_is_refused_with_a_sentence() -> None:
    """A part of the framework that does not run by itself is named."""
    with pytest.raises(ta.NotWrappable, match="ScriptedClient"):
        AgentFrameworkWorkflow(ScriptedClient("m", "Yes."))  # type: ignore[arg-type]
    with pytest.raises(ta.NotWrappable, match=r"Content is neither an Agent nor a Workflow"):
        ta.wrap(Content.from_text("Yes."))
