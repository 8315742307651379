"""Who decides on whom, on runtimes of AutoGen's own, of the user's, and of routed agents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import pytest
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    message_handler,
)
from autogen_core.models import LLMMessage, SystemMessage, UserMessage

from tests.adapters.autogen_kit import (
    TASK,
    Book,
    assistant,
    drawn,
    run,
)
from tests.adapters.autogen_teams import pair
from tests.adapters.scripted import NamedClient
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace, current_trace, recording
from trace_agents_adapters.autogen import AutoGenApp, AutoGenWorkflow
from trace_agents_adapters.otel import SpanRecorder


async def test_a_selected_agent_knows_who_selected_it() -> None:
    """The call of each agent links to the selector's call that chose it, also in a team inside."""
    book = Book()
    inner = RoundRobinGroupChat([assistant(book, "mate", "Nine ropes.")], name="deck", max_turns=1)
    outer = SelectorGroupChat(
        [inner, assistant(book, "clerk", "It is noted.")],
        book("chooser", lambda messages: "clerk" if "ropes" in str(messages) else "deck"),
        max_turns=2,
        allow_repeated_speaker=True,
    )
    trace = Trace("e", 0)
    await run(AutoGenWorkflow(outer), trace)
    spans = trace.recorder(SpanRecorder, SpanRecorder).records()
    named = {span.span_id: span.name for span in spans}
    links = [
        (named[span.links[0][1]], span.name) if span.links else (None, span.name)
        for span in sorted(spans, key=lambda span: span.start)
        if span.name.startswith("chat ")
    ]
    assert links == [
        (None, "chat chooser"),
        ("chat chooser", "chat mate-model"),
        (None, "chat chooser"),
        ("chat chooser", "chat clerk-model"),
    ]


async def test_a_runtime_of_the_users_own_serves_many_episodes() -> None:
    """Teams on one runtime, started before, each run the version of their episode."""
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    book = Book(pause=anyio.lowlevel.checkpoint)

    def build() -> RoundRobinGroupChat:
        return RoundRobinGroupChat(pair(book), max_turns=2, runtime=runtime)

    workflow = AutoGenWorkflow(build)
    traces = [Trace(f"e{i}", i, {"writer.system_message": f"Version {i}."}) for i in range(6)]
    async with anyio.create_task_group() as group:
        for trace in traces:
            group.start_soon(run, workflow, trace)
    await runtime.stop()
    told = [text.splitlines()[0] for text in book.clients["writer-model"].texts]
    assert sorted(told) == [f"Version {i}." for i in range(6)]
    for trace in traces:
        graph = trace.graph()
        assert graph.by_id["parameter:writer.system_message"].value == f"Version {trace.version}."
        assert "writer-model > critic-model" in drawn(graph)


@dataclass
class Order:
    text: str


class Sailor(RoutedAgent):
    """An agent of the core, which knows nothing of chats."""

    def __init__(self, client: NamedClient, then: str | None = None) -> None:
        super().__init__("A sailor.")
        self._client = client
        self._then = then

    @message_handler
    async def obey(self, message: Order, ctx: MessageContext) -> Order:
        asked = UserMessage(content=message.text, source="bosun")
        system = SystemMessage(content=f"You are the {self.id.type}.")
        result = await self._client.create([system, asked])
        if self._then is None:
            return Order(str(result.content))
        passed_on = Order(str(result.content))
        answer: Order = await self.send_message(passed_on, AgentId(self._then, "default"))
        return answer


def on_deck(book: Book, runtime: SingleThreadedAgentRuntime | None = None) -> AutoGenApp:
    async def app(task: object) -> object:
        mine = runtime or SingleThreadedAgentRuntime()
        if runtime is None:
            await crew(mine, book)
            mine.start()
        answer = await mine.send_message(Order(str(task)), AgentId("bosun", "default"))
        if runtime is None:
            await mine.stop()
        return answer.text

    rehearse = None if runtime is None else on_deck(Book()).run
    return AutoGenApp(app, name="deck", rehearse=rehearse)


async def crew(runtime: SingleThreadedAgentRuntime, book: Book) -> None:
    bosun = book("bosun-model", "Hoist the main sail.")
    hand = book("hand-model", "The sail is hoisted.")
    await Sailor.register(runtime, "bosun", lambda: Sailor(bosun, then="hand"))
    await Sailor.register(runtime, "hand", lambda: Sailor(hand))


DECK = {
    "bosun.system_message > bosun-model",
    "task > bosun-model",
    "hand.system_message > hand-model",
    "bosun-model > hand-model",
    "hand-model > deck",
}


async def test_agents_of_the_core_are_bound_and_connected() -> None:
    """An application of routed agents has parameters by agent, and a graph of its messages."""
    book = Book()
    workflow, trace = on_deck(book), Trace("e", 1, {"hand.system_message": "Haul."})
    assert list(workflow.parameters()) == ["bosun.system_message", "hand.system_message"]
    assert not any(client.seen for client in book.clients.values())
    with recording(trace):
        assert await workflow.run(TASK) == "The sail is hoisted."
    assert book.clients["hand-model"].texts == ["Haul.\nHoist the main sail."]
    assert drawn(trace.graph()) == DECK


async def test_agents_of_the_core_on_a_runtime_that_runs_already() -> None:
    """Episodes that share a runtime of routed agents keep their versions and their graphs."""
    book = Book(pause=anyio.lowlevel.checkpoint)
    runtime = SingleThreadedAgentRuntime()
    await crew(runtime, book)
    runtime.start()
    workflow = on_deck(book, runtime)
    workflow.parameters()
    traces = [Trace(f"e{i}", i, {"hand.system_message": f"Haul {i}."}) for i in range(4)]

    async def episode(trace: Trace) -> None:
        with recording(trace):
            assert await workflow.run(TASK) == "The sail is hoisted."

    async with anyio.create_task_group() as group:
        for trace in traces:
            group.start_soon(episode, trace)
    await runtime.stop()
    assert sorted(t.splitlines()[0] for t in book.clients["hand-model"].texts) == [
        f"Haul {i}." for i in range(4)
    ]
    for trace in traces:
        assert drawn(trace.graph()) == DECK


@pytest.mark.parametrize("shared", [False, True])
async def test_an_error_of_a_routed_agents_model_is_a_node(shared: bool) -> None:
    """A model that raises inside a handler fails its episode alone, and its call has the error."""

    def say(messages: Sequence[LLMMessage]) -> str:
        if "Break." in str(messages[0].content):
            raise ConnectionError("the rope is cut")
        return "The sail is hoisted."

    book = Book()
    book("hand-model", say)
    runtime = SingleThreadedAgentRuntime() if shared else None
    if runtime is not None:
        await crew(runtime, book)
        runtime.start()
    workflow = on_deck(book, runtime)
    workflow.parameters()
    broken = Trace("broken", 1, {"hand.system_message": "Break."})
    with pytest.raises(ConnectionError, match="the rope is cut"):
        await run(workflow, broken)
    (failed,) = [n for n in broken.graph().of_kind(Kind.LLM_CALL) if n.name == "hand-model"]
    assert failed.error is not None
    assert "the rope is cut" in failed.error
    whole = Trace("whole", 0)
    assert await run(workflow, whole) == "The sail is hoisted."
    assert drawn(whole.graph()) == DECK
    if runtime is not None:
        await runtime.stop()


@pytest.mark.parametrize("sort", ["routed agents", "team"])
async def test_one_of_two_episodes_on_a_runtime_is_cancelled(sort: str) -> None:
    """Its handlers end with it; the other one, and those that come later, go on."""
    runtime = SingleThreadedAgentRuntime()
    stuck = asyncio.Event()

    async def pause() -> None:
        trace = current_trace()
        if trace is not None and trace.episode == "stuck":
            stuck.set()
            await asyncio.Event().wait()

    book = Book(pause=pause)
    await crew(runtime, book)
    team = AutoGenWorkflow(
        lambda: RoundRobinGroupChat(pair(book), max_turns=2, runtime=runtime), name="deck"
    )
    runtime.start()
    workflow = team if sort == "team" else on_deck(book, runtime)
    workflow.parameters()
    cancelled, trace = Trace("stuck", 0), Trace("e", 0)
    before = asyncio.all_tasks()
    with anyio.fail_after(4):
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, cancelled)
            await stuck.wait()
            await run(workflow, trace)
            group.cancel_scope.cancel()
    await run(workflow, Trace("later", 0))
    assert cancelled.recorder(SpanRecorder, SpanRecorder).unfinished == ()
    assert len(list(trace.graph().of_kind(Kind.LLM_CALL))) == 2
    await runtime.stop()
    assert asyncio.all_tasks() <= before
