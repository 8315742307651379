"""AutoGen agents and teams as workflows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import cast

import anyio
import anyio.lowlevel
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import BaseTool
from pydantic import BaseModel

from tests.adapters.scripted import ScriptedClient, calls_weather, team, tool_agent
from trace_agents.graph import Graph, Kind, Reason
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.autogen import AutoGenWorkflow, adapter
from trace_agents_adapters.otel import SpanRecorder, read_graphs


async def episode(workflow: AutoGenWorkflow, trace: Trace, task: str) -> object:
    with recording(trace):
        return await workflow.run(task)


def edges(graph: Graph) -> set[tuple[str, str, str]]:
    name = {n.id: n.name for n in graph.nodes}
    return {(name[e.source], name[e.target], str(e.reason)) for e in graph.edges}


def reread(trace: Trace, path: Path) -> list[Graph]:
    path.write_text("\n".join(line for r in trace.recorders for line in r.lines()))
    return read_graphs(path)


def test_parameters_of_an_agent_are_found_without_calling_its_model() -> None:
    """A system message and a tool's description are found, and the agent is as before."""
    client = ScriptedClient(calls_weather())
    found = AutoGenWorkflow(tool_agent(client)).parameters()
    assert {n: p.value for n, p in found.items()} == {
        "writer.system_message": "Write well.",
        "writer.tools.weather.description": "Look up the weather.",
    }
    assert client.seen == []


async def test_parameters_are_found_inside_a_running_loop() -> None:
    """A team's agents are found one by one, although they share one text."""
    workflow = AutoGenWorkflow(lambda: team(ScriptedClient(str), ScriptedClient(str)))
    assert list(workflow.parameters()) == [
        "writer.system_message",
        "critic.system_message",
        "termination.max_messages",
    ]


async def test_the_pinned_version_reaches_the_model() -> None:
    """The model gets the new prompt and description; the agent keeps its own."""
    client = ScriptedClient(calls_weather())
    workflow = AutoGenWorkflow(lambda: tool_agent(client))
    values = {"writer.system_message": "New.", "writer.tools.weather.description": "Say it."}
    trace = Trace("e", 1, values)
    assert await episode(workflow, trace, "Rome?") == "The weather report for Rome is ready."
    assert client.systems == ["New.", "New."]
    assert client.seen[0][1][0]["description"] == "Say it."
    assert trace.read == set(values)
    assert trace.tokens == 14
    assert workflow.parameters()["writer.system_message"].value == "Write well."


async def test_agents_with_one_text_get_their_own_values() -> None:
    """Two agents that share a system message are told apart by their names."""
    writer, critic = ScriptedClient(lambda _: "A draft of it."), ScriptedClient(lambda _: "Good.")
    values = {"writer.system_message": "W", "critic.system_message": "C"}
    await episode(AutoGenWorkflow(lambda: team(writer, critic)), Trace("e", 1, values), "Go")
    assert (writer.systems, critic.systems) == (["W"], ["C"])


async def test_a_run_becomes_a_graph_with_reasons(tmp_path: Path) -> None:
    """Prompt, task, tool and answers are connected, live as in the file."""
    workflow = AutoGenWorkflow(lambda: tool_agent(ScriptedClient(calls_weather())), name="w")
    trace = Trace("e", 4)
    await episode(workflow, trace, "How is Rome?")
    graph = trace.graph()
    model = "ScriptedClient"
    assert {
        ("writer.system_message", model, "parameter"),
        ("input", model, "content"),
        (model, "weather", "tool_call_id"),
        ("weather", model, "tool_call_id"),
        (model, "w", "content"),
    } <= edges(graph)
    assert len(next(graph.of_kind(Kind.TOOL_CALL)).spans) == 2
    assert reread(trace, tmp_path / "spans.jsonl") == [graph]


async def test_a_team_is_connected_through_its_messages(tmp_path: Path) -> None:
    """What one agent says is an input of the next by its content."""
    writer, critic = ScriptedClient(lambda _: "A draft of it."), ScriptedClient(lambda _: "Good.")
    trace = Trace("e", 0)
    await episode(AutoGenWorkflow(lambda: team(writer, critic)), trace, "Go")
    graph = trace.graph()
    first, second = graph.of_kind(Kind.LLM_CALL)
    assert any(e.source == first.id and e.reason is Reason.CONTENT for e in graph.inputs[second.id])
    assert reread(trace, tmp_path / "spans.jsonl") == [graph]


async def test_a_tools_error_is_in_its_node() -> None:
    """A tool that raises leaves a node with the error, and the run goes on."""
    workflow = AutoGenWorkflow(lambda: tool_agent(ScriptedClient(calls_weather("Atlantis"))))
    trace = Trace("e", 0)
    await episode(workflow, trace, "How is Atlantis?")
    (node,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert node.error is not None
    assert "no such city" in node.error


async def test_streamed_calls_are_bound_too() -> None:
    """An agent that streams its model's tokens gets the pinned prompt as well."""
    from autogen_agentchat.agents import AssistantAgent

    client = ScriptedClient(lambda _: "Streamed answer.")
    workflow = AutoGenWorkflow(
        lambda: AssistantAgent("s", client, system_message="Old.", model_client_stream=True)
    )
    trace = Trace("e", 1, {"s.system_message": "New."})
    await episode(workflow, trace, "Go")
    assert client.systems == ["New."]
    assert [n.value for n in trace.graph().of_kind(Kind.LLM_CALL)] == ["Streamed answer."]


async def test_many_episodes_of_two_versions_never_mix() -> None:
    """64 episodes at once: each is one version in every span, and holds no other's node."""
    dice = random.Random(7)
    client = ScriptedClient(calls_weather(), pause=lambda: anyio.sleep(dice.random() / 100))
    workflow = AutoGenWorkflow(lambda: tool_agent(client))
    traces = [Trace(f"e{i}", i % 2, {"writer.system_message": f"V{i % 2}"}) for i in range(64)]
    async with anyio.create_task_group() as group:
        for trace in traces:
            group.start_soon(episode, workflow, trace, f"Task of {trace.episode}")
    seen: set[str] = set()
    for trace in traces:
        spans = trace.recorder(SpanRecorder, SpanRecorder).records()
        stamps = {
            (s.attributes["trace_agents.episode.id"], s.attributes["trace_agents.version"])
            for s in spans
        }
        assert stamps == {(trace.episode, trace.version)}
        graph = trace.graph()
        assert graph.by_id["parameter:writer.system_message"].value == f"V{trace.version}"
        assert [n.value for n in graph.of_kind(Kind.INPUT)] == [f"Task of {trace.episode}"]
        ids = {s.span_id for s in spans}
        assert not ids & seen
        seen |= ids


async def test_unwrapping_restores_the_classes() -> None:
    """After the last scope every method is the original again; scopes may overlap."""
    tool = cast("type[BaseTool[BaseModel, BaseModel]]", BaseTool)
    before = (ScriptedClient.create, ScriptedClient.create_stream, tool.run_json)
    workflow = AutoGenWorkflow(lambda: tool_agent(ScriptedClient(calls_weather())))
    with workflow.instrumented():
        assert ScriptedClient.create is not before[0]
        with workflow.instrumented():
            pass
        assert ScriptedClient.create is not before[0]
    assert (ScriptedClient.create, ScriptedClient.create_stream, tool.run_json) == before
    assert "create" in vars(ChatCompletionClient)


async def test_calls_outside_a_recording_pass_through() -> None:
    """Inside the scope but outside a recording, the model gets what the agent has."""
    client = ScriptedClient(lambda _: "Hello.")
    workflow = AutoGenWorkflow(lambda: tool_agent(client))
    with workflow.instrumented():
        await tool_agent(client).run(task="Hi")
    assert client.systems == ["Write well."]


async def test_an_instance_is_copied_for_every_episode() -> None:
    """Episodes of one agent object overlap, each from the start, with the agent's own client."""
    client = ScriptedClient(lambda _: "Hello.", pause=anyio.lowlevel.checkpoint)
    workflow = AutoGenWorkflow(tool_agent(client))
    async with anyio.create_task_group() as group:
        group.start_soon(episode, workflow, Trace("c"), "x")
        group.start_soon(episode, workflow, Trace("d"), "y")
    for messages, _ in client.seen:
        assert [m.type for m in messages] == ["SystemMessage", "UserMessage"]


def test_the_adapter_knows_its_objects_and_narrows() -> None:
    """Agents match, other things do not; `only` freezes the rest."""
    agent = tool_agent(ScriptedClient(calls_weather()))
    assert adapter.matches(agent)
    assert not adapter.matches("agent")
    narrowed = adapter.wrap(agent).only("*.system_message")
    assert list(narrowed.parameters().trainable) == ["writer.system_message"]
