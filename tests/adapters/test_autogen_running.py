"""Runs of AutoGen workflows: errors, ends, threads, runtimes, and what they leave behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from autogen_agentchat.agents import AssistantAgent, BaseChatAgent, UserProxyAgent
from autogen_agentchat.base import ChatAgent, Team, TerminationCondition
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_core import (
    BaseAgent,
    CancellationToken,
    ComponentToConfig,
    SingleThreadedAgentRuntime,
)
from autogen_core.code_executor import CodeExecutor
from autogen_core.models import ChatCompletionClient, SystemMessage
from autogen_core.tools import BaseTool, ToolResult, Workbench

from tests.adapters.autogen_agents import Shelf
from tests.adapters.autogen_kit import (
    TASK,
    Book,
    Case,
    assistant,
    drawn,
    made,
    run,
)
from tests.adapters.autogen_teams import pair
from tests.adapters.scripted import calls
from tests.adapters.test_autogen_cases import CASES, each
from trace_agents.graph import Kind
from trace_agents.tracing import node
from trace_agents.tracing.context import Trace, current_trace
from trace_agents_adapters.autogen import AutoGenApp, AutoGenWorkflow, NothingToLearn
from trace_agents_adapters.otel import SpanRecorder
from trace_agents_adapters.patches import family

WRAPPED: list[type] = [
    BaseAgent,
    BaseChatAgent,
    BaseTool,
    ChatCompletionClient,
    CodeExecutor,
    ComponentToConfig,
    SingleThreadedAgentRuntime,
    TerminationCondition,
    ThreadPoolExecutor,
    Workbench,
]


def in_team(agent: AssistantAgent) -> RoundRobinGroupChat:
    return RoundRobinGroupChat([agent], max_turns=1)


def alone(agent: AssistantAgent) -> AssistantAgent:
    return agent


pytestmark = pytest.mark.filterwarnings("ignore:No approval function set")
both = pytest.mark.parametrize("placed", [alone, in_team])


@both
async def test_a_tools_error_is_a_node(placed: Any) -> None:
    """A tool that raises is a node with its error; the model hears of it, and the run goes on."""

    async def sound(place: str) -> str:
        """Sound the basin."""
        raise LookupError(f"no basin is called {place}")

    say = calls("sound", "There is no such place.", place="Nowhere")
    agent = assistant(Book(), "pilot", say, tools=[sound], reflect_on_tool_use=True)
    trace = Trace("e", 0)
    assert await run(AutoGenWorkflow(placed(agent)), trace) == "There is no such place."
    (failed,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert failed.error is not None
    assert "no basin is called Nowhere" in failed.error
    assert "sound > pilot-model#2" in drawn(trace.graph())


async def test_a_group_of_errors_tells_each_of_them() -> None:
    """What a tool's own tasks raised stands in its node, not only that there was something."""

    async def sound(place: str) -> str:
        """Sound the basin."""
        shoal: list[Exception] = [LookupError("no basin"), ValueError("no depth")]
        raise ExceptionGroup("it went wrong", [ExceptionGroup("below", shoal[:1]), shoal[1]])

    agent = assistant(Book(), "pilot", calls("sound", "Oh.", place="x"), tools=[sound])
    trace = Trace("e", 0)
    await run(AutoGenWorkflow(agent), trace)
    (failed,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert failed.error == "LookupError: no basin; ValueError: no depth"


class Broken(Shelf):
    """A workbench whose calls raise, where AutoGen's own give an error as the result."""

    async def call_tool(
        self, name: str, arguments: Any = None, cancellation_token: Any = None, call_id: Any = None
    ) -> ToolResult:
        raise LookupError("the shelf fell down")


@both
async def test_a_workbenchs_error_is_a_node(placed: Any) -> None:
    """A workbench that raises does not leave its agent waiting; the model hears of the error."""
    book, trace = Book(), Trace("e", 0)
    agent = assistant(
        book, "keeper", calls("look", "Nothing."), workbench=Broken(), reflect_on_tool_use=True
    )
    with anyio.fail_after(4):
        assert await run(AutoGenWorkflow(placed(agent)), trace) == "Nothing."
    (failed,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert failed.error is not None
    assert "the shelf fell down" in failed.error
    assert "the shelf fell down" in book.clients["keeper-model"].texts[1]


@each
async def test_a_models_error_is_a_node(case: Case) -> None:
    """A model that raises fails the run, and its call is a node with the error."""

    async def cut() -> None:
        raise ConnectionError("the cable is cut")

    workflow, trace = made(case, Book(pause=cut)), Trace("e", 0)
    workflow.parameters()
    with pytest.raises((ConnectionError, RuntimeError), match="the cable is cut"):
        await run(workflow, trace)
    failed = list(trace.graph().of_kind(Kind.LLM_CALL))
    assert failed
    assert all(node.error is not None and "the cable is cut" in node.error for node in failed)


async def leftovers(before: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Return the tasks that a run left behind, after those that were ending have ended."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
    return asyncio.all_tasks() - before


@both
async def test_a_run_that_is_cancelled_in_a_tool_stops(placed: Any) -> None:
    """Nothing is left of a run that is cancelled while its tool waits: no task, no open span."""
    inside = asyncio.Event()

    async def wait(place: str) -> str:
        """Wait for the tide."""
        inside.set()
        await asyncio.Event().wait()
        return "never"

    agent = assistant(Book(), "pilot", calls("wait", "Done.", place="x"), tools=[wait])
    workflow, trace = AutoGenWorkflow(placed(agent)), Trace("e", 0)
    workflow.parameters()
    before = asyncio.all_tasks()
    with anyio.fail_after(4):
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, trace)
            await inside.wait()
            group.cancel_scope.cancel()
    assert await leftovers(before) == set()
    assert trace.recorder(SpanRecorder, SpanRecorder).unfinished == ()


@both
async def test_a_tool_that_heeds_no_token_is_cancelled_too(placed: Any) -> None:
    """A workbench that waits, and was told of no cancellation, ends with the run it is in."""
    inside = asyncio.Event()

    class Deaf(Shelf):
        async def call_tool(self, *args: Any, **settings: Any) -> ToolResult:
            inside.set()
            await asyncio.Event().wait()
            raise RuntimeError("never")

    agent = assistant(Book(), "keeper", calls("look", "Never."), workbench=Deaf())
    workflow, trace = AutoGenWorkflow(placed(agent)), Trace("e", 0)
    workflow.parameters()
    before = asyncio.all_tasks()
    with anyio.fail_after(4):
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, trace)
            await inside.wait()
            group.cancel_scope.cancel()
    assert await leftovers(before) == set()
    assert trace.recorder(SpanRecorder, SpanRecorder).unfinished == ()


async def test_a_token_that_is_cancelled_in_a_tool_leaves_nobody_waiting() -> None:
    """An application may end a run by its token: the tool has an error, and the run an end."""
    token, inside = CancellationToken(), asyncio.Event()

    async def wait(place: str) -> str:
        """Wait for the tide."""
        inside.set()
        await asyncio.Event().wait()
        return "never"

    async def app(task: object) -> object:
        agent = assistant(Book(), "pilot", calls("wait", "Done.", place="x"), tools=[wait])
        running = asyncio.ensure_future(agent.run(task=str(task), cancellation_token=token))
        await inside.wait()
        token.cancel()
        return (await running).messages[-1].to_text()

    async def rehearse(task: object) -> object:
        return None

    trace = Trace("e", 0)
    with anyio.fail_after(4), pytest.warns(NothingToLearn):
        output = await run(AutoGenApp(app, rehearse=rehearse), trace)
    assert "cancelled by its token" in str(output)
    (failed,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert failed.error is not None


async def test_a_run_that_is_cancelled_while_a_person_thinks_stops() -> None:
    """Nothing is left of a run that is cancelled while it waits for what a person says."""
    asked = asyncio.Event()

    async def ask(prompt: str, token: CancellationToken | None) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "never"

    def build() -> RoundRobinGroupChat:
        user = UserProxyAgent("user", input_func=ask)
        return RoundRobinGroupChat([assistant(Book(), "pilot", "Where to?"), user], max_turns=2)

    workflow, trace = AutoGenWorkflow(build), Trace("e", 0)
    workflow.parameters()
    before = asyncio.all_tasks()
    with anyio.fail_after(4):
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, trace)
            await asked.wait()
            group.cancel_scope.cancel()
    assert await leftovers(before) == set()
    assert trace.recorder(SpanRecorder, SpanRecorder).unfinished == ()


@each
async def test_a_run_that_is_cancelled_in_a_model_stops(case: Case) -> None:
    """Nothing is left of a run that is cancelled while its first model thinks."""
    thinking = asyncio.Event()

    async def think() -> None:
        thinking.set()
        await asyncio.Event().wait()

    book = Book(pause=think)
    workflow, trace = made(case, book), Trace("e", 0)
    workflow.parameters()
    before = asyncio.all_tasks()
    with anyio.fail_after(4):
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, trace)
            await thinking.wait()
            group.cancel_scope.cancel()
    assert await leftovers(before) == set()
    assert trace.recorder(SpanRecorder, SpanRecorder).unfinished == ()


async def test_a_synchronous_tool_belongs_to_its_episode() -> None:
    """A tool that runs in a thread knows its episode, and its nodes are in the graph."""
    seen: list[tuple[str, bool]] = []

    def sound(place: str) -> str:
        """Sound the basin."""
        trace = current_trace()
        seen.append((trace.episode if trace else "", threading.current_thread().daemon))
        return str(node("The basin is deep here.").data)

    def build() -> AssistantAgent:
        return assistant(Book(), "pilot", calls("sound", "Deep.", place="x"), tools=[sound])

    workflow = AutoGenWorkflow(build)
    async with anyio.create_task_group() as group:
        group.start_soon(run, workflow, Trace("one", 0))
        group.start_soon(run, workflow, Trace("two", 0))
    assert sorted(episode for episode, _ in seen) == ["one", "two"]
    assert threading.current_thread() is threading.main_thread()


async def test_a_synchronous_input_belongs_to_its_episode() -> None:
    """A function that asks the user, in a thread, knows for which episode it asks."""

    def ask(prompt: str) -> str:
        trace = current_trace()
        return f"I answer for {trace.episode if trace else 'nobody'}."

    def build() -> RoundRobinGroupChat:
        user = UserProxyAgent("user", input_func=ask)
        return RoundRobinGroupChat([assistant(Book(), "pilot", "Where to?"), user], max_turns=2)

    assert await run(AutoGenWorkflow(build), Trace("one", 0)) == "I answer for one."


async def test_a_stream_that_nobody_reads_on_ends() -> None:
    """An agent that stops reading its model's stream leaves no span open."""

    class Impatient(AssistantAgent):
        async def on_messages_stream(
            self, messages: Any, cancellation_token: Any
        ) -> AsyncGenerator[Any, None]:
            async for chunk in self._model_client.create_stream([SystemMessage(content="Sing.")]):
                assert isinstance(chunk, str)
                break
            async for event in super().on_messages_stream(messages, cancellation_token):
                yield event

    workflow = AutoGenWorkflow(
        lambda: Impatient("bard", Book()("bard-model", "La la la."), system_message="Sing."),
        name="bard",
    )
    trace = Trace("e", 0)
    assert await run(workflow, trace) == "La la la."
    await anyio.lowlevel.checkpoint()
    assert trace.recorder(SpanRecorder, SpanRecorder).unfinished == ()


@pytest.mark.parametrize("case", [case for case in CASES if case.shared], ids=lambda c: c.name)
async def test_what_was_wrapped_stays_as_it_is(case: Case) -> None:
    """A wrapped object can be run by its owner as before, and shows nothing of the episodes."""
    book = Book()
    thing = case.build(book)
    workflow = AutoGenWorkflow(thing)
    await run(workflow, Trace("e", 1, {case.change[0]: case.change[1]}))
    for client in book.clients.values():
        client.seen.clear()
    await thing.run(task=TASK)
    text = "\n".join(text for client in book.clients.values() for text in client.texts)
    assert (case.seen or str(case.change[1])) not in text


async def test_every_class_is_restored() -> None:
    """After the last run no class of AutoGen, or of Python, holds a method of ours."""
    classes = [owner for base in WRAPPED for owner in family(base)]
    before = [dict(vars(owner)) for owner in classes]
    case = next(case for case in CASES if case.name == "agent as tool")
    workflow = made(case, Book())
    with workflow.instrumented():
        assert vars(BaseTool)["run_json"] is not before[classes.index(BaseTool)]["run_json"]
    await run(workflow, Trace("e", 0))
    for owner, methods in zip(classes, before, strict=True):
        changed = {name for name, value in vars(owner).items() if methods.get(name) is not value}
        assert changed == set(), owner


async def test_a_factory_may_be_async() -> None:
    """A function that awaits something to build an agent is called for every episode."""
    book = Book()

    async def build() -> AssistantAgent:
        await anyio.lowlevel.checkpoint()
        return assistant(book, "pilot", "Aye.")

    workflow = AutoGenWorkflow(build)
    assert list(workflow.parameters()) == ["pilot.system_message"]
    for number in range(2):
        await run(workflow, Trace("e", 0, {"pilot.system_message": f"V{number}"}))
    assert book.clients["pilot-model"].systems == ["V0", "V1"]


async def test_a_conversation_goes_on_in_every_episode() -> None:
    """An agent that has talked before it was wrapped starts each episode from there."""
    book = Book()
    agent = assistant(book, "pilot", "Aye.")
    await agent.run(task="Remember the reef.")
    workflow = AutoGenWorkflow(agent)
    for _ in range(2):
        await run(workflow, Trace("e", 0))
        messages, _ = book.clients["pilot-model"].seen[-1]
        said = [m.content for m in messages if m.type == "UserMessage"]
        assert said == ["Remember the reef.", TASK]


async def test_limits_are_bound_when_the_team_is_made() -> None:
    """A limit of another value ends the run elsewhere, and the output knows the limit."""
    workflow = AutoGenWorkflow(
        RoundRobinGroupChat(pair(Book()), termination_condition=MaxMessageTermination(3))
    )
    trace = Trace("e", 1, {"termination.max_messages": 2})
    assert await run(workflow, trace) == "The quay is made of granite."
    assert "termination.max_messages" in trace.read
    assert workflow.parameters()["termination.max_messages"].value == 3


async def test_two_conditions_of_one_kind_are_told_apart() -> None:
    """Of two limits with one first value each gets its own, in the order of their making."""
    book = Book()

    def build() -> RoundRobinGroupChat:
        last = MaxMessageTermination(4)
        inner = RoundRobinGroupChat(
            pair(book), name="inner", termination_condition=MaxMessageTermination(4)
        )
        clerk = assistant(book, "clerk", "It is noted.")
        return RoundRobinGroupChat([inner, clerk], termination_condition=last, max_turns=2)

    workflow = AutoGenWorkflow(build)
    names = [name for name in workflow.parameters() if name.startswith("termination")]
    assert names == ["termination.max_messages", "termination.max_messages.2"]
    await run(workflow, Trace("e", 1, {"termination.max_messages.2": 2}))
    assert len(book.clients["clerk-model"].seen) == 1
    assert book.clients["critic-model"].seen == []


async def test_selectors_that_share_a_prompt_are_told_apart() -> None:
    """Two teams with AutoGen's own selector prompt have a parameter each."""
    book = Book()

    def part(name: str) -> SelectorGroupChat:
        members: list[ChatAgent | Team] = [
            assistant(book, f"{name}_{who}", f"{name} {who} speaks.") for who in ("one", "two")
        ]
        client = book(f"{name}-chooser", f"{name}_one")
        return SelectorGroupChat(members, client, name=name, max_turns=1)

    workflow = AutoGenWorkflow(RoundRobinGroupChat([part("fore"), part("aft")], max_turns=2))
    prompt = "AFT {roles} {participants} {history}"
    await run(workflow, Trace("e", 1, {"aft.selector_prompt": prompt}))
    assert book.clients["aft-chooser"].texts[0].startswith("AFT aft_one:")
    assert "AFT" not in book.clients["fore-chooser"].texts[0]


@pytest.mark.parametrize(
    "prompt",
    [
        "{roles}\n\n{participants}\n\n{history}",
        "Roles:\n{roles}\n{history}\n{participants}?",
        "Choose of {participants} {roles} after {history}. Only the name.",
    ],
)
async def test_fields_of_a_selector_that_only_a_space_parts_are_told_apart(prompt: str) -> None:
    """What the members are called and described as is known, so the rest is the history."""
    book = Book()
    members: list[ChatAgent | Team] = [
        assistant(book, who, f"{who} speaks.", description=f"Knows {who}:\n  all.")
        for who in ("one", "two")
    ]
    team = SelectorGroupChat(
        members, book("chooser", "two"), selector_prompt=prompt, name="desk", max_turns=1
    )
    new = "{history} | {participants} | {roles}"
    await run(AutoGenWorkflow(team), Trace("e", 1, {"desk.selector_prompt": new}))
    history, names, roles = book.clients["chooser"].texts[0].split(" | ")
    assert history.strip() == f"user: {TASK}"
    assert names == "['one', 'two']"
    assert roles == "one: Knows one: all.\ntwo: Knows two: all."
