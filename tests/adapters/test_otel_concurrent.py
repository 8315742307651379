"""A thousand episodes at once, of every sort of concurrency: each span lands in its own."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field

import anyio
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, StatusCode, Tracer

from trace_agents.graph import Graph, Reason
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.otel import EpisodeProcessor, SpanRecorder

EPISODES = 1_000
LONGEST = 0.02
"""Seconds of one random delay."""
TOOLS = ("weather", "news")
SPANS = sorted(("run", "plan", "http", *TOOLS, "answer"))
"""The names of the spans of one episode."""

Pause = Callable[[], Awaitable[None]]
Step = Callable[[Pause], Coroutine[object, object, None]]
AtOnce = Callable[[Sequence[Step]], Awaitable[None]]
Json = dict[str, object]


def said(role: str, *parts: Json) -> Json:
    return {"role": role, "parts": list(parts)}


def text(content: str) -> Json:
    return {"type": "text", "content": content}


@dataclass(frozen=True, slots=True)
class Episode:
    """A model asks for two tools that run at once, one of which may fail, and then answers."""

    number: int
    tracer: Tracer
    trace: Trace

    async def run(self, pause: Pause, at_once: AtOnce, opened: Pause) -> None:
        with recording(self.trace), self.tracer.start_as_current_span("run", attributes=self.is_()):
            await opened()
            planned = await self.plan(pause)
            await at_once([self.tool(name, planned) for name in TOOLS])
            await self.answer(pause)

    async def plan(self, pause: Pause) -> SpanContext:
        question, asked = self.asked()
        about = self.chat([question], asked)
        with self.tracer.start_as_current_span("plan", attributes=about) as span:
            with self.tracer.start_as_current_span("http", attributes=self.is_()):
                await pause()
            await pause()
        return span.get_span_context()

    def tool(self, name: str, planned: SpanContext) -> Step:
        """Return a tool call that is linked to who asked, and fails in some episodes."""
        called = self.is_(**{"tool.name": name, "tool.call.id": self.id(name)})
        about = {"gen_ai.operation.name": "execute_tool", **called}

        async def step(pause: Pause) -> None:
            start = self.tracer.start_as_current_span
            with start(name, attributes=about, links=[Link(planned)]) as span:
                await pause()
                if name == "news" and self.number % 5 == 0:
                    span.set_status(StatusCode.ERROR, f"no news of {self.number}")
                else:
                    span.set_attribute("gen_ai.tool.call.result", self.result(name))

        return step

    async def answer(self, pause: Pause) -> None:
        told: list[Json] = [
            {"type": "tool_call_response", "id": self.id(name), "response": self.result(name)}
            for name in TOOLS
        ]
        history = [*self.asked(), said("tool", *told)]
        about = self.chat(history, said("assistant", text(f"Go to town {self.number}")))
        with self.tracer.start_as_current_span("answer", attributes=about):
            await pause()

    def asked(self) -> tuple[Json, Json]:
        calls: list[Json] = [
            {"type": "tool_call", "id": self.id(name), "name": name} for name in TOOLS
        ]
        question = text(f"How is it in town number {self.number}?")
        return said("user", question), said("assistant", *calls)

    def chat(self, history: Sequence[Json], answer: Json) -> dict[str, str | int]:
        told = {"input.messages": json.dumps(history), "output.messages": json.dumps([answer])}
        return {"gen_ai.operation.name": "chat", **self.is_(**{"request.model": "m", **told})}

    def is_(self, **more: str) -> dict[str, str | int]:
        return {"number": self.number, **{f"gen_ai.{key}": value for key, value in more.items()}}

    def id(self, name: str) -> str:
        return f"{name}-{self.number}"

    def result(self, name: str) -> str:
        return f"The {name} of town {self.number} is good"


@dataclass(slots=True)
class Opened:
    """Opens when every episode has begun: only then are all of them under way at once."""

    loop: asyncio.AbstractEventLoop
    missing: int = EPISODES
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: threading.Event = field(default_factory=threading.Event)
    tasks: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self) -> None:
        with self.lock:
            self.missing -= 1
            if not self.missing:
                self.threads.set()
                self.loop.call_soon_threadsafe(self.tasks.set)

    async def in_task(self) -> None:
        self.count()
        await self.tasks.wait()

    async def in_thread(self) -> None:
        self.count()
        assert self.threads.wait(60)


def delay() -> float:
    return random.random() * LONGEST


async def sleeping() -> None:
    await asyncio.sleep(delay())


async def blocking() -> None:
    time.sleep(delay())  # noqa: ASYNC251 - it runs in a thread without a loop


async def nothing() -> None: ...


def driven(steps: Coroutine[object, object, None]) -> None:
    """Run what never really waits, in a thread without an event loop."""
    with pytest.raises(StopIteration):
        steps.send(None)


async def as_tasks(steps: Sequence[Step]) -> None:
    async with asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(step(sleeping))


async def in_group(steps: Sequence[Step]) -> None:
    async with anyio.create_task_group() as group:
        for step in steps:
            group.start_soon(step, sleeping)


async def in_executor(steps: Sequence[Step]) -> None:
    await asyncio.gather(*(asyncio.to_thread(driven, step(blocking)) for step in steps))


async def in_threads(steps: Sequence[Step]) -> None:
    threads = [
        threading.Thread(target=copy_context().run, args=(driven, step(blocking))) for step in steps
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def in_turn(steps: Sequence[Step]) -> None:
    for step in steps:
        await step(nothing)


async def all_at_once(episodes: Sequence[Episode]) -> None:
    """Run a quarter of the episodes in each of four ways, all at the same time."""
    opened = Opened(asyncio.get_running_loop())
    threads = [
        threading.Thread(target=driven, args=(e.run(blocking, in_threads, opened.in_thread),))
        for e in episodes[::4]
    ]
    for thread in threads:
        thread.start()
    async with anyio.create_task_group() as group:
        for number, way in enumerate((as_tasks, in_group, in_executor), 1):
            for episode in episodes[number::4]:
                group.start_soon(episode.run, sleeping, way, opened.in_task)
    for thread in threads:
        thread.join()


def made(number: int, tracer: Tracer) -> Episode:
    return Episode(number, tracer, Trace(f"e{number}", number % 7))


def told(episode: Episode) -> tuple[list[str], list[str], tuple[str, ...]]:
    """Return an episode's nodes, edges and problems, with names in place of its spans' ids."""
    recorder = episode.trace.recorder(SpanRecorder, SpanRecorder)
    graph = recorder.graph(episode.trace)
    assert (graph.episode, graph.version) == (episode.trace.episode, episode.trace.version)
    names = {record.span_id: record.name for record in recorder.records()}

    def named(part: object) -> str:
        said = repr(part)
        for span_id, name in names.items():
            said = said.replace(span_id, name)
        return said

    return sorted(map(named, graph.nodes)), sorted(map(named, graph.edges)), graph.problems


def provider() -> tuple[Tracer, InMemorySpanExporter]:
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(EpisodeProcessor())
    provider.add_span_processor(SimpleSpanProcessor(memory))
    return provider.get_tracer("concurrent"), memory


@pytest.fixture(scope="module")
def together() -> tuple[list[Episode], Sequence[ReadableSpan]]:
    """Every episode, after all of them ran at once, and what an exporter saw."""
    tracer, memory = provider()
    episodes = [made(number, tracer) for number in range(EPISODES)]
    asyncio.run(all_at_once(episodes))
    return episodes, memory.get_finished_spans()


Together = tuple[list[Episode], Sequence[ReadableSpan]]


def test_every_span_carries_its_own_episode(together: Together) -> None:
    """Of a thousand episodes at once, no span is missing, and none is stamped with another."""
    _, spans = together
    assert len(spans) == EPISODES * len(SPANS)
    for span in spans:
        stamped = dict(span.attributes or {})
        number = stamped["number"]
        assert stamped["trace_agents.episode.id"] == f"e{number}"
        assert stamped["trace_agents.version"] == int(str(number)) % 7


def test_every_recorder_holds_its_own_spans(together: Together) -> None:
    """An episode's recorder has each of its spans once and no other's, all of them ended."""
    for episode in together[0]:
        recorder = episode.trace.recorder(SpanRecorder, SpanRecorder)
        records = recorder.records()
        assert sorted(record.name for record in records) == SPANS
        assert {record.attributes["number"] for record in records} == {episode.number}
        assert (recorder.unfinished, recorder.problems) == ((), [])


def test_graphs_are_those_of_the_episodes_run_alone(together: Together) -> None:
    """Whatever ran beside an episode and however its own steps interleaved: the same graph."""
    tracer, _ = provider()
    for episode in together[0]:
        alone = made(episode.number, tracer)
        driven(alone.run(nothing, in_turn, nothing))
        assert told(episode) == told(alone)


def test_the_graph_of_an_episode_tells_who_asked_whom() -> None:
    """What the episodes are compared by is no empty graph."""
    alone = made(5, provider()[0])
    driven(alone.run(nothing, in_turn, nothing))
    graph: Graph = alone.trace.recorder(SpanRecorder, SpanRecorder).graph(alone.trace)
    reasons = Counter(edge.reason for edge in graph.edges)
    assert reasons[Reason.TOOL_CALL_ID] >= 4
    assert [node.error for node in graph.nodes if node.error] == ["no news of 5"]
