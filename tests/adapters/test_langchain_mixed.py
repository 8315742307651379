"""AutoGen and LangChain in one workflow: one episode, one version, and edges across."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import anyio
from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import LLMMessage

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool

import trace_agents as ta
from tests.adapters.scripted import ScriptedClient
from tests.adapters.speaking import Heard, Speaking, calls, episode, values
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace


def looks_up(messages: Sequence[LLMMessage]) -> str | list[FunctionCall]:
    if any(message.type == "FunctionExecutionResultMessage" for message in messages):
        return "The report is written."
    arguments = json.dumps({"question": "How tall are bears?"})
    return [FunctionCall(id="c1", name="look_up", arguments=arguments)]


def researcher(client: ScriptedClient, model: Speaking) -> Any:
    chain: Any = ChatPromptTemplate.from_template("Look up: {question}") | model | StrOutputParser()

    async def look_up(question: str) -> str:
        """Look a question up."""
        return str(await chain.ainvoke(question))

    def build() -> AssistantAgent:
        return AssistantAgent(
            "writer",
            client,
            tools=[look_up],
            system_message="Write reports.",
            reflect_on_tool_use=True,
        )

    return build


async def test_a_tool_of_autogen_calls_a_chain() -> None:
    """The chain's template is a parameter of the agent, and its answer flows back into it."""
    client, model = ScriptedClient(looks_up), Speaking(say=lambda _: "Two metres tall.")
    workflow = ta.wrap(researcher(client, model))
    assert values(workflow) == {
        "writer.system_message": "Write reports.",
        "writer.tools.look_up.description": "Look a question up.",
        "look_up.user_message": "Look up: {question}",
    }
    new = {"writer.system_message": "W", "look_up.user_message": "Find: {question}"}
    trace = Trace("e", 1, new)
    assert await episode(workflow, trace, "Report on bears") == "The report is written."
    assert client.systems == ["W", "W"]
    assert model.heard[0].texts == ["Find: How tall are bears?"]
    graph = trace.graph()
    asked, inner, answered = graph.of_kind(Kind.LLM_CALL)
    (called,) = graph.of_kind(Kind.TOOL_CALL)
    assert {asked.id, inner.id} <= {edge.source for edge in graph.inputs[called.id]}
    assert called.id in {edge.source for edge in graph.inputs[answered.id]}
    template = "parameter:look_up.user_message"
    assert template in {edge.source for edge in graph.inputs[inner.id]}
    assert len(list(graph.of_kind(Kind.OUTPUT))) == 1


def team(client: ScriptedClient) -> RoundRobinGroupChat:
    poet = AssistantAgent("poet", client, system_message="Write a poem.")
    return RoundRobinGroupChat([poet], termination_condition=MaxMessageTermination(2))


def ordering(client: ScriptedClient) -> Any:
    poets = ta.wrap(lambda: team(client), name="poets")

    @tool
    async def write_poem(subject: str) -> str:
        """Have a poem written."""
        return str(await poets.run(subject))

    def say(heard: Heard) -> str | AIMessage:
        asked = calls("write_poem", subject="A poem on tea, please.")
        return "Here it is." if heard.answered else asked

    model = Speaking(say=say)
    return cast("Any", create_agent(model, [write_poem], system_prompt="Delegate.", name="boss"))


async def test_a_tool_of_langchain_runs_a_team() -> None:
    """The team in the tool has the outer episode's version, and is a part of its graph."""
    client = ScriptedClient(lambda _: "Leaves in water rest.")
    workflow = ta.wrap(ordering(client))
    found = values(workflow)
    assert found["boss.system_message"] == "Delegate."
    assert found["poet.system_message"] == "Write a poem."
    trace = Trace("e", 1, {"poet.system_message": "Rhyme."})
    assert await episode(workflow, trace, "I want a poem") == "Here it is."
    assert client.systems == ["Rhyme."]
    graph = trace.graph()
    outputs = [node.name for node in graph.of_kind(Kind.OUTPUT)]
    assert outputs == ["boss"]
    (poem,) = (
        n for n in graph.nodes if n.value == "Leaves in water rest." and n.kind is Kind.LLM_CALL
    )
    (called,) = graph.of_kind(Kind.TOOL_CALL)
    assert poem.id in {edge.source for edge in graph.inputs[called.id]}


class ChainAgent(BaseChatAgent):
    """A member of a team that answers by a chain."""

    def __init__(self, name: str, chain: Any) -> None:
        super().__init__(name, "Answers by a chain.")
        self._chain = chain

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        said = await self._chain.ainvoke(messages[-1].to_model_text())
        return Response(chat_message=TextMessage(content=said, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None: ...


def with_chain_member(client: ScriptedClient, model: Speaking) -> Any:
    chain = ChatPromptTemplate.from_template("Judge this: {text}") | model | StrOutputParser()

    def build() -> RoundRobinGroupChat:
        writer = AssistantAgent("writer", client, system_message="Write.")
        members: list[Any] = [writer, ChainAgent("judge", chain)]
        return RoundRobinGroupChat(members, termination_condition=MaxMessageTermination(3))

    return build


async def test_a_member_of_a_team_is_a_chain() -> None:
    """What the writer says goes into the chain, whose template is a parameter of the team."""
    client, model = ScriptedClient(lambda _: "A draft of it."), Speaking(say=lambda _: "Well done.")
    workflow = ta.wrap(with_chain_member(client, model), name="team")
    assert values(workflow)["team.user_message"] == "Judge this: {text}"
    trace = Trace("e", 1, {"team.user_message": "Rate: {text}"})
    assert await episode(workflow, trace, "Write it") == "Well done."
    assert model.heard[0].texts == ["Rate: A draft of it."]
    first, second = trace.graph().of_kind(Kind.LLM_CALL)
    assert first.id in {edge.source for edge in trace.graph().inputs[second.id]}


async def test_mixed_episodes_of_two_versions_run_at_once() -> None:
    """Twenty episodes of two versions on one loop: each chain call has its own episode's."""
    client, model = ScriptedClient(looks_up), Speaking()
    workflow = ta.wrap(researcher(client, model))
    workflow.parameters()
    traces = [
        Trace(f"e{i}", i % 2, {"look_up.user_message": f"V{i % 2} {{question}}"}) for i in range(20)
    ]
    async with anyio.create_task_group() as group:
        for trace in traces:
            group.start_soon(episode, workflow, trace, f"Task of {trace.episode}")
    for trace in traces:
        said = [str(node.value) for node in trace.graph().of_kind(Kind.LLM_CALL)]
        assert f"Answer to: V{trace.version} How tall are bears?" in said
        assert f"V{1 - trace.version}" not in " ".join(said)
