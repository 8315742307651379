"""LangChain beside other instrumentations, other versions and other uses of the same objects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.prompts import ChatPromptTemplate, FewShotPromptTemplate
from langchain_core.prompts.prompt import PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool

from tests.adapters.speaking import Speaking, episode
from tests.adapters.test_langchain_agents import agent
from trace_agents.tracing.context import Trace
from trace_agents_adapters.langchain import LangChainWorkflow, UnsupportedLangChain
from trace_agents_adapters.langchain.supported import require_supported

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
        ("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
    ],
)
def test_nothing_is_counted_twice_beside_another_instrumentation(module: str, name: str) -> None:
    """Two model calls and one tool call are as many nodes, told by more spans."""
    command = [sys.executable, "-m", "tests.adapters.beside", module, name]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found = json.loads(shown.stdout.splitlines()[-1])
    assert found.pop("spans") > 5
    assert found == {"llm_call": 2, "tool_call": 1, "output": 1, "tokens": 8}


def test_unwrapping_restores_every_class_that_was_wrapped() -> None:
    """Models, tools, retrievers and templates have their own methods again after the scope."""
    wrapped = [
        *((BaseChatModel, name) for name in ("agenerate", "generate", "astream", "stream")),
        *((BaseLLM, name) for name in ("agenerate", "generate", "astream", "stream")),
        *((BaseTool, name) for name in ("arun", "run")),
        *((BaseRetriever, name) for name in ("ainvoke", "invoke")),
        (PromptTemplate, "format"),
        *((FewShotPromptTemplate, name) for name in ("format", "aformat")),
    ]
    before = [vars(owner)[name] for owner, name in wrapped]
    with LangChainWorkflow(agent(Speaking())).instrumented():
        inside = [vars(owner)[name] for owner, name in wrapped]
        assert not any(now is was for now, was in zip(inside, before, strict=True))
    assert [vars(owner)[name] for owner, name in wrapped] == before


async def test_a_call_outside_of_an_episode_passes_through() -> None:
    """In the scope of a workflow but outside a recording, a chain is as it was."""
    model = Speaking()
    chain: Any = ChatPromptTemplate.from_template("Count {x}") | model
    with LangChainWorkflow(chain).instrumented():
        assert (await chain.ainvoke("up")).text == "Answer to: Count up"
    assert model.heard[0].texts == ["Count up"]


async def test_a_text_that_can_be_filled_in_two_ways_stays_as_it_is() -> None:
    """Where an f-string's fields cannot be told apart, the user's own text goes to the model."""
    from langchain_core.runnables import RunnableLambda

    model = Speaking()

    def tell(given: dict[str, str]) -> str:
        return str(model.invoke(f"Join {given['left']}, {given['right']}").text)

    workflow = LangChainWorkflow(RunnableLambda(tell), name="j")
    trace = Trace("e", 1, {"j.user_message": "{right} and {left}"})
    await episode(workflow, trace, {"left": "a", "right": "b"})
    await episode(workflow, trace, {"left": "a, b", "right": "c"})
    assert [heard.texts[0] for heard in model.heard] == ["b and a", "Join a, b, c"]


@pytest.mark.parametrize("found", ["0.3.79", "2.0.1"])
def test_a_version_that_the_adapter_does_not_know_gets_a_sentence(found: str) -> None:
    """Too old and too new: the sentence names the package, both ends and the command."""
    with pytest.raises(UnsupportedLangChain, match=rf"langchain-core {found} is .*at least 1\.0"):
        require_supported(found=found)
