"""Runs of Agent Framework: streams, errors, cancellation, telemetry, and what stays as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from agent_framework import (
    Agent,
    BaseAgent,
    BaseChatClient,
    FunctionTool,
    Message,
    ResponseStream,
    function_middleware,
)
from agent_framework.observability import OBSERVABILITY_SETTINGS, ChatTelemetryLayer

from tests.adapters.agent_framework_kit import (
    CHANGED,
    TASK,
    ScriptedClient,
    calls,
    depth,
    drawn,
    pilot,
    run,
)
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.agent_framework import AgentFrameworkWorkflow
from trace_agents_adapters.otel import SpanRecorder
from trace_agents_adapters.patches import family


async def test_two_versions_run_at_once() -> None:
    """Two episodes of one agent, in the model at the same time, each have their own version."""
    both, arrived = asyncio.Event(), 0

    async def meet() -> None:
        nonlocal arrived
        arrived += 1
        if arrived == 2:
            both.set()
        await both.wait()

    client = ScriptedClient("m", "Granite.", meet)
    workflow = AgentFrameworkWorkflow(Agent(client, "Say it.", name="guide"))
    traces = [Trace(f"e{n}", n, {"guide.system_message": f"Version {n}."}) for n in (1, 2)]
    with anyio.fail_after(5):
        await asyncio.gather(*(run(workflow, trace) for trace in traces))
    assert sorted(client.instructions) == ["Version 1.", "Version 2."]
    for number, trace in enumerate(traces, 1):
        (parameter,) = trace.graph().of_kind(Kind.PARAMETER)
        assert parameter.value == f"Version {number}."


async def test_a_streamed_run_is_bound_and_recorded() -> None:
    """An agent that the user streams has the same graph as one that is awaited."""
    agent, client = pilot()
    workflow, trace = AgentFrameworkWorkflow(agent), Trace("e", 3, CHANGED)
    with workflow.instrumented(), recording(trace):
        stream = agent.run(TASK, stream=True)
        assert isinstance(stream, ResponseStream)
        assert [update.text async for update in stream][-1] == "It is deep enough."
    assert client.instructions == ["Be brief."] * 2
    assert {"pilot.system_message > pilot-model", "depth > pilot-model#2"} <= drawn(trace.graph())
    assert trace.recorder(SpanRecorder, SpanRecorder).unfinished == ()


async def test_a_tools_error_is_a_node() -> None:
    """A tool that raises is a node with its error; the model hears of it, and the run goes on."""
    agent, _ = pilot("Nowhere")
    trace = Trace("e", 0)
    assert await run(AgentFrameworkWorkflow(agent), trace) == "It is deep enough."
    (failed,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert failed.error is not None
    assert "no harbour is called Nowhere" in failed.error
    assert "depth > pilot-model#2" in drawn(trace.graph())


@pytest.mark.parametrize("stream", [False, True])
async def test_a_models_error_is_a_node(stream: bool) -> None:
    """A model that raises fails the run, and its call is a node with the error."""

    async def cut() -> None:
        raise ConnectionError("the cable is cut")

    agent: Agent[Any] = Agent(ScriptedClient("m", "Never.", cut), "Say it.", name="guide")
    workflow, trace = AgentFrameworkWorkflow(agent), Trace("e", 0)
    refused = pytest.raises(ConnectionError, match="the cable is cut")
    with workflow.instrumented(), recording(trace), refused:
        await (agent.run(TASK, stream=True).get_final_response() if stream else agent.run(TASK))
    (failed,) = trace.graph().of_kind(Kind.LLM_CALL)
    assert failed.error is not None
    assert "the cable is cut" in failed.error


@pytest.mark.parametrize("where", ["model", "tool"])
async def test_a_run_that_is_cancelled_stops(where: str) -> None:
    """Nothing is left of a run that is cancelled in a model or a tool: no task, no open span."""
    inside = asyncio.Event()

    async def wait() -> str:
        """Wait for the tide."""
        inside.set()
        await asyncio.Event().wait()
        return "never"

    client = ScriptedClient("m", calls("wait", "Done."), wait if where == "model" else None)
    agent: Agent[Any] = Agent(client, "Be patient.", name="guide", tools=[wait])
    workflow, trace = AgentFrameworkWorkflow(agent), Trace("e", 0)
    before = asyncio.all_tasks()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, trace)
            await inside.wait()
            group.cancel_scope.cancel()
    assert asyncio.all_tasks() == before
    assert trace.recorder(SpanRecorder, SpanRecorder).unfinished == ()


async def test_middleware_guards_as_before() -> None:
    """A guardrail sees every call, is no parameter, and what it ends stays ended."""
    seen: list[str] = []

    @function_middleware
    async def guard(context: Any, call_next: Any) -> None:
        seen.append(context.function.name)
        context.result = "That is forbidden here."

    agent, client = pilot(middleware=[guard])
    workflow = AgentFrameworkWorkflow(agent)
    assert set(workflow.parameters()) == set(CHANGED)
    assert await run(workflow, Trace("e", 0, CHANGED)) == "It is deep enough."
    assert seen == ["depth"]
    assert client.instructions == ["Be brief."] * 2


async def test_a_client_that_overrides_the_public_method_makes_single_calls() -> None:
    """A subclass that only forwards `get_response` does not hide the calls in a run."""

    class Forwarding(ScriptedClient):
        def get_response(self, messages: Sequence[Message], **settings: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
            return super().get_response(messages, **settings)

    client = Forwarding("m", calls("depth", "Deep.", place="Hull"))
    agent: Agent[Any] = Agent(client, "You are the pilot.", name="pilot", tools=[depth])
    trace = Trace("e", 0, CHANGED)
    await run(AgentFrameworkWorkflow(agent), trace)
    assert len(list(trace.graph().of_kind(Kind.LLM_CALL))) == 2
    assert client.instructions == ["Be brief."] * 2


@pytest.mark.parametrize("own", ["off", "on", "with content"])
async def test_the_frameworks_telemetry_changes_nothing(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off, on, or with contents: the graph is the same, and tells what the model was sent."""
    monkeypatch.setattr(OBSERVABILITY_SETTINGS, "enable_instrumentation", own != "off")
    monkeypatch.setattr(OBSERVABILITY_SETTINGS, "enable_sensitive_data", own == "with content")
    agent, _ = pilot()
    trace = Trace("e", 0, CHANGED)
    await run(AgentFrameworkWorkflow(agent), trace)
    nodes = trace.graph().nodes
    kinds = {kind: sum(node.kind is kind for node in nodes) for kind in (Kind.LLM_CALL, Kind.INPUT)}
    assert kinds == {Kind.LLM_CALL: 2, Kind.INPUT: 1}
    assert not any("You are the pilot." in str(node.value) for node in nodes)
    assert {"pilot.system_message > pilot-model", "depth > pilot-model#2"} <= drawn(trace.graph())


async def test_outside_an_episode_everything_passes() -> None:
    """After a run the classes are as they were, and the agent answers with its own texts."""
    bases = (BaseAgent, BaseChatClient, ChatTelemetryLayer, FunctionTool)
    before = [(owner, dict(vars(owner))) for base in bases for owner in family(base)]
    agent, client = pilot()
    workflow = AgentFrameworkWorkflow(agent)
    await run(workflow, Trace("e", 0, CHANGED))
    assert [(owner, dict(vars(owner))) for owner, _ in before] == before
    with workflow.instrumented():
        assert (await agent.run(TASK)).text == "It is deep enough."
    assert client.instructions[2:] == ["You are the pilot."] * 2
