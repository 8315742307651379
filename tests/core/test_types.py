"""Parameters and their types: a value of the wrong type is refused, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.errors import InvalidValue, UnknownParameter
from trace_agents.graph import Parameter, Parameters
from trace_agents.graph.types import (
    Bool,
    Bullets,
    Choice,
    Code,
    JsonList,
    JsonObject,
    Number,
    Text,
    ValueType,
    dump,
    type_from_json,
    type_of,
)

SOURCE = 'def pick(items: list[str]) -> str:\n    """Pick one."""\n    return items[0]'
TYPES: list[ValueType] = [
    Text(),
    Text(max_length=10, placeholders=("name",)),
    Number(0, 1),
    Number(integer=True),
    Number(0, 1, step=0.25),
    Choice(("a", "b")),
    Bool(),
    Bullets(max_items=5),
    JsonList({"items": {"type": "string"}, "maxItems": 3}),
    JsonObject({"properties": {"k": {"type": "integer"}}, "required": ["k"]}),
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
        (Number(), "1" + "0" * 400),
        (Number(0, 1, step=0.25), "0.3"),
        (Bool(), "yes"),
        (Bool(), "1"),
        (Bool(), ""),
        (JsonList(), "{}"),
        (JsonList(), "[1, 2"),
        (JsonList(), "['single']"),
        (JsonList(), "[NaN]"),
        (JsonList(), "[1e999]"),
        (JsonList(), "[" * 100 + "]" * 100),
        (JsonList(), "[" * 100_000),
        (JsonList({"items": {"type": "integer"}}), "[1, 2.5]"),
        (JsonList({"items": {"type": "integer"}}), "[true]"),
        (JsonList({"minItems": 1}), "[]"),
        (JsonList({"maxItems": 1}), "[1, 2]"),
        (JsonList({"items": {"enum": [1, "a"]}}), "[true]"),
        (JsonObject(), "[]"),
        (JsonObject(), '{"a": 1, "a": 2}'),
        (JsonObject({"required": ["k"]}), "{}"),
        (JsonObject({"properties": {"k": {}}, "additionalProperties": False}), '{"l": 1}'),
        (JsonObject({"additionalProperties": {"type": "string"}}), '{"l": 1}'),
        (JsonObject({"properties": {"k": {"minimum": 0, "maximum": 1}}}), '{"k": 2}'),
        (JsonObject({"properties": {"k": {"type": "string", "maxLength": 2}}}), '{"k": "abc"}'),
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
    """What JSON can say has a type by itself; everything else must declare one."""
    assert type_of("x") == Text()
    assert type_of(3) == Number(-math.inf, math.inf, integer=True)
    assert type_of(0.5) == Number()
    assert type_of(True) == Bool()
    assert (type_of([1]), type_of({"a": 1})) == (JsonList(), JsonObject())
    with pytest.raises(InvalidValue, match="declare one"):
        type_of(object())


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Bool(), " True\n", True),
        (Bool(), "false", False),
        (Number(0, 1, step=0.1), "0.3", 0.3),
        (Number(1, 9, integer=True, step=2), "5", 5),
        (Number(step=0.5), "-1.5", -1.5),
        (JsonList(), '[1, "a", null, [true]]', [1, "a", None, [True]]),
        (JsonObject({"properties": {"k": {"type": "number"}}}), '{"k": 1, "l": {}}', None),
    ],
    ids=str,
)
def test_a_text_that_fits_is_read(kind: ValueType, text: str, value: object) -> None:
    """A value comes back in the type of the parameter, and dumps to a text that fits again."""
    read = kind.parse(text)
    assert value is None or (read == value and type(read) is type(value))
    assert kind.parse(dump(read)) == read


def test_a_stored_structure_shares_nothing_with_its_writer() -> None:
    """Changing the list that was given changes neither the parameter nor its type."""
    given, items = [[1]], {"type": "array"}
    parameter = Parameter("grid", given, JsonList({"items": items}))
    given[0].append(2)
    items["type"] = "string"
    assert parameter.value == [[1]]
    assert parameter.type == JsonList({"items": {"type": "array"}})


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "^a"},
        {"type": "text"},
        {"type": "string"},
        {"items": {"$ref": "#/x"}},
        {"items": 3},
        {"minItems": "1"},
        {"enum": {1, 2}},
    ],
    ids=str,
)
def test_a_schema_that_could_not_be_held_is_refused(schema: dict[str, object]) -> None:
    """No word of a schema is silently ignored."""
    with pytest.raises(InvalidValue, match="schema"):
        JsonList(schema)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Number(2, 1),
        lambda: Number(0, 1, step=0),
        lambda: Number(0, 9, integer=True, step=0.5),
    ],
)
def test_a_number_type_without_numbers_is_refused(wrong: Callable[[], Number]) -> None:
    """Ends in the wrong order and steps that lead nowhere are named at once."""
    with pytest.raises(InvalidValue):
        wrong()


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
