"""What code may become: its imports, its examples, its callees, and where it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from trace_agents import (
    BlackCodeFormatter,
    Code,
    ExecutionError,
    InvalidValue,
    Trace,
    bundle,
    node,
    recording,
)
from trace_agents.graph import type_from_json
from trace_agents.sandbox import Job, MontySandbox, Run, SandboxName

HALF = "def half(x: int) -> float:\n"
ALWAYS: tuple[SandboxName, ...] = ("monty", "process", "unsafe")


def rate(word: str) -> int:
    return len(word)


async def fetch(word: str) -> str:
    await asyncio.sleep(0)
    return word.upper()


@bundle(trainable=True, callees=[rate], sandbox="monty")
def best(words: list[str]) -> str:
    return max(words, key=rate)


@bundle(trainable=True, callees=[fetch])
async def shout(words: list[str]) -> list[str]:
    return [await fetch(word) for word in words]


class Counting:
    """A sandbox that counts the sources it ran."""

    def __init__(self) -> None:
        self.box = MontySandbox()
        self.ran: list[str] = []

    def run(self, job: Job) -> Run:
        self.ran.append(job.source)
        return self.box.run(job)


@pytest.mark.parametrize("name", ALWAYS)
def test_code_runs_in_the_sandbox_of_that_name(name: SandboxName) -> None:
    """Each computes the same."""

    @bundle(trainable=True, sandbox=name)
    def half(x: int) -> float:
        return x / 3

    assert half(node(4)).data == 4 / 3
    half.code.set(HALF + "    return x / 2")
    assert half(node(4)).data == 2


def test_an_unknown_sandbox_is_refused_when_the_function_is_made() -> None:
    """Not when the first changed code runs."""
    wrong: Any = "safe"
    with pytest.raises(InvalidValue, match="'safe' is no sandbox"):
        bundle(trainable=True, sandbox=wrong)(rate)


def test_changed_code_calls_the_declared_functions_of_its_module() -> None:
    """Others it does not see."""
    head = "def best(words: list[str]) -> str:\n"
    changed = head + "    return [word for word in words if rate(word) == 3][0]"
    with recording(Trace("e", 1, {"best.code": changed})):
        assert best(["a", "ccc", "bb"]).data == "ccc"
    unknown = pytest.raises(ExecutionError, match="NameError: name 'HALF' is not defined")
    with recording(Trace("e", 1, {"best.code": head + "    return HALF"})), unknown:
        best(["a"])


async def test_changed_async_code_awaits_the_declared_functions() -> None:
    """One after the other, or all at once."""
    head = "async def shout(words: list[str]) -> list[str]:\n    import asyncio\n"
    body = "    return await asyncio.gather(*[fetch(word) for word in words[1:]])"
    with recording(Trace("e", 1, {"shout.code": head + body})):
        assert (await shout(["a", "b", "c"])).data == ["B", "C"]


def test_a_bundled_callee_is_an_ordinary_function_there() -> None:
    """Like everything that a body calls, it is not recorded."""

    @bundle
    def twice(x: int) -> int:
        return x * 2

    @bundle(trainable=True, callees=[twice])
    def half(x: int) -> float:
        return x / 2

    half.code.set(HALF + "    return twice(x) / 4")
    made = half(node(6))
    assert (made.data, set(made.inputs)) == (3, {"x", "code"})


def test_the_error_of_changed_code_is_feedback_with_a_traceback() -> None:
    """It says in which line of the code."""

    @bundle(trainable=True)
    def half(x: int) -> float:
        return x / 2

    half.code.set(HALF + "    y = x\n    return y / 0")
    with pytest.raises(ExecutionError, match='File "<half>", line 3, in half\n    return y / 0'):
        half(node(6))


def test_a_repeated_episode_draws_the_same_numbers() -> None:
    """Two calls in one episode draw different ones."""

    @bundle(trainable=True)
    def draw() -> float:
        return 0.5

    draw.code.set("def draw() -> float:\n    import random\n    return random.random()")

    def episode(name: str) -> list[object]:
        with recording(Trace(name, 1, {"draw.code": draw.code.data})):
            return [draw().data, draw().data]

    first, again, other = episode("a"), episode("a"), episode("b")
    assert first == again
    assert len({*first, *other}) == 4


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("    import os\n    return 1", "'os' may not be imported; the modules allowed are: math"),
        ("    from os.path import join\n    return 1", "'os.path' may not be imported"),
        ("    from . import x\n    return 1", "'.' may not be imported"),
        ("    def f():\n        import mathematics\n    return 1", "'mathematics' may not"),
    ],
)
def test_only_allowed_modules_are_imported(body: str, why: str) -> None:
    """Wherever in the code; what the user's own code imports stays allowed."""
    kind = Code.of(HALF + "    import math\n    return x / 2", imports=())
    with pytest.raises(InvalidValue) as caught:
        kind.check(HALF + body)
    assert why in str(caught.value)
    allowed = HALF + "    import math\n    return math.floor(x / 2)"
    assert kind.check(allowed) == allowed
    assert "it may import only math" in kind.describe()


def test_code_must_pass_its_examples_before_it_is_stored() -> None:
    """A wrong result, a wrong type and an error are refused; the live code stays."""

    @bundle(
        trainable=True,
        examples=[((4,), 2.0), ((3,), 1.5)],
        sandbox=MontySandbox(seconds=0.2),
    )
    def half(x: int) -> float:
        return x / 2

    before = half.code.data
    for body, why in (
        ("    return x / 4", r"half\(4\) must return 2.0, not 1.0"),
        ("    return 2.0", r"half\(3\) must return 1.5, not 2.0"),
        ("    return str(x / 2)", "not '2.0'"),
        ("    return x / 0", r"half\(4\) fails: .*ZeroDivisionError"),
        ("    while True: pass", "TimeoutError"),
        ("    import os\n    return os.listdir('/')", "PermissionError"),
    ):
        with pytest.raises(InvalidValue, match=why):
            half.code.set(HALF + body)
    assert half.code.data == before
    half.code.set(HALF + "    return 0.1 * 5 * x")
    assert half(node(8)).data == 4
    assert "`half(4)` must return `2.0`" in half.code.parameter.type.describe()


def test_examples_run_once_for_each_source() -> None:
    """A check of code that has passed costs no run, nor does the user's own."""
    box = Counting()

    @bundle(trainable=True, examples=[((4,), 2.0)], sandbox=box)
    def half(x: int) -> float:
        return x / 2

    assert box.ran == []
    for _ in range(3):
        half.code.set(HALF + "    return x * 0.5")
    assert len(box.ran) == 1
    half.code.set(half.code.parameter.value)
    assert len(box.ran) == 1


def test_the_users_own_code_is_never_run_on_the_examples() -> None:
    """Not in the form either that a projection gives it: it may use what the sandbox has not."""
    box = Counting()

    @bundle(
        trainable=True,
        projections=[BlackCodeFormatter()],
        examples=[((4,), 2.0)],
        sandbox=box,
    )
    def half(x: int) -> float:
        return float(rate("x"*x)) / 2  # fmt: skip

    assert "'x'" not in half.code.data
    half.code.set(half.code.data)
    assert box.ran == []


def test_examples_see_the_callees() -> None:
    """As the code will."""

    @bundle(trainable=True, callees=[rate], examples=[(("abc",), 3)])
    def size(word: str) -> int:
        return rate(word)

    size.code.set("def size(word: str) -> int:\n    return rate(word + 'x') - 1")
    assert size("four").data == 4


@pytest.mark.parametrize(
    ("expected", "given", "holds"),
    [
        ("0.3", "0.1 + 0.2", True),
        ("1.0", "1", True),
        ("1", "1.0", False),
        ("True", "1", False),
        ("1", "True", False),
        ("(1, 2)", "[1, 2]", False),
        ("{1: None}", "{1: None}", True),
    ],
)
def test_an_example_asks_for_its_own_type(expected: str, given: str, holds: bool) -> None:
    """A float may be off in its last digits; nothing else is taken for something else."""
    values: Mapping[str, object] = {"1": 1, "1.0": 1.0}
    result: object = values.get(expected, eval(expected))
    kind = Code.of("def f():\n    pass", examples=[((), result)], run=running)
    if holds:
        kind.check(f"def f():\n    return {given}")
    else:
        with pytest.raises(InvalidValue, match="must return"):
            kind.check(f"def f():\n    return {given}")


def running(source: str, name: str, args: tuple[object, ...]) -> object:
    scope: dict[str, Callable[..., object]] = {}
    exec(source, scope)
    return scope[name](*args)


def test_a_type_is_stored_with_its_imports_and_examples() -> None:
    """What is read back is equal, and runs nothing."""
    kind = Code.of(HALF + "    return x / 2", imports=["math"], examples=[((4,), (2.0, {1}))])
    read = type_from_json(kind.to_json())
    assert read == kind
    assert read.check(HALF + "    return 'unchecked'")
    assert type_from_json(Code.of(HALF + "    return x / 2").to_json()) == Code.of(
        HALF + "    return x / 2"
    )


def test_an_example_consists_of_literals() -> None:
    """So that it can be stored, and shown to a model."""
    with pytest.raises(InvalidValue, match="must consist of Python literals"):
        Code.of(HALF + "    return x / 2", examples=[((object(),), 1)])
