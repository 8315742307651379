"""Episodes that run at once: each keeps its own graph, names, version and feedback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

import anyio
import pytest

import trace_agents as ta
from tests.core.test_concurrency_tasks import BACKENDS, Meeting, awaited, flows, pause, together
from trace_agents.graph import Graph, Kind


@BACKENDS
def test_two_interleaved_episodes_are_two_chains_with_their_own_prompts(backend: str) -> None:
    """Steps that alternate in time make no edge between the episodes, and no prompt changes."""
    prompt = ta.node("default", "prompt", trainable=True)

    @ta.bundle
    async def step(text: str, instruction: str) -> str:
        return f"{text}>{instruction}"

    async def episode(name: str, meetings: list[Meeting]) -> Graph:
        with ta.recording(ta.Trace(name, 1, {"prompt": f"prompt {name}"})) as trace:
            text = ta.node(name, "task")
            for meeting in meetings:
                await meeting.wait()
                text = await step(text, prompt)
        return trace.graph()

    async def main() -> list[Graph]:
        meetings = [Meeting(2) for _ in range(3)]
        return await together(*[lambda n=n: episode(n, meetings) for n in "AB"])

    for graph, name in zip(anyio.run(main, backend=backend), "AB", strict=True):
        assert [n.value for n in graph.outputs] == [name + f">prompt {name}" * 3]
        assert [n.value for n in graph.of_kind(Kind.PARAMETER)] == [f"prompt {name}"]
        assert flows(graph) == {
            ("task0", "step0"),
            ("step0", "step1"),
            ("step1", "step2"),
            *(("prompt", f"step{i}") for i in range(3)),
        }


@BACKENDS
def test_parallel_tools_fan_out_from_the_plan_and_in_to_the_join(backend: str) -> None:
    """Tools that run at once are no chain: each comes from the plan, the join from all three."""

    def tool(name: str, meeting: Meeting) -> Callable[[ta.Node], Awaitable[ta.Node]]:
        @ta.bundle(name=name)
        async def use(plan: str) -> str:
            await meeting.wait()
            return f"{name} of {plan}"

        return use

    @ta.bundle
    def join(parts: list[str]) -> str:
        return ", ".join(parts)

    async def main() -> Graph:
        meeting = Meeting(3)
        tools = [tool(name, meeting) for name in ("read_", "look_", "ask_")]
        with ta.recording(ta.Trace("e")) as trace:
            plan = ta.node("plan", "plan")
            join(await together(*[partial(use, plan) for use in tools]))
        return trace.graph()

    graph = anyio.run(main, backend=backend)
    middle = ("read_0", "look_0", "ask_0")
    assert flows(graph) == {*(("plan0", m) for m in middle), *((m, "join0") for m in middle)}


@BACKENDS
def test_a_name_does_not_depend_on_when_other_episodes_run(backend: str) -> None:
    """The same program gets the same names, alone and among others, under every schedule."""

    async def program(index: int, rhythm: int) -> list[str]:
        with ta.recording(ta.Trace(f"e{index}")) as trace:
            total = ta.node(index)
            for turn in range(4):
                await pause(hash((index, turn, rhythm)) % 5)
                total = await awaited(total) + total
        return [node.name for node in trace.graph().nodes]

    async def main() -> list[list[str]]:
        found = [await program(0, 0)]
        for rhythm in range(5):
            found += await together(*[lambda i=i, r=rhythm: program(i, r) for i in range(8)])
        return found

    alone, *others = anyio.run(main, backend=backend)
    assert len(alone) == len(set(alone)) == 9
    assert all(names == alone for names in others)


@BACKENDS
@pytest.mark.parametrize("first_done", [0, 1])
def test_a_name_does_not_depend_on_which_call_ends_first(backend: str, first_done: int) -> None:
    """Within an episode the call that began first has the first name, whoever returns first."""

    async def main() -> dict[object, str]:
        begun, done = [anyio.Event(), anyio.Event()], [anyio.Event(), anyio.Event()]

        @ta.bundle
        async def work(index: int) -> int:
            begun[index].set()
            if index != first_done:
                await done[first_done].wait()
            return index

        async def call(index: int) -> ta.Node:
            if index == 1:
                await begun[0].wait()
            result = cast("ta.Node", await work(index))
            done[index].set()
            return result

        with ta.recording(ta.Trace("e")):
            results = await together(lambda: call(0), lambda: call(1))
        return {node.data: node.name for node in results}

    assert anyio.run(main, backend=backend) == {0: "work0", 1: "work1"}


def texts(parameter: ta.ParameterNode) -> set[str]:
    """Return the feedback that a parameter holds here."""
    return {text for g in parameter.feedback for said in g.feedback.values() for text in said}


@BACKENDS
def test_feedback_of_concurrent_episodes_does_not_pile_up(backend: str) -> None:
    """Three episodes share a parameter: forward, backward and reset of one leave the others be."""
    prompt = ta.node("p", "prompt", trainable=True)

    async def episode(index: int, meetings: list[Meeting]) -> list[set[str]]:
        with ta.recording(ta.Trace(f"e{index}")):
            prompt.zero_feedback()
            output = prompt + f" {index}"
            await meetings[0].wait()
            output.backward(f"feedback {index}")
            await meetings[1].wait()
            seen = [texts(prompt)]
            await meetings[2].wait()
            if index == 0:
                prompt.zero_feedback()
            await meetings[3].wait()
            return [*seen, texts(prompt)]

    async def main() -> list[list[set[str]]]:
        meetings = [Meeting(3) for _ in range(4)]
        return await together(*[lambda i=i: episode(i, meetings) for i in range(3)])

    first, *others = anyio.run(main, backend=backend)
    assert first == [{"feedback 0"}, set()]
    assert others == [[{f"feedback {i}"}] * 2 for i in (1, 2)]
    assert prompt.feedback == ()


@BACKENDS
@pytest.mark.parametrize("pinned", [True, False])
def test_a_parameter_that_changes_in_mid_episode_keeps_its_version_there(
    backend: str, pinned: bool
) -> None:
    """The answer, its parent and what is read later all tell the version that was read first."""
    prompt = ta.node("v1", "prompt", trainable=True)

    async def episode(read: anyio.Event, changed: anyio.Event) -> list[object]:
        with ta.recording(ta.Trace("e", 1, {"prompt": "v1"} if pinned else {})):
            first = prompt + "!"
            read.set()
            await changed.wait()
            second = prompt + "?"
        return [first.data, second.data, *(p.data for p in (*first.parents, *second.parents))]

    async def change(read: anyio.Event, changed: anyio.Event) -> list[object]:
        await read.wait()
        prompt.set("v2")
        changed.set()
        return [(prompt + "!").data]

    async def main() -> list[list[object]]:
        events = anyio.Event(), anyio.Event()
        return await together(lambda: episode(*events), lambda: change(*events))

    assert anyio.run(main, backend=backend) == [["v1!", "v1?", "v1", "v1"], ["v2!"]]


@ta.bundle(trainable=True, sandbox="unsafe")
async def reply(text: str, meeting: Meeting) -> str:
    """Answer when all are there."""
    await meeting.wait()
    return text.upper()


@BACKENDS
def test_two_versions_of_async_code_overlap(backend: str) -> None:
    """Each episode awaits the code of its own version while the other waits in its own."""
    codes = [str(reply.code.data)]
    codes.append(codes[0].replace("text.upper()", "text.lower()"))

    async def episode(code: str, meeting: Meeting) -> tuple[object, object]:
        with ta.recording(ta.Trace("e", 1, {"reply.code": code})):
            result = await reply(ta.node("Hi", "text"), meeting)
            return result.data, result.inputs["code"].data

    async def main() -> list[tuple[object, object]]:
        meeting = Meeting(2)
        return await together(*[lambda c=c: episode(c, meeting) for c in codes])

    assert anyio.run(main, backend=backend) == [("HI", codes[0]), ("hi", codes[1])]


class Clerk:
    def __init__(self, number: int) -> None:
        self.number = number

    @ta.bundle(trainable=True, sandbox="unsafe")
    def add(self, x: int) -> int:
        """Add the clerk's number."""
        return self.number + x


def test_objects_keep_their_own_code_in_an_episode() -> None:
    """One object's code of a method is not run for another object that is used beside it."""
    one, two = Clerk(1), Clerk(2)
    two.add.code.set(str(two.add.code.data).replace("self.number + x", "self.number * 100"))
    outside = [clerk.add(1).data for clerk in (one, two)]
    with ta.recording(ta.Trace("e")):
        inside = [clerk.add(1).data for clerk in (one, two)]
    assert (outside, inside) == ([2, 200], [2, 200])
