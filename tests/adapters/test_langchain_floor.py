"""The oldest LangChain that the adapter takes, installed by pip into an environment of its own.

It takes about half a minute and needs a package index; `SKIP_FLOOR=1` leaves it out.
"""

from __future__ import annotations

import os
import re
import subprocess
import venv
from pathlib import Path

import pytest

from tests.adapters.test_otel_floor import ROOT, pip

PINNED = {
    "langchain": "1.0.0",
    "langchain-core": "1.0.0",
    "langgraph": "1.0.0",
    # a later one needs a later langgraph, which it does not say
    "langgraph-prebuilt": "1.0.1",
}

# an agent with a tool: found, bound, and in the graph under its name
PROGRAM = """
import asyncio
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

import trace_agents as ta

class Model(GenericFakeChatModel):
    def bind_tools(self, tools, **settings):
        return self

@tool
def depth(place: str) -> str:
    \"\"\"Look up the depth.\"\"\"
    return f"Seven fathoms at {place}."

def build():
    call = {"id": "c1", "name": "depth", "args": {"place": "Dunholm"}}
    said = [AIMessage("", tool_calls=[call]), AIMessage("Deep enough.")]
    model = Model(messages=iter(said))
    return create_agent(model, [depth], system_prompt="Be exact.", name="pilot")

async def main():
    pilot = ta.wrap(build, tool_code=True)
    assert set(pilot.parameters()) == {"pilot.system_message", "pilot.tools.depth.code"}
    async with ta.applied(pilot, {"pilot.system_message": "Be brief."}) as trace:
        assert await pilot.run("How deep?") == "Deep enough."
    graph = trace.graph()
    assert graph.problems == (), graph.problems
    assert [n.agent for n in graph.of_kind("llm_call")] == ["pilot", "pilot"]
    reached = ta.backward(graph, "Too brief.").parameters
    assert sorted(n.value for n in reached)[0] == "Be brief."
    assert len(reached) == 2

asyncio.run(main())
"""


@pytest.mark.skipif("SKIP_FLOOR" in os.environ, reason="SKIP_FLOOR is set")
def test_the_oldest_langchain_does_the_same(tmp_path: Path) -> None:
    """Parameters, versions, names and the flow of an agent, with the first release of 1.0."""
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    # the rest as it is tested elsewhere; LangChain chooses what it needs itself
    tested = (ROOT / "constraints.txt").read_text()
    others = re.findall(
        r"^(?:anyio|pydantic|SQLAlchemy|rich|typer|opentelemetry\S*)==.*", tested, re.M
    )
    (tmp_path / "others.txt").write_text("\n".join(others))
    wanted = [f"{name}=={version}" for name, version in PINNED.items()]
    limited = ["--python", str(python), "install", "-c", str(tmp_path / "others.txt")]
    done = pip(*limited, f"{ROOT}[otel]", *wanted)
    if done.returncode:  # says nothing of the library
        pytest.skip(f"the package index does not give these versions: {done.stderr[-500:]}")
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [str(python), "-I", "program.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
