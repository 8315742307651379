"""Parameters and their types: a value of the wrong type is refused, whoever wrote it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.errors import InvalidValue, UnknownParameter
from trace_agents.graph import (
    Choice,
    Code,
    Number,
    Parameter,
    Parameters,
    Text,
    ValueType,
    type_from_json,
    type_of,
)

SOURCE = 'def pick(items: list[str]) -> str:\n    """Pick one."""\n    return items[0]'
TYPES: list[ValueType] = [
    Text(),
    Text(max_length=10, placeholders=("name",)),
    Number(0, 1),
    Number(integer=True),
    Choice(("a", "b")),
    Code.of(SOURCE),
]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_a_type_survives_json(kind: ValueType) -> None:
    """What `to_json` writes, `type_from_json` reads back equal."""
    assert type_from_json(kind.to_json()) == kind


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Number(0, 1), "fast"),
        (Number(0, 1), "2"),
        (Number(), "nan"),
        (Number(), "inf"),
        (Number(integer=True), "2.9"),
        (Number(), ""),
        (Choice(("yes", "no")), "maybe"),
        (Text(), "  \n"),
        (Text(max_length=3), "long"),
        (Text(placeholders=("name",)), "Hello!"),
        (Text(placeholders=("name",)), "Hello {name"),
        (Code.of(SOURCE), "def pick(items):\n    return items[0]"),
        (Code.of(SOURCE), "def other(items: list[str]) -> str:\n    return ''"),
        (Code.of(SOURCE), "I cannot help with that."),
        (Code.of(SOURCE), SOURCE + "\nimport os"),
        (Code.of(SOURCE), "@cache\n" + SOURCE),
    ],
)
def test_a_text_that_does_not_fit_is_refused(kind: ValueType, text: str) -> None:
    """No type takes a text that is not one of its values."""
    with pytest.raises(InvalidValue):
        kind.parse(text)


def test_code_is_taken_out_of_its_fence() -> None:
    """A fence around code is the model's, not the function's."""
    assert Code.of(SOURCE).parse(f"```python\n{SOURCE}\n```") == SOURCE


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_its_text(value: float) -> None:
    """A finite number is read back from how it is written."""
    assert Number().parse(repr(value)) == value


def test_the_type_follows_from_the_value() -> None:
    """Text, whole and other numbers have a type by themselves; a bool must declare one."""
    assert type_of("x") == Text()
    assert type_of(3) == Number(-math.inf, math.inf, integer=True)
    assert type_of(0.5) == Number()
    with pytest.raises(InvalidValue, match="declared type"):
        type_of(True)


def test_the_first_value_is_checked_too() -> None:
    """A parameter whose first value breaks its own type cannot be made."""
    with pytest.raises(InvalidValue, match="'temperature'"):
        Parameter("temperature", 3.0, Number(0, 2))


def test_only_and_freeze_narrow_what_may_change() -> None:
    """`only` keeps the matching parameters trainable, `freeze` the others."""
    found = Parameters([Parameter("a.prompt", "x"), Parameter("b.prompt", "y")])
    assert list(found.only("a.*").trainable) == ["a.prompt"]
    assert list(found.freeze("a.*").trainable) == ["b.prompt"]
    with pytest.raises(UnknownParameter, match=r"b\.prompt"):
        found.only("c.*")


def test_values_are_checked_as_a_whole() -> None:
    """Unknown names, unfit values and new values for frozen parameters are refused."""
    found = Parameters([Parameter("a", "x"), Parameter("n", 1)]).freeze("a")
    assert found.check({"n": 2}) == {"a": "x", "n": 2}
    with pytest.raises(UnknownParameter):
        found.check({"m": 2})
    with pytest.raises(InvalidValue, match="'n'"):
        found.check({"n": "fast"})
    with pytest.raises(InvalidValue, match="frozen"):
        found.check({"a": "z"})


def test_two_parameters_of_one_name_are_refused() -> None:
    """A name stands for one parameter."""
    with pytest.raises(InvalidValue, match="two parameters"):
        Parameters([Parameter("a", "x"), Parameter("a", "y")])
