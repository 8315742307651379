"""Who decides on whom, on runtimes of AutoGen's own, of the user's, and of routed agents."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    message_handler,
)
from autogen_core.models import SystemMessage, UserMessage

from tests.adapters.autogen_kit import (
    TASK,
    Book,
    assistant,
    drawn,
    run,
)
from tests.adapters.autogen_teams import pair
from tests.adapters.scripted import NamedClient
from trace_agents.tracing.context import Trace, recording
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
