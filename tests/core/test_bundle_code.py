"""`bundle(trainable=True)`: the code of a function as a parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trace_agents import (
    BlackCodeFormatter,
    ExecutionError,
    InvalidValue,
    Trace,
    bundle,
    node,
    recording,
    stop_tracing,
)


@bundle(trainable=True)
def grade(points: int) -> str:
    """Turn points into a grade."""
    return "pass" if points > 10 else "fail"


GRADE = 'def grade(points: int) -> str:\n    """Turn points into a grade."""\n    '


@bundle
def fixed(x: int) -> int:
    return x


class Counter:
    """A method whose code can be learnt."""

    step = 2

    @bundle(trainable=True)
    def learn(self, x: int) -> int:
        """Learn."""
        return x + self.step


LEARN = 'def learn(self, x: int) -> int:\n    """Learn."""\n    '


@pytest.mark.parametrize("call", [lambda: grade(), lambda: grade(1, 2), lambda: grade(1, x=2)])
def test_arguments_that_do_not_fit_stay_a_type_error(call: Callable[[], object]) -> None:
    """The caller's mistake is not the function's feedback, also where the code has changed."""
    with pytest.raises(TypeError):
        call()
    changed = GRADE + "return 'A'"
    with recording(Trace("e", 1, {"grade.code": changed})), pytest.raises(TypeError):
        call()


def test_the_code_is_a_parameter_with_a_fixed_signature() -> None:
    """Name, arguments and docstring stay; the body may change."""
    made = grade(node(12))
    assert [p.name for p in made.backward("too mild").parameters] == ["grade.code"]
    for unfit in ("def other(): pass", "def grade(points): return 'A'", "not python", "x = 1"):
        with pytest.raises(InvalidValue):
            grade.code.set(unfit)
    assert grade(node(12)).data == "pass"


def test_an_episode_runs_the_code_of_its_version() -> None:
    """In the sandbox; outside of the episode the old code stays."""
    with recording(Trace("e", 1, {"grade.code": GRADE + "return 'A' * points"})):
        assert grade(3).data == "AAA"
    assert grade(3).data == "fail"


def test_learnt_code_that_reaches_out_is_an_exception_node() -> None:
    """The sandbox has no files; the feedback reaches the code."""
    changed = GRADE + "import os\n    return os.listdir('/')[0]"
    with recording(Trace("e", 1, {"grade.code": changed})):
        with pytest.raises(ExecutionError, match="SandboxError") as caught:
            grade(3)
        subgraph = caught.value.exception_node.backward("no files")
    assert [p.name for p in subgraph.parameters] == ["grade.code"]


def test_each_object_has_its_own_code() -> None:
    """What one object learns another does not; in the sandbox `self` is None."""
    one, two = Counter(), Counter()
    one.learn.__func__.code.set(LEARN + "return x * 10 if self is None else -1")
    assert (one.learn(node(3)).data, two.learn(node(3)).data) == (30, 5)
    assert Counter.learn.code.data == Counter.learn.code.parameter.value


def test_the_code_of_a_class_method_can_be_learnt() -> None:
    """There is one for the class and all its objects."""

    class Local:
        @classmethod
        @bundle(trainable=True)
        def by_class(cls, x: int) -> int:
            return x + 1

    assert Local.by_class(node(1)).data == Local().by_class(node(1)).data == 2


def test_a_method_and_the_one_that_it_overrides_have_their_own_code() -> None:
    """`super()` reaches the base class's, whichever was called first."""

    class Base:
        @bundle(trainable=True)
        def run(self, x: int) -> int:
            return x

    class Derived(Base):
        @bundle(trainable=True)
        def run(self, x: int) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
            return x * 100

        def both(self, x: int) -> tuple[object, object]:
            return self.run(x).data, super().run(x).data

    assert Derived().both(2) == (200, 2)


def test_projections_shape_new_code() -> None:
    """What is stored went through the formatter."""

    @bundle(trainable=True, projections=[BlackCodeFormatter()])
    def half(x: int) -> float:
        return x / 2

    half.code.set("def half(x:int)->float: return x/ 4")
    assert half.code.data == "def half(x: int) -> float:\n    return x / 4"
    assert half(node(8)).data == 2


def test_unsafe_code_runs_here() -> None:
    """Only by that word: it sees the module's names, and the object."""

    class Local:
        factor = 3

        @bundle(trainable=True, sandbox="unsafe")
        def run(self, x: int) -> int:
            return x

    local: Any = Local()
    local.run.__func__.code.set("def run(self, x: int) -> int:\n    return x * self.factor")
    assert local.run(node(2)).data == 6


def test_a_fixed_function_has_no_code_to_learn() -> None:
    """Asked for it, it says what to write."""
    with pytest.raises(InvalidValue, match="trainable=True"):
        _ = fixed.code
    assert fixed.parameters() == ()


def test_a_function_without_source_cannot_be_trained() -> None:
    """A built-in function, for example."""
    with pytest.raises(InvalidValue, match="cannot be read"):
        bundle(trainable=True)(len)


def test_unrecorded_calls_compute_as_before() -> None:
    """Results are nodes that came from nothing."""
    with stop_tracing():
        made = grade(node(12))
    assert (made.data, made.parents) == ("pass", ())
