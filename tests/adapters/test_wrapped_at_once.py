"""Hundreds of wrapped agents at once, two versions live: each episode keeps to itself."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import pytest
from autogen_core.models import LLMMessage

# its annotation leaves type arguments out
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from tests.adapters.scripted import ScriptedClient, team
from tests.adapters.speaking import Heard, Speaking, calls, edges, episode
from trace_agents.graph import Edge, Graph, Parameter
from trace_agents.tracing.context import Trace
from trace_agents.workflow import Workflow
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.langchain import LangChainWorkflow
from trace_agents_adapters.otel import SpanRecorder

LONGEST = 0.05
"""Seconds of one random pause."""
_TOWN = re.compile(r"town (\d+)\b")
_VERSION = re.compile(r"\bV(\d)\b")


def towns(text: str) -> set[str]:
    """Return the episodes of which a text speaks: each has a town of its own."""
    return set(_TOWN.findall(text))


def versions(text: str) -> set[str]:
    """Return the versions of which a text speaks: each has a word in all of its parameters."""
    return set(_VERSION.findall(text))


@dataclass
class AtOnce:
    """Episodes of one workflow that all ran at once, and each call that reached a model."""

    workflow: Workflow
    calls: list[str] = field(default_factory=list[str])
    traces: list[Trace] = field(default_factory=list[Trace])
    outputs: dict[str, object] = field(default_factory=dict[str, object])
    running: int = 0
    most: int = 0
    """How many episodes were under way at one time."""

    def run(self, count: int) -> AtOnce:
        self.traces = [self.trace(number) for number in range(count)]
        asyncio.run(self._all())
        return self

    def trace(self, number: int) -> Trace:
        version = number % 2
        values = {name: renewed(p, version) for name, p in self.workflow.parameters().items()}
        return Trace(str(number), version, values)

    async def _all(self) -> None:
        async with anyio.create_task_group() as group:
            for trace in self.traces:
                group.start_soon(self._one, trace)

    async def _one(self, trace: Trace) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        task = f"How is it in town {trace.episode}?"
        self.outputs[trace.episode] = await episode(self.workflow, trace, task)
        self.running -= 1


def renewed(parameter: Parameter, version: int) -> object:
    value = parameter.value
    return f"V{version} {value}" if isinstance(value, str) else value


def paused(dice: random.Random) -> Callable[[], Any]:
    return lambda: anyio.sleep(dice.random() * LONGEST)


def of_autogen() -> AtOnce:
    """Return a team of two: one writes of the town, one judges what it got."""

    def say(what: str) -> Callable[[Sequence[LLMMessage]], str]:
        return lambda messages: f"{what} town {towns(str(messages[1].content)).pop()}."

    dice = random.Random(7)
    writer = ScriptedClient(say("I write of"), pause=paused(dice))
    critic = ScriptedClient(say("I have read of"), pause=paused(dice))
    workflow = AutoGenWorkflow(lambda: team(writer, critic), name="team")
    made = AtOnce(workflow).run(500)
    made.calls += ["\n".join(str(m.content) for m in ms) for ms, _ in writer.seen + critic.seen]
    return made


def of_langchain() -> AtOnce:
    """Return an agent that asks a tool of the town, and tells what it says."""
    dice = random.Random(8)

    @tool
    async def weather(place: str) -> str:
        """Look up the weather."""
        await paused(dice)()
        return f"It rains in {place}."

    def say(heard: Heard) -> str | AIMessage:
        place = f"town {towns(' '.join(heard.texts)).pop()}"
        if heard.answered:
            return f"They say: {heard.texts[-1]}"
        return calls("weather", call_id="one-id-for-all", place=place)

    model = Speaking(say=say, pause=paused(dice))
    thing = cast("Any", create_agent(model, [weather], system_prompt="Be kind.", name="bot"))
    made = AtOnce(LangChainWorkflow(thing)).run(200)
    made.calls += ["\n".join([*h.texts, *map(str, h.tools)]) for h in model.heard]
    return made


@pytest.fixture(scope="module", params=[of_autogen, of_langchain], ids=["autogen", "langchain"])
def ran(request: pytest.FixtureRequest) -> AtOnce:
    """Every episode of one framework, after all of them ran at once."""
    return cast("Callable[[], AtOnce]", request.param)()


@pytest.fixture(scope="module")
def graphs(ran: AtOnce) -> list[Graph]:
    return [trace.graph() for trace in ran.traces]


def test_all_episodes_are_under_way_at_once(ran: AtOnce) -> None:
    """What follows is about episodes that do overlap, and that all end with their own answer."""
    assert ran.most == len(ran.traces)
    assert {number: towns(str(out)) for number, out in ran.outputs.items()} == {
        trace.episode: {trace.episode} for trace in ran.traces
    }


def test_each_model_call_has_the_prompt_of_its_version(ran: AtOnce) -> None:
    """Two calls of each episode reached the models, with its task and its version alone."""
    heard = sorted((int(town), version) for call in ran.calls for town, version in told(call))
    assert heard == sorted((int(t.episode), str(t.version)) for t in ran.traces for _ in range(2))


def told(call: str) -> Iterator[tuple[str, str]]:
    """Yield the one town and version of a call; more, where it has more than one of them."""
    for town in towns(call):
        for version in versions(call):
            yield town, version


def test_each_graph_holds_only_its_own_texts(ran: AtOnce, graphs: list[Graph]) -> None:
    """No node or edge of an episode speaks of another's town, or of another version."""
    for trace, graph in zip(ran.traces, graphs, strict=True):
        text = repr(graph)
        assert (graph.episode, graph.version) == (trace.episode, trace.version)
        assert (towns(text), versions(text)) == ({trace.episode}, {str(trace.version)})
        assert graph.problems == ()


def test_each_graph_is_that_of_the_same_episode_alone(ran: AtOnce, graphs: list[Graph]) -> None:
    """The nodes and edges are those of an episode with nothing beside it."""
    alone = AtOnce(ran.workflow).run(1).traces[0].graph()
    assert len(data(alone)) >= 5
    for graph in graphs:
        assert edges(graph) == edges(alone)
        assert len(graph.nodes) == len(alone.nodes)


def data(graph: Graph) -> list[Edge]:
    return [edge for into in graph.inputs.values() for edge in into]


def test_each_span_is_in_one_episode_and_stamped_with_it(ran: AtOnce) -> None:
    """No span is in two recordings, none is open, and all carry their episode and version."""
    seen: set[str] = set()
    for trace in ran.traces:
        recorder = trace.recorder(SpanRecorder, SpanRecorder)
        records = recorder.records()
        stamps = {
            (r.attributes["trace_agents.episode.id"], r.attributes["trace_agents.version"])
            for r in records
        }
        assert stamps == {(trace.episode, trace.version)}
        assert (recorder.unfinished, recorder.problems) == ((), [])
        ids = {record.span_id for record in records}
        assert not ids & seen
        seen |= ids
