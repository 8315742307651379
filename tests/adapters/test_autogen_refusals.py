"""Wrong use of the AutoGen adapter: one sentence that says what, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, UserProxyAgent
from autogen_agentchat.base import TerminationCondition
from autogen_agentchat.conditions import ExternalTermination, FunctionalTermination
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    RoundRobinGroupChat,
    SelectorGroupChat,
)
from autogen_core import FunctionCall, SingleThreadedAgentRuntime
from autogen_core.models import FunctionExecutionResult

import trace_agents as ta
from tests.adapters.autogen_agents import Herald
from tests.adapters.autogen_kit import Book, assistant, depth
from tests.adapters.autogen_teams import pair
from trace_agents.errors import InvalidValue, NotWrappable, TraceAgentsError, UnknownParameter
from trace_agents_adapters.autogen import AutoGenWorkflow, NothingToLearn, UnsupportedAutoGen
from trace_agents_adapters.autogen.supported import require_supported


def ended_by(condition: TerminationCondition) -> RoundRobinGroupChat:
    return RoundRobinGroupChat(pair(Book()), termination_condition=condition)


def branching() -> GraphFlow:
    first, second = pair(Book())
    builder = DiGraphBuilder().add_node(first).add_node(second)
    builder.add_edge(first, second, condition=lambda message: True)
    return GraphFlow([first, second], builder.build())


def shortly(call: FunctionCall, result: FunctionExecutionResult) -> str:
    return f"{call.name}: {result.content}"


def summarising() -> AssistantAgent:
    return assistant(Book(), "pilot", "Aye.", tools=[depth], tool_call_summary_formatter=shortly)


class Loud(AssistantAgent):
    """A subclass that AutoGen would copy as its base class."""


def asking() -> RoundRobinGroupChat:
    user = UserProxyAgent("user", input_func=lambda prompt: "")
    return RoundRobinGroupChat([user, *pair(Book())])


def choosing() -> SelectorGroupChat:
    client = Book()("chooser", "writer")
    return SelectorGroupChat(pair(Book()), client, selector_func=lambda messages: None)


RUNTIME = SingleThreadedAgentRuntime()
REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("own agent", lambda: Herald(Book()("m", "x")), "the Herald 'herald' cannot be copied"),
    ("subclass", lambda: Loud("loud", Book()("m", "x")), "would lose Loud"),
    ("own runtime", lambda: RoundRobinGroupChat(pair(Book()), runtime=RUNTIME), "runtime"),
    ("function", lambda: ended_by(FunctionalTermination(lambda messages: True)), "Functional"),
    ("handle", lambda: ended_by(ExternalTermination()), "could not be set by whoever holds it"),
    ("input", asking, r"participants\[0\].input_func"),
    ("selector", choosing, "SelectorGroupChat.selector_func"),
    ("branch", branching, r"nodes\['writer'\].edges\[0\].condition_function"),
    ("summary", summarising, "AssistantAgent.tool_call_summary_formatter"),
]


@pytest.mark.parametrize(("name", "make", "member"), REFUSED, ids=[r[0] for r in REFUSED])
def test_what_cannot_be_copied_is_refused(name: str, make: Callable[[], Any], member: str) -> None:
    """An object that a copy would not be equal to is refused, with the member and the way out."""
    with pytest.raises(NotWrappable, match=member) as refused:
        AutoGenWorkflow(make())
    assert "ta.wrap(build)" in str(refused.value)


@pytest.mark.parametrize(("name", "make", "member"), REFUSED, ids=[r[0] for r in REFUSED])
def test_a_factory_of_it_is_taken(name: str, make: Callable[[], Any], member: str) -> None:
    """The way out that the sentence names is one."""
    assert ta.wrap(make).parameters()


def test_an_agent_with_nothing_to_learn() -> None:
    """An agent without a prompt and tools is wrapped, with a warning that says so."""
    agent = assistant(Book(), "mute", "…", system_message=None)
    with pytest.warns(NothingToLearn, match=r"'mute' has nothing to learn: .* system_message="):
        assert not AutoGenWorkflow(agent).parameters()


def test_a_tool_without_a_docstring() -> None:
    """A tool that is described by its name only is named, with what to do."""

    async def bare(place: str) -> str:
        return place

    agent = assistant(Book(), "pilot", "Aye.", tools=[bare])
    with pytest.warns(NothingToLearn, match=r"the tool 'bare' of 'pilot' .* give .* a docstring"):
        assert list(AutoGenWorkflow(agent).parameters()) == ["pilot.system_message"]


def test_a_factory_of_something_else() -> None:
    """A function that returns no agent is refused by the type of what it returned."""
    with pytest.raises(NotWrappable, match=r"returned an object of type builtins\.str"):
        ta.wrap(lambda: "agent")


async def test_a_factory_that_gives_one_object_again() -> None:
    """Two episodes of one conversation are refused, before the second one runs."""
    book = Book()
    agent = assistant(book, "pilot", "Aye.")
    workflow = AutoGenWorkflow(lambda: agent, name="again")
    await workflow.run("One")
    with pytest.raises(NotWrappable, match="'again' gave the same AssistantAgent for two episodes"):
        await workflow.run("Two")
    assert len(book.clients["pilot-model"].seen) == 1


async def test_values_that_do_not_fit() -> None:
    """A name that is none, a text for a number, and a prompt that lost a field are refused."""
    client = Book()("chooser", "writer")
    workflow = ta.wrap(SelectorGroupChat(pair(Book()), client))
    wrong: list[tuple[dict[str, object], type[TraceAgentsError], str]] = [
        ({"nobody.system_message": "x"}, UnknownParameter, "the parameters are: SelectorGroupChat"),
        ({"SelectorGroupChat.selector_prompt": "Choose!"}, InvalidValue, "lost its placeholders"),
        ({"writer.description": 7}, InvalidValue, "expected text, got int"),
    ]
    for values, error, words in wrong:
        with pytest.raises(error, match=words):
            async with ta.applied(workflow, values):
                pass


async def test_a_frozen_prompt_is_shown_and_not_trained() -> None:
    """A frozen parameter is among the parameters, and not among those that training may change."""
    workflow = ta.wrap(assistant(Book(), "pilot", "Aye.")).freeze("pilot.*")
    assert workflow.parameters()["pilot.system_message"].frozen
    assert not workflow.parameters().trainable
    with pytest.raises(InvalidValue, match=r"'pilot\.system_message' is frozen"):
        async with ta.applied(workflow, {"pilot.system_message": "New."}):
            pass


@pytest.mark.parametrize("found", ["0.6.4", "0.8.0", "1.0"])
def test_an_unsupported_release(found: str) -> None:
    """A release that the adapter was not made for is named, with the command that helps."""
    with pytest.raises(UnsupportedAutoGen, match=rf"autogen-agentchat {found} .* pip install"):
        require_supported(found=found)
    require_supported(found="0.7.1")
