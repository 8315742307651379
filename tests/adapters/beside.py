"""A program that runs an agent beside another instrumentation, and prints what is in its graph.

It runs in a process of its own: what these packages patch stays patched after `uninstrument`.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

import anyio

from tests.adapters.speaking import Heard, Speaking, calls, episode
from tests.adapters.test_langchain_agents import agent, weather
from trace_agents.graph import Kind
from trace_agents.tracing.context import Trace
from trace_agents_adapters.langchain import LangChainWorkflow
from trace_agents_adapters.otel import SpanRecorder
from trace_agents_adapters.otel.capture import ensure_provider


def asks_weather(heard: Heard) -> Any:
    """Ask the tool, then answer."""
    return "Rome is fine today." if heard.answered else calls("weather", city="Rome")


async def counted() -> dict[str, int]:
    """Return how many calls, outputs, spans and tokens an episode has."""
    trace = Trace("e", 1, {"bot.system_message": "Be rude."})
    workflow = LangChainWorkflow(agent(Speaking(say=asks_weather), weather))
    await episode(workflow, trace, "How is Rome?")
    graph = trace.graph()
    kinds = (Kind.LLM_CALL, Kind.TOOL_CALL, Kind.OUTPUT)
    return {
        **{kind.value: len(list(graph.of_kind(kind))) for kind in kinds},
        "spans": len(trace.recorder(SpanRecorder, SpanRecorder).records()),
        "tokens": trace.tokens,
    }


def main(module: str, name: str) -> None:
    """Run with the instrumentor `name` of `module` switched on."""
    instrumentor = getattr(import_module(module), name)()
    instrumentor.instrument(tracer_provider=ensure_provider())
    sys.stdout.write(json.dumps(anyio.run(counted)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
