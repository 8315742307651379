"""Models over litellm, against a loopback server that speaks the OpenAI protocol."""

from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import Any, cast

import pytest
from autogen_agentchat.agents import AssistantAgent

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.runnables import Runnable

from tests.adapters.scripted import weather
from tests.adapters.test_langchain import weather as weather_tool
from trace_agents.errors import ModelError, UnknownModel
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.autogen import litellm_client as autogen_model
from trace_agents_adapters.langchain import LangChainWorkflow
from trace_agents_adapters.langchain import litellm_client as langchain_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*[Pp]ydantic.*"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1"


async def test_an_autogen_agent_runs_over_litellm(chat_server: ThreadingHTTPServer) -> None:
    """A tool is called and its result goes back to the model; tokens are counted."""

    def build() -> AssistantAgent:
        client = autogen_model("openai/toy", base_url=url(chat_server), api_key="k")
        return AssistantAgent("a", client, tools=[weather], reflect_on_tool_use=True)

    trace = Trace("e")
    with recording(trace):
        assert await AutoGenWorkflow(build).run("Rome?") == "Sunny, says the server."
    assert trace.tokens == 36
    assert chat_server.seen[1]["messages"][-1]["content"] == (  # type: ignore[attr-defined]
        "It is sunny in Rome today."
    )


async def test_a_langchain_agent_runs_over_litellm(chat_server: ThreadingHTTPServer) -> None:
    """A tool is called and its result goes back to the model; tokens are counted."""
    model = langchain_model("openai/toy", base_url=url(chat_server), api_key="k")
    trace = Trace("e")
    with recording(trace):
        agent = cast("Runnable[Any, Any]", create_agent(model, [weather_tool]))
        workflow = LangChainWorkflow(agent)
        assert await workflow.run("Rome?") == "Sunny, says the server."
    assert trace.tokens == 36


async def test_errors_are_ours(chat_server: ThreadingHTTPServer) -> None:
    """A refusing server is a ModelError, a name that nobody knows an UnknownModel."""
    with pytest.raises(ModelError, match="the server refuses"):
        await langchain_model("openai/broken", base_url=url(chat_server), api_key="k").ainvoke("x")
    with pytest.raises(UnknownModel, match="provider/name"):
        await langchain_model("no-such-model").ainvoke("x")
