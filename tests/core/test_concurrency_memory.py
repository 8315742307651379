"""Nodes live as long as somebody holds them or their recording; no collector is needed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Awaitable, Callable, Generator
from typing import TypeAlias, cast

import pytest

import trace_agents as ta


@pytest.fixture
def no_collector() -> Generator[None]:
    """Let nothing be freed but by its last reference."""
    gc.disable()
    yield
    gc.enable()
    prompt.zero_feedback()


Dead: TypeAlias = "list[weakref.ref[ta.Node]]"
prompt = ta.node("say", "prompt", trainable=True)


@ta.bundle
def shout(text: str) -> str:
    return text.upper()


@ta.bundle
async def murmur(text: str) -> str:
    return text.lower()


@ta.bundle
def fail(_text: str) -> str:
    raise ValueError("no")


def operations() -> Dead:
    """Some operations on the prompt."""
    text = shout(prompt + ta.node("x"))
    return [weakref.ref(n) for n in (text, *text.parents)]


def feedback() -> Dead:
    """Operations whose output was sent feedback, which the parameter keeps."""
    text = shout(prompt + ta.node("x"))
    text.backward("good", retain=True)
    assert prompt.feedback
    return [weakref.ref(n) for n in (text, *text.parents)]


def failure() -> Dead:
    """An operation that raised; its error was looked at."""
    text = prompt + "!"
    try:
        fail(text)
    except ta.ExecutionError as error:
        failed = error.exception_node
        return [weakref.ref(failed), weakref.ref(text)]
    raise AssertionError("the body raises")


def items() -> Dead:
    """Items of a node, and an operator that raised."""
    parts = [part + "!" for part in prompt]
    with pytest.raises(ta.ExecutionError):
        _ = parts[0] - 1
    return [weakref.ref(part) for part in parts]


def unfinished() -> Dead:
    """A generator that nobody consumed to its end."""

    @ta.bundle
    def letters(text: str) -> Generator[str]:
        yield from text

    text = prompt + "!"
    stream = letters(text)
    return [weakref.ref(next(stream)), weakref.ref(text)]


PROGRAMS = pytest.mark.parametrize("program", [operations, feedback, failure, items, unfinished])


@PROGRAMS
@pytest.mark.usefixtures("no_collector")
def test_nodes_outside_of_episodes_are_freed_with_their_last_reference(
    program: Callable[[], Dead],
) -> None:
    """No registry, cycle or parameter keeps what nobody holds."""
    refs = program()
    assert [ref() for ref in refs] == [None] * len(refs)


@PROGRAMS
@pytest.mark.usefixtures("no_collector")
def test_nodes_of_an_episode_are_freed_with_its_trace(program: Callable[[], Dead]) -> None:
    """They live as long as the recording is held, and not longer."""
    with ta.recording(ta.Trace("e")) as trace:
        refs = program()
        assert all(ref() is not None for ref in refs)
    assert len(trace.graph().nodes) >= 2
    del trace
    assert [ref() for ref in refs] == [None] * len(refs)


@pytest.mark.usefixtures("no_collector")
async def test_nodes_of_async_operations_are_freed_with_their_episode() -> None:
    """An awaited call leaves nothing behind, neither do its task and its context."""

    async def episode() -> Dead:
        with ta.recording(ta.Trace("e")):
            text = await cast("Awaitable[ta.Node]", murmur(prompt + "!"))
            text.backward("good")
            return [weakref.ref(n) for n in (text, *text.parents)]

    refs = await episode()
    assert [ref() for ref in refs] == [None] * len(refs)


@pytest.mark.usefixtures("no_collector")
def test_feedback_holds_its_nodes_until_it_is_read_or_forgotten() -> None:
    """Sending feedback copies nothing; the subgraph is made at the first look into it."""
    text = shout(prompt + "x")
    text.backward("good")
    dead = weakref.ref(text)
    del text
    assert dead() is not None
    prompt.zero_feedback()
    assert dead() is None
