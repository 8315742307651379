"""LangChain runnables and agents as workflows."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, cast

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool

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


async def test_a_tools_error_is_in_its_node() -> None:
    """A tool that raises leaves a node with the error."""
    trace = Trace("e")
    with suppress(LookupError):
        await episode(LangChainWorkflow(agent(ScriptedChat(city="Atlantis"))), trace, "Go")
    (called,) = trace.graph().of_kind(Kind.TOOL_CALL)
    assert called.error is not None
    assert "no such city" in called.error


def test_the_adapter_knows_its_objects() -> None:
    """Chains and agents match, other things do not."""
    assert adapter.matches(chain(ScriptedChat()))
    assert adapter.matches(agent(ScriptedChat()))
    assert not adapter.matches(len)
