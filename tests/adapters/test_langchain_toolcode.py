"""The code of LangChain's tools as parameters: asked for, run in the sandbox, and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.tools import BaseTool, StructuredTool, tool

import trace_agents as ta
from tests.adapters.langchain_agents import depth, tide
from tests.adapters.speaking import Heard, Speaking, calls, episode, values
from tests.adapters.test_langchain_agents import agent
from trace_agents.errors import InvalidValue, SandboxError
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace

FATHOMS = {"Dunholm": 7}


@tool
def sounding(place: str) -> str:
    """Measure the depth."""
    return f"{FATHOMS[place]} fathoms at {place}."


@tool
async def current(place: str) -> str:
    """Measure the current."""
    return f"Two knots at {place}."


class Horn(BaseTool):
    name: str = "horn"
    description: str = "Blow the horn."

    def _run(self, place: str) -> str:
        return f"Toot at {place}."


def asking(name: str) -> Speaking:
    """Return a model that calls one tool and repeats what it says."""

    def say(heard: Heard) -> Any:
        return heard.texts[-1] if heard.answered else calls(name, place="Dunholm")

    return Speaking(say=say)


def test_only_the_code_that_was_asked_for_is_a_parameter() -> None:
    """Without the option there is none, with a name one, with True all of them."""
    thing = agent(Speaking(), depth, tide)
    found = [
        [name for name in ta.wrap(thing, tool_code=asked).parameters() if name.endswith(".code")]
        for asked in (False, ["tide"], True)
    ]
    both = ["bot.tools.depth.code", "bot.tools.tide.code"]
    assert found == [[], ["bot.tools.tide.code"], both]


@pytest.mark.parametrize("called", [sounding, current], ids=lambda each: each.name)
async def test_new_code_runs_in_the_sandbox_and_the_own_one_does_not(called: BaseTool) -> None:
    """Sync and async: the user's own code sees its module, and new code only its arguments."""
    workflow = ta.wrap(agent(asking(called.name), called), tool_code=True)
    name = f"bot.tools.{called.name}.code"
    own = str(values(workflow)[name])
    first = await episode(workflow, Trace("a"), "Go")
    assert str(first).endswith("at Dunholm.")
    body = 'return f"None at {place}."'
    new = own[: own.index("return")] + body
    assert await episode(workflow, Trace("b", 1, {name: new}), "Go") == "None at Dunholm."
    assert await episode(workflow, Trace("c"), "Go") == first
    reaching = own[: own.index("return")] + "return str(FATHOMS)"
    with pytest.raises(SandboxError, match="FATHOMS"):
        await episode(workflow, Trace("d", 2, {name: reaching}), "Go")


async def test_an_error_of_new_code_is_feedback_for_it() -> None:
    """The tool's call says what was raised, and feedback on the run reaches the code."""
    workflow = ta.wrap(agent(asking("sounding"), sounding), tool_code=["sounding"])
    name = "bot.tools.sounding.code"
    new = str(values(workflow)[name]).replace("FATHOMS[place]", "1 // 0")
    trace = Trace("e", 1, {name: new})
    with pytest.raises(SandboxError):
        await episode(workflow, trace, "Go")
    (called,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert called.error is not None
    assert "ZeroDivisionError" in called.error
    reached = ta.backward(trace.graph(), "It broke.").parameters
    assert new in [node.value for node in reached]


async def test_code_may_run_without_a_sandbox_by_that_word() -> None:
    """`sandbox="unsafe"` lets new code see its own module, for sync and async tools."""
    for called, new in ((sounding, "FATHOMS"), (current, "len(FATHOMS)")):
        workflow = ta.wrap(agent(asking(called.name), called), tool_code=True, sandbox="unsafe")
        name = f"bot.tools.{called.name}.code"
        own = str(values(workflow)[name])
        code = own[: own.index("return")] + f"return str({new})"
        said = await episode(workflow, Trace("e", 1, {name: code}), "Go")
        assert said in ("{'Dunholm': 7}", "1")


def typed(function: Callable[[str], str]) -> Callable[[str], str]:
    return function


@pytest.mark.parametrize(
    ("called", "asked", "told"),
    [
        (depth, ["dephts"], r"tool_code names \['dephts'\], .* it has \['depth'\]"),
        (Horn(), True, r"'horn' of 'bot' cannot change, because it is no function"),
        (
            StructuredTool.from_function(typed(lambda it: it), name="echo", description="Echo."),
            ["echo"],
            r"'echo' of 'bot' cannot change: .*write it as one `def`",
        ),
        (
            StructuredTool.from_function(str.upper, name="up", description="Up."),
            ["up"],
            r"'up' cannot change, because its function is no `def`",
        ),
    ],
    ids=["name", "class", "lambda", "builtin"],
)
def test_code_that_cannot_change_gets_a_sentence(called: Any, asked: Any, told: str) -> None:
    """A name that no tool has, a class, a lambda and a builtin: each says what to do."""
    with pytest.raises(InvalidValue, match=told):
        ta.wrap(agent(Speaking(), called), tool_code=asked).parameters()
