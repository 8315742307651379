"""`bundle`: one node for a call, whatever kind of function it is."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

import anyio
import pytest

from trace_agents import (
    ExceptionNode,
    ExecutionError,
    InvalidValue,
    Node,
    Trace,
    TraceMissingInputsError,
    bundle,
    node,
    recording,
)


@bundle
def collect(a: int, b: int = 2, /, *rest: int, c: int = 3, **more: int) -> list[object]:
    """All that was given."""
    return [a, b, rest, c, more]


class Counter:
    """Methods of every kind; both orders of the decorators."""

    step = 2

    @bundle
    def ahead(self, x: int) -> int:
        return x + self.step

    @bundle
    @staticmethod
    def one(x: int) -> int:
        return x + 1

    @staticmethod
    @bundle
    def other(x: int) -> int:
        return x + 1

    @bundle
    @classmethod
    def by_step(cls, x: int) -> int:
        return x + cls.step

    @classmethod
    @bundle
    def too(cls, x: int) -> int:
        return x + cls.step


class Adder:
    """An object that can be called."""

    def __call__(self, x: int) -> int:
        return x + 1


def test_every_kind_of_argument_is_named() -> None:
    """Positional, default, variable and keyword arguments; nodes and plain values."""
    n = [node(i, f"n{i}") for i in range(4)]
    made = collect(n[0], 5, n[1], 7, c=n[2], d=n[3])
    assert made.data == [0, 5, (1, 7), 2, {"d": 3}]
    assert made.inputs == {"a": n[0], "rest.0": n[1], "c": n[2], "more.d": n[3]}
    assert made.info["constants"] == {"b": 5}
    assert collect(n[0]).data == [0, 2, (), 3, {}]


@pytest.mark.parametrize("call", [lambda: collect(), lambda: collect(a=1), lambda: bundle(len)()])
def test_arguments_that_do_not_fit_stay_a_type_error(call: Callable[[], object]) -> None:
    """The caller's mistake is not the function's feedback."""
    with pytest.raises(TypeError):
        call()


def test_several_outputs_are_unpacked_as_nodes() -> None:
    """Each leads back to the one call."""
    divide = bundle(divmod_of)
    whole, rest = divide(node(7, "x"), 2)
    assert (whole.data, rest.data) == (3, 1)
    assert whole.parents == rest.parents


def divmod_of(x: int, y: int) -> tuple[int, int]:
    return divmod(x, y)


def test_a_bundled_function_inside_another_is_plain() -> None:
    """The outer call is one node; the inner returns values."""
    seen: list[object] = []

    @bundle
    def inner(x: int) -> int:
        return x + 1

    @bundle
    def outer(x: int) -> int:
        seen.append(inner(x))
        return int(inner(x)) * 2

    made = outer(node(3, "x"))
    assert (made.data, seen) == (8, [4])
    assert {n.name for n in made.graph().nodes} == {"x", "outer"}


@pytest.mark.parametrize("name", ["ahead", "one", "other", "by_step", "too"])
def test_methods_are_bundled_in_either_order_of_the_decorators(name: str) -> None:
    """Static, class and plain methods, called on an object."""
    made = getattr(Counter(), name)(node(3, "x"))
    assert isinstance(made, Node)
    assert made.data == (4 if name in ("one", "other") else 5)
    assert [n.name for n in made.parents] == ["x"]


@pytest.mark.parametrize(
    "function", [Adder(), functools.partial(divmod, 7), len, str.upper], ids=repr
)
def test_anything_that_can_be_called_can_be_bundled(function: Callable[..., object]) -> None:
    """Objects, partial functions, built-in ones."""
    argument: Any = "ab" if function in (len, str.upper) else 2
    assert bundle(function)(node(argument)).data == function(argument)


async def test_a_function_that_returns_an_awaitable_is_awaited() -> None:
    """As an async function, although it was not written as one."""

    async def later(x: int) -> int:
        await anyio.lowlevel.checkpoint()
        return x + 1

    @bundle
    def start(x: int) -> Awaitable[int]:
        return later(x)

    made = await start(node(1, "x"))
    assert (made.data, made.op_name) == (2, "start")
    assert [n.name for n in made.parents] == ["x"]


def test_items_of_a_generator_are_nodes() -> None:
    """One by one, each from what the call was given."""

    @bundle
    def words(text: str) -> Generator[str]:
        yield from text.split()

    text = node("a b", "text")
    with recording(Trace("e")):
        made = list(words(text))
    assert [(n.data, n.name, n.parents) for n in made] == [
        ("a", "words0", (text,)),
        ("b", "words1", (text,)),
    ]


async def test_items_of_an_async_generator_are_nodes() -> None:
    """A streaming model; what it raises half-way is a node too."""

    @bundle
    async def stream(text: str) -> AsyncGenerator[str]:
        for word in text.split():
            await anyio.lowlevel.checkpoint()
            yield word
        raise ConnectionError("lost")

    text = node("a b", "text")
    words = stream(text)
    got = [await anext(words), await anext(words)]
    with pytest.raises(ExecutionError, match="lost") as caught:
        await anext(words)
    assert [(n.data, n.parents) for n in got] == [("a", (text,)), ("b", (text,))]
    assert caught.value.exception_node.parents == (text,)


async def test_what_an_async_function_raises_is_a_node() -> None:
    """With the failing line, and no arguments needed in the exception."""

    @bundle
    async def fail(x: int) -> int:
        await anyio.lowlevel.checkpoint()
        raise TimeoutError

    with pytest.raises(ExecutionError, match=r"at line .*raise TimeoutError") as caught:
        await fail(node(1, "x"))
    failed = caught.value.exception_node
    assert isinstance(failed, ExceptionNode)
    assert [n.name for n in failed.parents] == ["x"]


def test_errors_pass_through_where_they_are_not_caught() -> None:
    """`catch_execution_error=False` leaves them as they are."""

    @bundle(catch_execution_error=False)
    def fail(x: int) -> float:
        return 1 / x

    with pytest.raises(ZeroDivisionError):
        fail(node(0))


def test_a_description_comes_from_the_docstring_or_from_you() -> None:
    """And the name from the function."""
    made = bundle(name="fetch", description="Get a page.")(str.strip)(node("x"))
    assert (made.op_name, made.description) == ("fetch", "Get a page.")
    assert collect(1).description == "All that was given."


def test_the_body_sees_what_it_was_given_and_nothing_else() -> None:
    """A parameter read on the side would be an edge that nobody drew."""
    hidden = node("h", "hidden", trainable=True)

    def peek(x: str) -> str:
        return x + str(hidden.data)

    with pytest.raises(TraceMissingInputsError, match="'hidden'"):
        bundle(peek)("a")
    made = bundle(allow_external_dependencies=True)(peek)("a")
    assert made.data == "ah"
    assert [p.name for p in made.backward("f").parameters] == ["hidden"]


def test_the_inside_of_a_traceable_function_is_a_graph_of_its_own() -> None:
    """Outside it is one node; `expand` shows the steps."""

    @bundle(traceable=True)
    def plan(goal: Node) -> object:
        step = goal + " now"
        return step.upper()

    made = plan(node("tea", "goal"))
    assert made.data == "TEA NOW"
    assert {n.name for n in made.graph().nodes} == {"goal", "plan"}
    assert [n.value for n in made.expand().outputs] == ["TEA NOW"]
    assert "add" in {n.operation for n in made.expand().nodes}
    with pytest.raises(InvalidValue, match="traceable=True"):
        collect(1).expand()


def test_parameters_read_inside_are_reached_by_feedback() -> None:
    """They are inputs of the operation, although nobody passed them."""
    tone = node("now", "tone", trainable=True)

    @bundle(traceable=True)
    def plan(goal: Node) -> Node:
        return goal + tone

    made = plan(node("tea", "goal"))
    assert [p.name for p in made.backward("too soft").parameters] == ["tone"]


def test_a_traceable_body_refuses_a_node_it_was_not_given() -> None:
    """Unless that is allowed; then the node is an input."""
    outer = node("outer", "outer") + "!"

    def plan(goal: Node) -> Node:
        return goal + outer

    with pytest.raises(TraceMissingInputsError, match="not given"):
        bundle(traceable=True)(plan)(node("tea"))
    made = bundle(traceable=True, allow_external_dependencies=True)(plan)(node("tea"))
    assert made.data == "teaouter!"
    assert outer in made.parents


async def test_an_async_traceable_function_can_be_expanded() -> None:
    """The steps after an await belong to it as well."""

    @bundle(traceable=True)
    async def plan(goal: Node) -> Node:
        await anyio.lowlevel.checkpoint()
        return goal + "!"

    made = await plan(node("tea", "goal"))
    assert made.data == "tea!"
    assert "add" in {n.operation for n in made.expand().nodes}
