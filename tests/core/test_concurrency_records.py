"""What one call recorded is that call's for ever, whatever is called or changed later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trace_agents as ta
from trace_agents.graph import Kind


class Bare(Exception):
    """An exception whose arguments are not what its text is made of."""

    def __init__(self, place: str) -> None:
        self.place = place


@ta.bundle
def half(x: int) -> float:
    """Half of x, if x is even."""
    if x % 2:
        raise ValueError(f"{x} is odd")
    return x / 2


@ta.bundle(trainable=True)
async def louder(text: str) -> str:
    """The text, louder."""
    return text.upper()


def test_a_later_call_changes_no_earlier_record() -> None:
    """The first call's node still shows the first call's inputs and result."""
    first, second = half(ta.node(2)), half(ta.node(50))
    assert [first.inputs["x"].data, second.inputs["x"].data] == [2, 50]
    recorded = cast("dict[str, ta.Node]", first.info["inputs"])
    assert (recorded["x"].data, first.info["output"]) == (2, 1.0)


def test_success_after_a_failure_shows_no_error() -> None:
    """An error belongs to the call that raised it."""
    with ta.recording(ta.Trace("e")) as trace:
        with pytest.raises(ta.ExecutionError, match="3 is odd"):
            half(ta.node(3))
        half(ta.node(4))
    errors = {n.kind: n.error for n in trace.graph().nodes if n.operation.endswith("half")}
    assert errors[Kind.OPERATION] is None
    assert "3 is odd" in str(errors[Kind.EXCEPTION])


@pytest.mark.parametrize("error", [TimeoutError(), KeyError(), Bare("here"), StopIteration()])
def test_an_exception_without_arguments_is_recorded(error: Exception) -> None:
    """An exception's type is told where there is nothing else to tell."""
    x = ta.node("v", "x", trainable=True)

    @ta.bundle
    def fail(_x: str) -> None:
        raise error

    with pytest.raises(ta.ExecutionError, match=type(error).__name__) as caught:
        fail(x)
    assert caught.value.exception_node.backward("no").parameters[0].name == "x"
    assert caught.value.__cause__ is error


async def test_a_timeout_in_an_async_operation_is_recorded() -> None:
    """A deadline inside the body, which raises without arguments, is the operation's error."""

    @ta.bundle
    async def wait(_x: int) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    with pytest.raises(ta.ExecutionError, match="TimeoutError"):
        await wait(ta.node(1))


async def test_async_code_must_stay_async() -> None:
    """A `def` in place of the `async def` is refused, and the live code goes on working."""
    before = str(louder.code.data)
    with pytest.raises(ta.InvalidValue, match="async def louder"):
        louder.code.set(before.replace("async def", "def"))
    assert "async def louder(text: str)" in louder.code.parameter.type.describe()
    assert (await louder(ta.node("a"))).data == "A"


async def test_changed_async_code_is_awaited_in_the_sandbox() -> None:
    """What keeps the signature runs, and its result is a node of text and code."""
    changed = str(louder.code.data).replace("text.upper()", "text + '!'")
    with ta.recording(ta.Trace("e", 1, {"louder.code": changed})):
        result = await louder(ta.node("a"))
        assert (result.data, set(result.inputs)) == ("a!", {"text", "code"})


class Vague:
    """Like an array: equal to everything, and `==` has no truth."""

    def __eq__(self, other: object) -> object:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return Vague()

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")

    def __add__(self, other: object) -> Vague:
        return self


@pytest.mark.parametrize("value", [Vague(), 1, [1]])
def test_feedback_goes_to_the_node_it_was_given_to_not_to_an_equal_one(value: object) -> None:
    """Nodes are told apart by what they are, never by comparing values."""
    a, b = ta.node("p", "a", trainable=True), ta.node("p", "b", trainable=True)

    @ta.bundle
    def make(_p: str) -> object:
        return value

    left, right = make(a), make(b)
    left.backward("left")
    assert [len(p.feedback) for p in (a, b)] == [1, 0]
    both = ta.backward([right + right, left + left], ["right", "left"])
    assert {p.name for p in both.parameters} == {"a", "b"}
    assert [len(p.feedback) for p in (a, b)] == [2, 1]


def tenths(x: float) -> float:
    return round(x, 1)


@pytest.mark.parametrize(("operate", "value"), [(abs, -3), (round, 2.6), (tenths, 2.55)])
def test_builtins_on_nodes_compute_and_record(
    operate: Callable[[float | ta.Node], object], value: float
) -> None:
    """`abs` and `round` do not call themselves; in a body they are Python's own."""
    x = ta.node(value, "x")
    result = cast("ta.Node", operate(x))
    assert (result.data, result.parents) == (operate(value), (x,))

    @ta.bundle
    def body(v: float) -> object:
        return operate(v)

    assert body(x).data == operate(value)


def test_an_episode_s_reset_forgets_no_feedback_from_outside() -> None:
    """Feedback of an episode and of no episode are kept apart, in both directions."""
    prompt = ta.node("p", "prompt", trainable=True)
    (prompt + "!").backward("outside")
    with ta.recording(ta.Trace("e")):
        assert prompt.feedback == ()
        (prompt + "!").backward("inside")
        prompt.zero_feedback()
        assert prompt.feedback == ()
    kept: list[ta.TraceGraph] = list(prompt.feedback)
    assert [list(part.feedback.values()) for part in kept] == [[("outside",)]]


def test_dependencies_of_one_name_are_all_kept() -> None:
    """Two unnamed nodes that a body may read from outside are two inputs."""
    one, two = ta.node(1), ta.node(2)

    @ta.bundle(allow_external_dependencies=True)
    def add(x: int) -> int:
        return x + int(one.data) + int(two.data)

    assert {one, two} <= set(add(ta.node(3)).parents)


LEAF = st.integers() | st.text(max_size=3)
FLAT = st.lists(LEAF, max_size=3) | st.dictionaries(st.text(max_size=2), LEAF, max_size=3)
JSON = LEAF | FLAT | st.lists(FLAT, max_size=3)


def spoil(value: object) -> None:
    """Change every list and dict in `value`."""
    if isinstance(value, dict):
        mapping = cast("dict[str, object]", value)
        for inner in mapping.values():
            spoil(inner)
        mapping["spoilt"] = True
    if isinstance(value, list):
        items = cast("list[object]", value)
        for inner in items:
            spoil(inner)
        items.append("spoilt")


@given(st.lists(JSON, max_size=3), st.booleans(), st.booleans())
def test_changing_what_went_in_or_came_out_changes_no_recording(
    value: list[object], as_node: bool, in_body: bool
) -> None:
    """The caller's list, the body's, and the one that the body returned, at any depth."""
    made: list[object] = []

    @ta.bundle
    def work(items: list[object]) -> list[object]:
        result: list[object] = [deepcopy(items), items]
        made.append(result)
        if in_body:
            spoil(items)
        return result

    with ta.recording(ta.Trace("e")) as trace:
        original = deepcopy(value)
        given_value = ta.node(value, "x") if as_node else value
        result = work(given_value)
        before = trace.graph()
        spoil(value)
        spoil(made)
        assert trace.graph() == before
    (node,) = [n for n in before.nodes if n.operation == "work"]
    shown = [n.value for n in before.nodes if n.operation == "x"] or [node.constants["items"]]
    assert (shown, cast("list[object]", result.data)[0]) == ([original], original)


@ta.bundle
def same(items: list[object]) -> list[object]:
    return items


@given(st.lists(JSON, max_size=3))
def test_changing_what_a_node_shows_changes_no_recording(value: list[object]) -> None:
    """`data` of an input and of a result can be changed by whoever reads it, not the record."""
    with ta.recording(ta.Trace("e")) as trace:
        x = ta.node(value, "x")
        result = same(x)
        before = trace.graph()
        spoil(x.data)
        spoil(result.data)
        assert trace.graph() == before
