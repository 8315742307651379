"""LangChain runnables and agents as workflows."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import anyio

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import BaseTool, tool

from tests.adapters.scripted import ScriptedChat
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.langchain import LangChainWorkflow, adapter
from trace_agents_adapters.otel import read_graphs


@tool
def weather(city: str) -> str:
    """Look up the weather."""
    if city == "Atlantis":
        raise LookupError("no such city: Atlantis")
    return f"It is sunny in {city} today."


def agent(model: ScriptedChat) -> Any:
    return cast("Any", create_agent(model, [weather], system_prompt="Be kind.", name="bot"))


def chain(model: ScriptedChat) -> Any:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You are a {role}."), ("human", "Question: {question}")]
    )
    return prompt | model | StrOutputParser()


async def episode(workflow: LangChainWorkflow, trace: Trace, task: object) -> object:
    with recording(trace):
        return await workflow.run(task)


def test_an_agents_parameters_are_found_without_calling_its_model() -> None:
    """The system prompt and the tool's description are found."""
    model = ScriptedChat()
    found = LangChainWorkflow(agent(model)).parameters()
    assert {n: p.value for n, p in found.items()} == {
        "bot.system_message": "Be kind.",
        "bot.tools.weather.description": "Look up the weather.",
    }
    assert model.seen == []


async def test_an_agents_run_becomes_a_graph(tmp_path: Path) -> None:
    """The pinned values reach the model; the graph is the same live and from the file."""
    model = ScriptedChat()
    values = {"bot.system_message": "New.", "bot.tools.weather.description": "Say it."}
    trace = Trace("e", 2, values)
    assert await episode(LangChainWorkflow(agent(model)), trace, "Rome?") == model.answer
    assert [messages[0].content for messages, _ in model.seen] == ["New.", "New."]
    assert model.seen[0][1][0]["function"]["description"] == "Say it."
    graph = trace.graph()
    first, second = graph.of_kind(Kind.LLM_CALL)
    (called,) = graph.of_kind(Kind.TOOL_CALL)
    assert first.id in {e.source for e in graph.inputs[called.id]}
    assert called.id in {e.source for e in graph.inputs[second.id]}
    assert trace.tokens == 8
    path = tmp_path / "spans.jsonl"
    path.write_text("\n".join(line for r in trace.recorders for line in r.lines()))
    assert read_graphs(path) == [graph]


async def test_a_template_is_a_parameter_that_keeps_its_fields() -> None:
    """A prompt's template is found, and a new one is filled with what the old one was."""
    model = ScriptedChat()
    workflow = LangChainWorkflow(chain(model), name="qa")
    assert list(workflow.parameters()) == ["qa.system_message", "qa.user_message"]
    trace = Trace("e", 1, {"qa.system_message": "As {role}!", "qa.user_message": "Q {question}"})
    await episode(workflow, trace, {"role": "pirate", "question": "Where?"})
    assert [m.content for m in model.seen[0][0]] == ["As pirate!", "Q Where?"]


async def test_two_versions_run_at_once_on_one_object() -> None:
    """Concurrent episodes of one shared agent each see their own version."""
    model = ScriptedChat()
    workflow = LangChainWorkflow(agent(model))
    traces = [Trace(f"e{i}", i % 2, {"bot.system_message": f"V{i % 2}"}) for i in range(64)]
    async with anyio.create_task_group() as group:
        for trace in traces:
            group.start_soon(episode, workflow, trace, f"Task of {trace.episode}")
    for trace in traces:
        graph = trace.graph()
        assert graph.by_id["parameter:bot.system_message"].value == f"V{trace.version}"
        assert [n.value for n in graph.of_kind(Kind.INPUT)] == [f"Task of {trace.episode}"]
    for messages, _ in model.seen:
        assert messages[0].content == f"V{int(str(messages[1].content).rpartition('e')[2]) % 2}"


async def test_a_tools_error_is_in_its_node() -> None:
    """A tool that raises leaves a node with the error."""
    trace = Trace("e")
    with suppress(LookupError):
        await episode(LangChainWorkflow(agent(ScriptedChat(city="Atlantis"))), trace, "Go")
    (called,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert called.error is not None
    assert "no such city" in called.error


async def test_streamed_calls_are_recorded_once() -> None:
    """A chain that streams gives one model call, with its whole answer."""
    workflow = LangChainWorkflow(chain(ScriptedChat()), name="qa")
    trace = Trace("e", 1, {"qa.system_message": "As {role}!"})
    with recording(trace), workflow.instrumented():
        task = {"role": "pirate", "question": "Where?"}
        pieces = [piece async for piece in chain(ScriptedChat()).astream(task)]
    assert "".join(pieces) == "The final answer is here."
    assert [n.value for n in trace.graph().of_kind(Kind.LLM_CALL)] == ["The final answer is here."]


def test_unwrapping_restores_the_classes() -> None:
    """After the scope every method is the original again."""
    names = ("agenerate", "generate", "astream", "stream")
    before = [vars(BaseChatModel)[n] for n in names] + [BaseTool.run, BaseTool.arun]
    with LangChainWorkflow(agent(ScriptedChat())).instrumented():
        assert vars(BaseChatModel)["agenerate"] is not before[0]
    assert [vars(BaseChatModel)[n] for n in names] + [BaseTool.run, BaseTool.arun] == before


def test_the_adapter_knows_its_objects() -> None:
    """Chains and agents match, other things do not."""
    assert adapter.matches(chain(ScriptedChat()))
    assert adapter.matches(agent(ScriptedChat()))
    assert not adapter.matches(len)
