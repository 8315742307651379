"""The code of AutoGen's tools as parameters: asked for, run in the sandbox, refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool

import trace_agents as ta
from tests.adapters.autogen_kit import Book, assistant, run
from tests.adapters.scripted import calls
from trace_agents.errors import InvalidValue
from trace_agents.graph import Code, Kind
from trace_agents.propagate import backward
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.otel import SpanRecorder

HULL = 3


def draught(ship: str, load: int = 2) -> int:
    """Tell how deep a ship goes."""
    return HULL + load


async def slowly(ship: str, load: int = 2) -> int:
    """Tell how deep a ship goes."""
    return HULL + load


class Yard:
    def __init__(self, hull: int) -> None:
        self.hull = hull

    def measured(self, ship: str) -> int:
        """Measure a ship."""
        return self.hull


def pilot(book: Book, tool: Any, *more: Any, **arguments: Any) -> AssistantAgent:
    name = getattr(tool, "name", None) or tool.__name__
    say = calls(name, "Aye.", ship="Ida", **arguments)
    return assistant(book, "pilot", say, tools=[tool, *more], reflect_on_tool_use=True)


def other(source: str, old: str, new: str) -> str:
    assert old in source
    return source.replace(old, new)


@pytest.mark.parametrize("tool", [draught, slowly])
@pytest.mark.parametrize("in_team", [False, True])
async def test_new_code_runs_in_the_place_of_the_function(tool: Any, in_team: bool) -> None:
    """The first version runs natively, another one in the sandbox, and the graph tells which."""
    book = Book()
    agent = pilot(book, tool, load=4)
    thing: Any = RoundRobinGroupChat([agent], max_turns=1) if in_team else agent
    workflow = ta.wrap(thing, tool_code=True)
    name = f"pilot.tools.{tool.__name__}.code"
    known = workflow.parameters()[name]
    assert isinstance(known.type, Code)
    new = other(str(known.value), "HULL + load", "30 + load")
    for version, values, result in ((0, {}, "7"), (1, {name: new}, "34")):
        trace = Trace("e", version, values)
        with recording(trace):
            assert await workflow.run("How deep?") == "Aye."
        (called,) = trace.graph().of_kind(Kind.TOOL_CALL)
        assert called.value["result"] == result  # type: ignore[index]
        subgraph = backward(trace.graph(), "She ran aground.")
        assert name in {node.name for node in subgraph.parameters}


async def test_an_error_of_new_code_is_feedback() -> None:
    """What new code raises is in its node, the model hears of it, and the run goes on."""
    book = Book()
    workflow = AutoGenWorkflow(pilot(book, slowly), tool_code=["slowly"])
    name = "pilot.tools.slowly.code"
    first = str(workflow.parameters()[name].value)
    trace = Trace("e", 1, {name: other(first, "HULL + load", "load / 0")})
    assert await run(workflow, trace) == "Aye."
    (failed,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert failed.error is not None
    assert "ZeroDivisionError" in failed.error
    reached = backward(trace.graph(), "It divides by nothing.").parameters
    assert name in {node.name for node in reached}
    assert "ZeroDivisionError" in book.clients["pilot-model"].texts[1]


async def test_new_code_sees_nothing_of_the_program() -> None:
    """A global of the user's module is there for the user's own code alone."""
    workflow = AutoGenWorkflow(pilot(Book(), slowly), tool_code=True)
    name = "pilot.tools.slowly.code"
    first = str(workflow.parameters()[name].value)
    trace = Trace("e", 1, {name: other(first, "HULL + load", "HULL - load")})
    await run(workflow, trace)
    (failed,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert failed.error is not None
    assert "HULL" in failed.error


@pytest.mark.parametrize("tool", [draught, slowly])
async def test_unsafe_code_is_as_the_function_was(tool: Any) -> None:
    """Where a user says `unsafe`, new code sees the module of the function."""
    workflow = AutoGenWorkflow(pilot(Book(), tool), tool_code=True, sandbox="unsafe")
    name = f"pilot.tools.{tool.__name__}.code"
    first = str(workflow.parameters()[name].value)
    trace = Trace("e", 1, {name: other(first, "HULL + load", "HULL * load")})
    await run(workflow, trace)
    (called,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert called.value["result"] == "6"  # type: ignore[index]


async def test_new_code_that_does_not_end_is_cancelled_with_its_run() -> None:
    """A loop without an end in the sandbox ends when its run is cancelled."""
    workflow = AutoGenWorkflow(pilot(Book(), slowly), tool_code=True)
    name = "pilot.tools.slowly.code"
    first = str(workflow.parameters()[name].value)
    endless = other(first, "return HULL + load", "while True:\n        pass\n    return 0")
    trace, before = Trace("e", 1, {name: endless}), asyncio.all_tasks()
    spans = trace.recorder(SpanRecorder, SpanRecorder)
    with anyio.fail_after(4):  # the sandbox itself would end it after five seconds
        async with anyio.create_task_group() as group:
            group.start_soon(run, workflow, trace)
            while "execute_tool slowly" not in spans.unfinished:  # noqa: ASYNC110 - sets no event
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()
    assert asyncio.all_tasks() <= before
    assert spans.unfinished == ()


def test_only_what_was_asked_for_is_found() -> None:
    """Names choose tools; agents, and tools that AutoGen makes of handoffs, have no code."""
    expert = AgentTool(assistant(Book(), "expert", "Noon."))
    agent = pilot(Book(), draught, slowly, expert)

    def codes(asked: Any) -> list[str]:
        found = AutoGenWorkflow(agent, tool_code=asked).parameters()
        return [name for name in found if name.endswith(".code")]

    assert codes(False) == []
    assert codes(["slowly"]) == ["pilot.tools.slowly.code"]
    assert codes(True) == ["pilot.tools.draught.code", "pilot.tools.slowly.code"]


async def with_token(ship: str, cancellation_token: CancellationToken) -> str:
    """Wait for a ship."""
    return ship


def made() -> FunctionTool:
    """A tool whose function was compiled from text, as one that was loaded from JSON is."""
    scope: dict[str, Any] = {}
    exec("def sung(ship: str) -> str:\n    return ship\n", scope)
    return FunctionTool(scope["sung"], "Sing of a ship.")


EXPERT = AgentTool(assistant(Book(), "expert", "Noon."))
REFUSED: list[tuple[str, Callable[[], Any], list[str], str]] = [
    ("no such tool", lambda: draught, ["moor"], r"\['moor'\], .* has no such tools.*'draught'"),
    ("an agent", lambda: EXPERT, ["expert"], "'expert' of 'pilot' .* it is no function"),
    ("a token", lambda: with_token, ["with_token"], "'with_token' .* takes a cancellation_token"),
    ("no source", made, ["sung"], "the source of 'sung' cannot be read"),
    (
        "a partial",
        lambda: FunctionTool(partial(draught, load=1), "Tell.", name="light"),
        ["light"],
        "'light' of 'pilot' .* it is no function",
    ),
]


@pytest.mark.parametrize(("sort", "make", "asked", "words"), REFUSED, ids=[r[0] for r in REFUSED])
def test_code_that_cannot_change_is_refused(
    sort: str, make: Callable[[], Any], asked: list[str], words: str
) -> None:
    """A tool whose code cannot become a parameter is named, with the reason and what to do."""
    workflow = AutoGenWorkflow(lambda: pilot(Book(), make()), name="w", tool_code=asked)
    with pytest.raises(InvalidValue, match=words):
        workflow.parameters()


async def test_a_method_is_code_too() -> None:
    """New code of a method runs without its object, which stays outside of the sandbox."""
    workflow = AutoGenWorkflow(pilot(Book(), Yard(5).measured), tool_code=True)
    name = "pilot.tools.measured.code"
    first = str(workflow.parameters()[name].value)
    trace = Trace("e", 1, {name: other(first, "self.hull", "len(ship)")})
    await run(workflow, trace)
    (called,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert called.value["result"] == "3"  # type: ignore[index]


def test_a_value_keeps_the_signature() -> None:
    """New code with other arguments is refused before it runs."""
    workflow = AutoGenWorkflow(pilot(Book(), slowly), tool_code=True)
    name = "pilot.tools.slowly.code"
    first = str(workflow.parameters()[name].value)
    with pytest.raises(InvalidValue, match="must start with 'async def slowly"):
        workflow.parameters().check({name: other(first, "load: int = 2", "load: int = 3")})
