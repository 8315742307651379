"""A budget of model calls, over real agents, their judge and the optimizer together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import anyio
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.models import LLMMessage
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate

from tests.adapters.langchain_kit import Book, Completing, Model
from tests.adapters.scripted import ScriptedClient, calls_weather, tool_agent
from trace_agents.guides import llm_judge
from trace_agents.llm import Message
from trace_agents.optimizers import OptoPrime
from trace_agents.testing import FunctionModel
from trace_agents.tracing.context import Trace, recording
from trace_agents.training import Budget, Spent, TrainResult, train
from trace_agents.workflow import Workflow
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.langchain import LangChainWorkflow

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

EPISODE = Spent(calls=4)
"""An episode at most: two calls of its agent, a verdict, and a second one."""


class Counted:
    """Models that count the calls that they really got."""

    def __init__(self) -> None:
        self.made = 0

    def autogen(self) -> Workflow:
        """Return an agent of two calls: one asks for a tool, the other one reads its result."""
        tool = calls_weather()

        def say(messages: Sequence[LLMMessage]) -> str | list[FunctionCall]:
            self.made += 1
            return tool(messages)

        def build() -> AssistantAgent:
            return tool_agent(ScriptedClient(say, anyio.lowlevel.checkpoint))

        return AutoGenWorkflow(build)

    def langchain(self) -> Workflow:
        """Return a chain of two calls."""

        def say(messages: list[BaseMessage]) -> str:
            self.made += 1
            return f"an answer to {messages[-1].text}"

        model: Any = Model(model_name="m", say=say, book=Book())
        first = ChatPromptTemplate.from_messages([("system", "Write well."), ("user", "{task}")])
        again = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{text}")])
        draft = {"text": first | model | StrOutputParser()}
        return LangChainWorkflow(draft | again | model | StrOutputParser())

    def judge(self) -> FunctionModel:
        """Return a judge of which some first verdicts cannot be read."""

        def say(messages: Sequence[Message]) -> str:
            self.made += 1
            unread = len(messages) == 2 and self.made % 2
            return "quite good" if unread else '{"score": 0.5, "reason": "make it warmer"}'

        return FunctionModel(say, name="judge")

    def optimizer(self, workflow: Workflow) -> OptoPrime:
        """Return an optimizer that has something new each time."""
        name = next(
            n for n, p in workflow.parameters().trainable.items() if isinstance(p.value, str)
        )

        def say(_messages: Sequence[Message]) -> str:
            self.made += 1
            value = f"Be warm, {self.made}."
            return f"<variable><name>{name}</name><value>{value}</value></variable>"

        return OptoPrime(workflow.parameters(), llm=FunctionModel(say, name="optimizer"))


Build: TypeAlias = Callable[[Counted], Workflow]
both = pytest.mark.parametrize("build", [Counted.autogen, Counted.langchain])


async def learn(counted: Counted, build: Build, budget: Budget, concurrency: int) -> TrainResult:
    workflow = build(counted)
    tasks = [f"How is the weather in Rome on day {number}?" for number in range(12)]
    chain = isinstance(workflow, LangChainWorkflow)
    return await train(
        workflow,
        [{"task": task} for task in tasks] if chain else tasks,
        guide=llm_judge(counted.judge(), rubric="It is warm."),
        optimizer=counted.optimizer(workflow),
        budget=budget,
        concurrency=concurrency,
        batch_size=3,
        proposals=5,
    )


@both
@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("limit", [50, 60, 101])
async def test_never_more_calls_are_made_than_the_budget_has(
    build: Build, concurrency: int, limit: int
) -> None:
    """Agents, gate, judge and optimizer together; and the ledger says what the models counted."""
    counted = Counted()
    result = await learn(counted, build, Budget(calls=limit, estimate=EPISODE), concurrency)
    assert result.spent.calls == counted.made
    assert 0 < counted.made <= limit
    assert result.stopped == "budget"


@both
@pytest.mark.parametrize("concurrency", [1, 8])
async def test_without_an_estimate_only_calls_under_way_pass_the_limit(
    build: Build, concurrency: int
) -> None:
    """The first episode tells the price; dearer ones are stopped at the limit."""
    counted = Counted()
    result = await learn(counted, build, Budget(calls=60), concurrency)
    assert result.spent.calls == counted.made
    assert 0 < counted.made <= 60 + concurrency


@both
async def test_a_budget_that_is_not_used_up_has_every_call_once(build: Build) -> None:
    """What the models counted is what was spent, to the call."""
    counted = Counted()
    result = await learn(counted, build, Budget(calls=10_000), 8)
    assert result.stopped == "complete"
    assert result.spent.calls == counted.made > 50


async def test_prompts_that_go_out_together_count_one_each() -> None:
    """A model of plain text answers several prompts in one call of the framework."""
    model = Completing(model_name="m", answer="warm", book=Book())
    trace = Trace("e")
    workflow = LangChainWorkflow(PromptTemplate.from_template("Say {task}.") | model)
    with workflow.instrumented(), recording(trace):
        await model.agenerate(["one", "two", "three"])
    assert trace.calls == 3
