"""Workflows of Microsoft Agent Framework: handoffs, sequences, executors, and who may share one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from agent_framework import (
    Agent,
    Content,
    Executor,
    Workflow,
    WorkflowBuilder,
    WorkflowContext,
    WorkflowExecutor,
    handler,
    step,
)
from agent_framework import (
    workflow as plain,
)
from agent_framework_orchestrations import HandoffBuilder, SequentialBuilder

import trace_agents as ta
from tests.adapters.agent_framework_kit import TASK, Say, ScriptedClient, drawn, run
from trace_agents.graph import Kind, Reason
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.agent_framework import AgentFrameworkWorkflow
from trace_agents_adapters.otel import SpanRecorder


class Book:
    """The scripted clients of all workflows that were built, by the names of their agents."""

    def __init__(self, pause: Callable[[], Any] | None = None) -> None:
        self.clients: dict[str, ScriptedClient] = {}
        self.pause = pause

    def agent(self, name: str, say: Say | str, **settings: Any) -> Agent[Any]:
        if name not in self.clients:
            self.clients[name] = ScriptedClient(f"{name}-model", say, self.pause)
        return Agent(self.clients[name], f"You are the {name}.", name=name, **settings)


def bridge(book: Book) -> Workflow:
    kept = {"require_per_service_call_history_persistence": True}
    hand = Content.from_function_call("h1", "handoff_to_pilot", arguments={})
    captain = book.agent("captain", lambda messages: hand, **kept)
    pilot = book.agent("pilot", "She is moored and safe.", **kept)
    builder = HandoffBuilder(name="bridge", participants=[captain, pilot])
    return (
        builder.with_start_agent(captain)
        .add_handoff(captain, [pilot], description="Give her to the pilot.")
        .add_handoff(pilot, [captain], description="Give her back.")
        .build()
    )


def pair(book: Book) -> Workflow:
    writer = book.agent("writer", "The quay is made of granite.")
    critic = book.agent("critic", "Mention the cranes as well.")
    return SequentialBuilder(participants=[writer, critic]).build()


class Clerk(Executor):
    """An executor of the user's, which holds an agent and asks it."""

    def __init__(self, agent: Agent[Any]) -> None:
        super().__init__(id="clerk")
        self.asked = agent

    @handler
    async def note(self, task: str, ctx: WorkflowContext[Any, str]) -> None:
        await ctx.yield_output((await self.asked.run(task)).text)


def office(book: Book) -> Workflow:
    clerk = Clerk(book.agent("counter", "Nine ropes are noted."))
    return WorkflowBuilder(start_executor=clerk, output_from=[clerk]).build()


def nested(book: Book) -> Workflow:
    inner = WorkflowExecutor(office(book), id="office", allow_direct_output=True)
    return WorkflowBuilder(start_executor=inner, output_from=[inner]).build()


async def test_a_handoff_carries_the_decision() -> None:
    """Its description is a parameter, and the next agent's call links to the one that decided."""
    book, trace = Book(), Trace("e", 1, {"pilot.system_message": "Bring her in."})
    workflow = AgentFrameworkWorkflow(lambda: bridge(book), name="bridge")
    assert set(workflow.parameters()) == {
        "captain.system_message",
        "captain.tools.handoff_to_pilot.description",
        "pilot.system_message",
        "pilot.tools.handoff_to_captain.description",
    }
    assert await run(workflow, trace) == "She is moored and safe."
    assert book.clients["pilot"].instructions == ["Bring her in."]
    graph = trace.graph()
    (link,) = [edge for edge in graph.edges if edge.reason is Reason.LINK]
    named = graph.by_id[link.source].name, graph.by_id[link.target].name
    assert named == ("captain-model", "pilot-model")
    reached = {node.name for node in ta.backward(graph, "She was late.").parameters}
    assert {"captain.tools.handoff_to_pilot.description", "pilot.system_message"} <= reached


async def test_a_handoff_description_reaches_the_model() -> None:
    """The pinned description is what the deciding model is told of the handoff."""
    book = Book()
    name = "captain.tools.handoff_to_pilot.description"
    workflow = AgentFrameworkWorkflow(lambda: bridge(book))
    await run(workflow, Trace("e", 1, {name: "Only in fog."}))
    assert book.clients["captain"].tools == [{"handoff_to_pilot": ("Only in fog.", {})}]


async def test_agents_in_sequence_are_connected() -> None:
    """What one agent said goes into the next one's call, and the last one's is the output."""
    trace = Trace("e", 0)
    workflow = AgentFrameworkWorkflow(lambda: pair(Book()), name="team")
    assert await run(workflow, trace) == "Mention the cranes as well."
    assert drawn(trace.graph()) == {
        "writer.system_message > writer-model",
        "task > writer-model",
        "critic.system_message > critic-model",
        "task > critic-model",
        "writer-model > critic-model",
        "critic-model > team",
    }


@pytest.mark.parametrize("build", [office, nested])
async def test_agents_of_own_executors_are_found(build: Callable[[Book], Workflow]) -> None:
    """An agent that an executor holds is a part, in a workflow within a workflow too."""
    book, trace = Book(), Trace("e", 0, {"counter.system_message": "Count well."})
    workflow = AgentFrameworkWorkflow(lambda: build(book), name="office")
    assert await run(workflow, trace) == "Nine ropes are noted."
    assert book.clients["counter"].instructions == ["Count well."]
    assert "counter-model > office" in drawn(trace.graph())


@pytest.mark.filterwarnings(r"ignore:.*FUNCTIONAL_WORKFLOWS")
async def test_agents_of_a_workflow_in_plain_python_are_found() -> None:
    """An agent that a step of a decorated function asks is a part too."""
    book = Book()
    counter = book.agent("counter", "Nine ropes are noted.")

    @step
    async def count(task: str) -> str:
        return (await counter.run(task)).text

    @plain
    async def stock(task: str) -> str:
        return await count(task)

    wrapped = ta.wrap(lambda: stock.build())
    trace = Trace("e", 0, {"counter.system_message": "Count well."})
    assert list(wrapped.parameters()) == ["counter.system_message"]
    with recording(trace):
        assert await wrapped.run(TASK) == "Nine ropes are noted."
    assert book.clients["counter"].instructions == ["Count well."]
    assert "counter-model > stock" in drawn(trace.graph())


async def test_two_versions_of_a_workflow_run_at_once() -> None:
    """Every episode has a workflow of its own, and the version that it is pinned to."""
    both, arrived = asyncio.Event(), 0

    async def meet() -> None:
        nonlocal arrived
        arrived += 1
        if arrived == 2:
            both.set()
        await both.wait()

    book = Book(meet)
    workflow = AgentFrameworkWorkflow(lambda: pair(book))
    traces = [Trace(f"e{n}", n, {"writer.system_message": f"Version {n}."}) for n in (1, 2)]
    with anyio.fail_after(5):
        await asyncio.gather(*(run(workflow, trace) for trace in traces))
    assert sorted(book.clients["writer"].instructions) == ["Version 1.", "Version 2."]


async def test_a_models_error_fails_a_workflow() -> None:
    """The call is a node with the error, and the run raises it."""

    async def cut() -> None:
        raise ConnectionError("the cable is cut")

    workflow, trace = AgentFrameworkWorkflow(lambda: pair(Book(cut))), Trace("e", 0)
    with pytest.raises(ConnectionError, match="the cable is cut"):
        await run(workflow, trace)
    (failed,) = trace.graph().of_kind(Kind.LLM_CALL)
    assert failed.error is not None
    assert "the cable is cut" in failed.error


@pytest.mark.parametrize("build", [pair, bridge])
async def test_a_workflow_that_is_cancelled_stops(build: Callable[[Book], Workflow]) -> None:
    """Nothing is left of a workflow that is cancelled while a model thinks."""
    thinking = asyncio.Event()

    async def think() -> None:
        thinking.set()
        await asyncio.Event().wait()

    workflow, trace = AgentFrameworkWorkflow(lambda: build(Book(think))), Trace("e", 0)
    before = asyncio.all_tasks()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, trace)
            await thinking.wait()
            group.cancel_scope.cancel()
    assert asyncio.all_tasks() == before
    assert trace.recorder(SpanRecorder, SpanRecorder).unfinished == ()


async def test_wrap_finds_the_adapter_of_a_function() -> None:
    """`ta.wrap` takes a function that builds a workflow, and names the run after it."""
    workflow = ta.wrap(lambda: pair(Book()), name="team")
    assert set(workflow.parameters()) == {"writer.system_message", "critic.system_message"}
    async with ta.applied(workflow, {"critic.system_message": "Praise it."}) as trace:
        assert await workflow.run(TASK) == "Mention the cranes as well."
    (bound,) = [node for node in trace.graph().nodes if node.name == "critic.system_message"]
    assert bound.value == "Praise it."


@pytest.mark.parametrize("agent", [False, True])
def test_a_workflow_object_is_refused(agent: bool) -> None:
    """A workflow keeps its state and does one run at a time, so that a function is asked for."""
    built = pair(Book())
    with pytest.raises(ta.NotWrappable, match=r"does one run at a time; .*ta\.wrap\(build\)"):
        ta.wrap(built.as_agent(name="team") if agent else built)


async def test_a_function_that_builds_once_is_refused() -> None:
    """The same workflow for two episodes is an error with a sentence, at the first run."""
    built = pair(Book())
    workflow = AgentFrameworkWorkflow(lambda: built, name="team")
    with pytest.raises(ta.NotWrappable, match="'team' gave the same Workflow for two episodes"):
        await run(workflow, Trace("e", 0))


def test_a_builder_is_refused_with_what_to_call() -> None:
    """A builder that was not built says so."""
    with pytest.raises(ta.NotWrappable, match=r"SequentialBuilder .* call its build\(\)"):
        ta.wrap(SequentialBuilder(participants=[Book().agent("writer", "Yes.")]))
