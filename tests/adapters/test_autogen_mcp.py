"""Tools of a real MCP server, in AutoGen's workbench for them and as single tools."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeAlias

import anyio
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.tools import mcp

from tests.adapters.autogen_kit import Book, assistant, drawn, run
from tests.adapters.scripted import Say, calls
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.otel import SpanRecorder

# the MCP package leaves its streams open when its session is cancelled
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")

# speaks MCP over its standard input and output
SERVER = '''
from typing import Annotated

import anyio
from mcp.server.fastmcp import FastMCP
from pydantic import Field

server = FastMCP("harbour", log_level="CRITICAL")


@server.tool()
def depth(place: Annotated[str, Field(description="Name of the harbour.")]) -> str:
    """Look up how deep a harbour is."""
    if place == "Nowhere":
        raise LookupError(f"no basin is called {place}")
    return f"The basin of {place} is seven fathoms deep."


@server.tool()
async def wait() -> str:
    """Wait for the tide."""
    await anyio.sleep_forever()
    return "never"


server.run()
'''
PARAMS: Any = mcp.StdioServerParams(command=sys.executable, args=["-c", SERVER])
NAMES = [
    "pilot.system_message",
    "pilot.tools.depth.description",
    "pilot.tools.wait.description",
    "pilot.tools.depth.arguments.place.description",
]
EDGES = {
    *(f"{name} > pilot-model" for name in NAMES),
    "task > pilot-model",
    "pilot-model > depth",
    "pilot.system_message > pilot-model#2",
    "task > pilot-model#2",
    "pilot-model > pilot-model#2",
    "depth > pilot-model#2",
    "pilot-model#2 > pilot",
}

Build: TypeAlias = Callable[[Book, Say], AssistantAgent]


def pilot(book: Book, say: Say, **offered: Any) -> AssistantAgent:
    return assistant(book, "pilot", say, reflect_on_tool_use=True, **offered)


@pytest.fixture(autouse=True)
def tidy() -> Generator[None]:
    """Let those streams go before the next module, where such a warning is an error."""
    yield
    gc.collect()


@pytest.fixture(params=["workbench", "tools"])
async def build(request: pytest.FixtureRequest) -> AsyncGenerator[Build]:
    """What builds an agent that has the server's tools, in each of AutoGen's two ways."""
    if request.param == "tools":
        tools = await mcp.mcp_server_tools(PARAMS)
        yield lambda book, say: pilot(book, say, tools=tools)
        return
    async with mcp.McpWorkbench(PARAMS) as bench:
        yield lambda book, say: pilot(book, say, workbench=bench)


def sounds(place: str = "Aberwick") -> Say:
    return calls("depth", "It is deep enough.", place=place)


async def test_its_tools_are_parameters_and_its_calls_are_connected(build: Build) -> None:
    """Descriptions of tools and arguments are found, and the graph is as a reader would draw it."""
    workflow, trace = AutoGenWorkflow(build(Book(), sounds())), Trace("e", 0)
    assert list(workflow.parameters()) == NAMES
    assert await run(workflow, trace) == "It is deep enough."
    graph = trace.graph()
    assert graph.problems == ()
    assert drawn(graph, NAMES) == EDGES
    (called,) = graph.of_kind(Kind.TOOL_CALL)
    assert "The basin of Aberwick is seven fathoms deep." in str(called.value)


async def test_two_versions_share_a_server(build: Build) -> None:
    """Of two episodes on one session each model call is told the tools of its version."""
    book = Book(pause=anyio.lowlevel.checkpoint)
    workflow = AutoGenWorkflow(build(book, sounds()))
    values: list[dict[str, object]] = [
        {NAMES[1]: f"Sound it, {n}.", NAMES[3]: f"Which, {n}?"} for n in ("captain", "mate")
    ]
    async with anyio.create_task_group() as group:
        for at, told in enumerate(values):
            group.start_soon(run, workflow, Trace(f"e{at}", at, told))
    texts = book.clients["pilot-model"].texts
    offers = [[word for told in values for word in told.values() if str(word) in t] for t in texts]
    assert sorted(map(len, offers)) == [0, 0, 2, 2]  # no tools are offered when it reflects
    assert sorted(o for o in offers if o) == sorted(list(told.values()) for told in values)


async def test_an_error_of_the_server_is_a_node(build: Build) -> None:
    """A tool that raises in the server is a node with its error, and the model hears of it."""
    book, trace = Book(), Trace("e", 0)
    await run(AutoGenWorkflow(build(book, sounds("Nowhere"))), trace)
    (failed,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert failed.error is not None
    assert "no basin is called Nowhere" in failed.error
    assert "no basin is called Nowhere" in book.clients["pilot-model"].texts[1]


@pytest.mark.parametrize(
    ("build", "in_team"),
    [("workbench", False), ("workbench", True), ("tools", False)],
    indirect=["build"],
)
async def test_a_run_that_is_cancelled_in_the_server_stops(build: Build, in_team: bool) -> None:
    """No task and no span is left of a run whose tool waits, and the session goes on to serve."""
    other = AutoGenWorkflow(build(Book(), sounds()))
    await run(other, Trace("first", 0))  # the session is open
    agent = build(Book(), calls("wait", "Never."))
    workflow = AutoGenWorkflow(RoundRobinGroupChat([agent], max_turns=1) if in_team else agent)
    workflow.parameters()
    trace, before = Trace("cancelled", 0), asyncio.all_tasks()
    spans = trace.recorder(SpanRecorder, SpanRecorder)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, trace)
            await until(lambda: "execute_tool wait" in spans.unfinished)
            group.cancel_scope.cancel()
    assert asyncio.all_tasks() <= before
    assert spans.unfinished == ()
    assert await run(other, Trace("last", 0)) == "It is deep enough."


async def test_a_factory_may_open_a_workbench_of_its_own() -> None:
    """Each episode has a server of its own, and none is left when the episodes are over."""
    opened: list[int] = []

    class Counted(mcp.McpWorkbench):
        async def start(self) -> None:
            opened.append(1)
            await mcp.McpWorkbench.start(self)

        async def stop(self) -> None:
            opened.append(-1)
            await mcp.McpWorkbench.stop(self)

    book, before = Book(), asyncio.all_tasks()
    workflow = AutoGenWorkflow(lambda: pilot(book, sounds(), workbench=Counted(PARAMS)))
    assert list(workflow.parameters()) == NAMES
    opened.clear()
    for episode in range(2):
        assert await run(workflow, Trace(f"e{episode}", 0)) == "It is deep enough."
    gc.collect()
    with anyio.fail_after(20):
        await until(lambda: asyncio.all_tasks() <= before)
    assert opened.count(1) == opened.count(-1) == 2


async def test_an_agent_of_ones_own_is_looked_at_beside_a_session() -> None:
    """A subclass is run up to its first model call, and a session that is open does not mind."""

    class Own(AssistantAgent):
        """Of a user's own, so that only a run tells what it offers."""

    async with mcp.McpWorkbench(PARAMS) as bench:

        def build() -> Own:
            client = Book()("pilot-model", sounds())
            return Own("pilot", client, workbench=bench, system_message="You are pilot.")

        workflow = AutoGenWorkflow(build)
        assert list(workflow.parameters()) == NAMES
        assert "seven fathoms" in str(await run(workflow, Trace("e", 0)))


async def until(holds: Callable[[], bool]) -> None:
    """Return when something holds that other tasks bring about."""
    while not holds():  # noqa: ASYNC110 - what it waits for sets no event
        await anyio.sleep(0.001)
