"""Runs of agents in waves, bare or wrapped: `ops.py PROGRAM WHAT HOW EPISODES`.

It prints one JSON object. Each run is a process of its own, because the tracer provider is the
process's. Times are CPU seconds of one episode.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from benchmarks.wrappingcosts.agents import TASK, TURNS, Clients, agent, sounding
from trace_agents.tracing.context import Trace, recording
from trace_agents.workflow import Workflow
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.langchain import LangChainWorkflow

Run: TypeAlias = Callable[[], Awaitable[object]]
Done: TypeAlias = Callable[[], None]
"""What is called when a wave is over."""
Measured: TypeAlias = dict[str, float]

WAVES = 3
"""Waves of one measurement, after one that warms up."""
WARM = 20
"""Episodes that fill what the libraries keep for good."""
TEAMS = ("team", "copied")
CHANGED = " It is version 1."


def workflow(what: str) -> Workflow:
    """Return what is measured, wrapped."""
    made: dict[str, Callable[[], Workflow]] = {
        "team": lambda: AutoGenWorkflow(Clients().team, name="team"),
        "copied": lambda: AutoGenWorkflow(Clients().team(), name="team"),
        "agent": lambda: LangChainWorkflow(agent()),
        "tool": lambda: LangChainWorkflow(agent(sounding)),
    }
    return made[what]()


def bare(what: str) -> Run:
    """Return one run of what is measured, as its user would do it."""
    if what in TEAMS:
        clients = Clients()
        return lambda: clients.team().run(task=TASK)
    thing = agent(sounding) if what == "tool" else agent()
    message = {"role": "user", "content": TASK}
    return lambda: thing.ainvoke({"messages": [message]})


def wrapped(what: str, *, kept: bool) -> tuple[Run, list[Trace]]:
    """Return one run of a wrapped workflow with other texts than its first, and the recordings."""
    flow = workflow(what)
    first = flow.parameters()
    values: dict[str, object] = {
        name: f"{parameter.value}{CHANGED}" if isinstance(parameter.value, str) else parameter.value
        for name, parameter in first.items()
    }
    traces: list[Trace] = []

    async def run() -> object:
        trace = Trace(f"e{len(traces)}", 1, values, kept=kept)
        traces.append(trace)
        with recording(trace):
            return await flow.run(TASK)

    return run, traces


def traced() -> InMemorySpanExporter:
    """Set a provider that keeps the spans of whoever makes some, as an application does."""
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    otel.set_tracer_provider(provider)
    return memory


def prepared(what: str, how: str) -> tuple[Run, Done]:
    """Return one run, and what lets go of the spans of a wave."""
    if how == "bare":
        return bare(what), lambda: None
    if how == "traced":
        memory = traced()
        return bare(what), memory.clear
    run, traces = wrapped(what, kept=how == "wrapped")
    return run, traces.clear


async def wave(run: Run, episodes: int) -> float:
    """Run all episodes at once and return the CPU time of one."""
    gc.collect()
    began = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(episodes):
            group.create_task(as_task(run))
    return (time.process_time() - began) / episodes


async def as_task(run: Run) -> None:
    """Do one run."""
    await run()


async def timed(run: Run, done: Done, episodes: int) -> Measured:
    """Return the median CPU time of an episode in a wave."""
    times: list[float] = []
    for _ in range(1 + WAVES):
        times.append(await wave(run, episodes))
        done()
    return {"episode": statistics.median(times[1:])}


async def held(run: Run, done: Done, episodes: int) -> Measured:
    """Return what later waves add to what the process holds, beyond what the first two left."""
    await warmed(run, done)
    tracemalloc.start()
    full: list[int] = []
    empty: list[int] = []
    counts: list[int] = []
    for _ in range(2 + WAVES):
        await wave(run, episodes)
        full.append(traced_bytes())
        done()
        empty.append(traced_bytes())
        counts.append(len(gc.get_objects()))
    return {
        "recording": (full[-1] - empty[-1]) / episodes,
        "bytes": (empty[-1] - empty[1]) / (episodes * WAVES),
        "objects": counts[-1] - counts[1],
        "base": empty[1],
    }


async def warmed(run: Run, done: Done) -> None:
    """Fill what the libraries keep for good; in two waves, as some is kept when one is over."""
    for _ in range(2):
        await wave(run, WARM)
        done()


def traced_bytes() -> int:
    """Return what Python's memory holds, when all that can be freed is."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def read(what: str, episodes: int) -> Measured:
    """Return the CPU time that it takes to read an episode's recording as a graph."""
    run, traces = wrapped(what, kept=True)
    await wave(run, episodes)
    began = time.process_time()
    for trace in traces:
        trace.graph()
    return {"graph": (time.process_time() - began) / episodes}


def main() -> None:
    """Print what was measured."""
    program, what, how, episodes = *sys.argv[1:4], int(sys.argv[4])
    if program == "graph":
        found = asyncio.run(read(what, episodes))
    else:
        measure = {"time": timed, "held": held}[program]
        found = asyncio.run(measure(*prepared(what, how), episodes))
    print(json.dumps({**found, "turns": TURNS if what in TEAMS else 1}))


if __name__ == "__main__":
    main()
