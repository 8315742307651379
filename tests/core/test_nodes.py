"""Nodes: values that behave like their values, and remember what they came from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from trace_agents import (
    ExecutionError,
    InvalidValue,
    Node,
    Number,
    ParameterNode,
    Trace,
    node,
    recording,
    stop_tracing,
)


class Person:
    """Something with an attribute and a method."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.age = 41

    def greet(self, whom: str, *, mark: str = ".") -> str:
        return f"{self.age}: hello {whom}{mark}"


def values(nodes: object) -> list[object]:
    return [each.data for each in nodes]  # type: ignore[attr-defined]  # pyright: ignore


def test_wrapping_is_idempotent() -> None:
    """A node of a node is that node, trainable or not."""
    x, p = node(1, "x"), node(2, "p", trainable=True)
    assert node(x) is x
    assert node(p, trainable=True) is p


def test_iterating_a_sequence_gives_its_items_as_nodes() -> None:
    """Each came from the whole, by its index."""
    items = node(["a", "b"], "items")
    assert values(items) == ["a", "b"]
    assert values(reversed(items)) == ["b", "a"]
    assert all(item.parents == (items,) for item in items)
    assert values(node("xy")) == ["x", "y"]
    assert values(node((1, 2))) == [1, 2]


def test_iterating_a_dict_gives_keys_and_a_set_its_items() -> None:
    """As Python does, as nodes."""
    prices = node({"tea": 2, "milk": 1}, "prices")
    assert values(prices) == values(prices.keys()) == ["tea", "milk"]
    assert values(prices.values()) == [2, 1]
    assert [(k.data, v.data) for k, v in prices.items()] == [("tea", 2), ("milk", 1)]
    assert sorted(str(item) for item in node({"a", "b"})) == ["a", "b"]


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (node([1, 2, 3])[0], 1),
        (node([1, 2, 3])[-1], 3),
        (node([1, 2, 3])[1:], [2, 3]),
        (node([1, 2, 3])[::2], [1, 3]),
        (node([1, 2, 3])[node(1)], 2),
        (node({"a": {"b": [7]}})["a"]["b"][0], 7),
        (node({"a": 1})[node("a")], 1),
        (node("text")[1:3], "ex"),
        (node((1, (2, 3)))[1][0], 2),
    ],
)
def test_an_item_remembers_its_container(made: Node, value: object) -> None:
    """By index, slice or key, plain or itself a node."""
    assert made.data == value
    assert made.op_name == "getitem"


def test_a_node_has_the_truth_length_and_text_of_its_value() -> None:
    """What must be plain in Python is plain."""
    assert not node([])
    assert len(node({"a": 1})) == 1
    assert 2 in node([1, 2])
    assert node("a") in node({"a": 1})
    assert f"{node(3):03d} {node('x'):>2}" == "003  x"
    assert str(node(1.5)) == "1.5"
    assert (int(node("7")), float(node(1)), complex(node(2))) == (7, 1.0, 2 + 0j)
    assert ["a", "b", "c"][node(1)] == "b"
    assert range(node(2)) == range(2)


def test_equality_is_identity_so_that_nodes_can_be_keys() -> None:
    """Two nodes of one value are two nodes; `eq` compares values."""
    a, b = node(1), node(1)
    assert a != b
    assert a == a  # noqa: PLR0124 - that is the claim
    assert {a: "a", b: "b"}[b] == "b"
    assert a.eq(b).data is True
    assert a.neq(b).data is False


def test_attributes_and_methods_of_the_value_are_recorded() -> None:
    """A method's arguments may be nodes, by position and by keyword."""
    ann, whom = node(Person("Ann"), "ann"), node("Bob", "whom")
    assert ann.age.data == 41
    said = ann.greet(whom, mark=node("!"))
    assert said.data == "41: hello Bob!"
    assert said.inputs["arg0"] is whom
    assert ann in said.parents
    assert "key_mark" in said.inputs


def test_a_name_that_the_node_has_too_is_reached_by_getattr_and_call() -> None:
    """The node's own `name` is the node's; the value's is one call away."""
    ann = node(Person("Ann"), "ann")
    assert ann.name == "ann"
    assert ann.getattr("name").data == "Ann"
    assert node("a-b").call("split", "-").data == ["a", "b"]


def test_a_missing_attribute_is_an_attribute_error() -> None:
    """`hasattr` and optional protocols go on working."""
    with pytest.raises(AttributeError, match="no_such"):
        _ = node(3).no_such
    assert not hasattr(node(3), "__array__")


def test_a_callable_value_can_be_called() -> None:
    """The function and its arguments are inputs."""
    function, x = node(max, "f"), node(3, "x")
    made = function(x, 5)
    assert made.data == 5
    assert made.parents == (function, x)


def test_methods_of_texts_take_nodes_in_containers() -> None:
    """`join` gets the plain texts and remembers each node."""
    parts = node("b a").split()
    made = node("-").join([node("x", "x"), parts[0], "z"])
    assert made.data == "x-b-z"
    assert {"x", "getitem"} <= {parent.op_name for parent in made.parents}
    assert node("{} {y}").format(node("a"), y=node("b")).data == "a b"


def test_a_container_with_nodes_becomes_a_node_that_came_from_them() -> None:
    """The value is plain, however deep the nodes lie."""
    a, b = node(1, "a"), node(2, "b", trainable=True)
    made = node({"items": [a, {"deep": (b, 3)}], "plain": 4})
    assert made.data == {"items": [1, {"deep": (2, 3)}], "plain": 4}
    assert set(made.inputs) == {"dict.items.0", "dict.items.1.deep.0"}
    assert [p.name for p in made.backward("x").parameters] == ["b"]


def test_a_container_is_copied_on_its_way_in() -> None:
    """Changing it afterwards changes no recording."""
    given: dict[str, list[int]] = {"a": [1]}
    kept = node(given)
    given["a"].append(2)
    assert kept.data == {"a": [1]}


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (lambda: node([1]).append(2), r"x \+ \[item\]"),
        (lambda: node([2, 1]).sort(), "copy in a bundled function"),
        (lambda: node({"a": 1}).update({"b": 2}), r"x \| \{key: value\}"),
        (lambda: node({"a": 1}).pop("a"), "dict of a recorded node"),
        (lambda: node({1}).add(2), r"x \| \{item\}"),
        (lambda: node(bytearray(b"a")).extend(b"b"), "bytearray"),
        (lambda: node([1]).__setitem__(0, 2), r"x\[key\] = value"),
        (lambda: node([1]).__delitem__(0), r"del x\[key\]"),
        (lambda: node([1]).call("clear"), "clear"),
    ],
)
def test_a_change_in_place_is_refused_with_advice(change: Callable[[], Any], advice: str) -> None:
    """A recording is immutable; the sentence says what to write instead."""
    with pytest.raises(InvalidValue, match=advice):
        change()


def test_assignment_to_items_is_refused() -> None:
    """The statements themselves, not only the methods behind them."""
    x = node([1, 2])
    with pytest.raises(InvalidValue):
        x[0] = 5
    with pytest.raises(InvalidValue):
        del x[0]
    assert x.data == [1, 2]


def test_a_clone_remembers_and_a_detached_node_does_not() -> None:
    """Both have a value of their own."""
    x = node([1], "x", trainable=True, constraint=AnyList())
    assert x.clone().data == x.detach().data == [1]
    assert [p.name for p in x.clone().backward("f").parameters] == ["x"]
    assert x.detach().backward("f").parameters == ()
    assert x.detach().is_root


def test_copies_of_a_node_came_from_nothing() -> None:
    """`copy` and `deepcopy` give plain nodes; of a chain of any length."""
    x = node(1)
    y: Any = x
    for _ in range(5_000):
        y = y + 1
    for made in (copy.copy(y), copy.deepcopy(y)):
        assert made.data == 5_001
        assert made.parents == ()


def test_a_copied_parameter_changes_apart() -> None:
    """A deep copy has the same name, type and value."""
    p = node(1, "p", trainable=True, constraint=Number(0, 5))
    other = copy.deepcopy(p)
    other.set(4)
    assert (p.data, other.data, other.name) == (1, 4, "p")
    with pytest.raises(InvalidValue):
        other.set(6)


def test_unnamed_parameters_are_told_apart() -> None:
    """Two of them may meet in one graph."""
    a, b = node(1, trainable=True), node(2, trainable=True)
    assert a.name != b.name
    assert len((a + b).backward("x").parameters) == 2


def test_parameters_of_one_name_cannot_meet() -> None:
    """Nothing could say later which of them was meant."""
    a, b = node(1, "same", trainable=True), node(2, "same", trainable=True)
    with pytest.raises(InvalidValue, match="two parameters are named 'same'"):
        (a + b).graph()


def test_info_says_what_is_known_of_a_call() -> None:
    """This call's own, whatever came after."""
    x = node(3, "x")
    first = x + 4
    _ = x + 50
    assert dict(first.info) == {
        "op_name": "add",
        "description": "x + y",
        "inputs": {"x": x},
        "constants": {"y": 4},
        "output": 7,
    }
    assert (first.type, first.op_name, x.description) == (int, "add", "")


def test_level_is_the_longest_way_from_a_root() -> None:
    """A root is at level 0."""
    x = node(1)
    y = x + 1
    assert (x.level, y.level, (y * y + x).level) == (0, 1, 3)
    assert x.is_root
    assert not y.is_root


def test_parameter_dependencies_are_the_parameters_that_led_here() -> None:
    """And no others."""
    a, b = node(1, "a", trainable=True), node(2, "b", trainable=True)
    c = node(3, "c", trainable=True)
    assert {p.name for p in (a + b + 1).parameter_dependencies} == {"a", "b"}
    assert {p.name for p in c.parameter_dependencies} == {"c"}


def test_names_are_unique_in_an_episode_and_python_identifiers() -> None:
    """The same program gives the same names."""

    def names() -> list[str]:
        with recording(Trace("e")):
            x = node(1, "a b")
            return [x.py_name, (x + 1).name, (x + 2).name, (x - 1).name]

    assert names() == names() == ["a_b0", "add0", "add1", "sub0"]


def test_a_node_shows_its_name_and_value() -> None:
    """In a debugger."""
    assert repr(node(3, "x")) == "<Node x: 3>"
    assert repr(node("t", "p", trainable=True)) == "<ParameterNode p: 't'>"


def test_unrecorded_operations_came_from_nothing() -> None:
    """They compute as before."""
    x = node(1, "x", trainable=True)
    with stop_tracing():
        quiet = x + 1
    assert (quiet.data, quiet.parents) == (2, ())
    assert (x + 1).parents != ()


def test_an_exception_node_names_the_error() -> None:
    """Type, message and traceback are words; the exception itself is not kept."""
    with pytest.raises(ExecutionError, match="ZeroDivisionError") as caught:
        _ = node(1) / node(0)
    failed = caught.value.exception_node
    assert failed.exception_type is ZeroDivisionError
    assert failed.message == "division by zero"
    assert "ZeroDivisionError" in failed.traceback
    assert failed.create_feedback().startswith("The operation failed: ZeroDivisionError")


def test_a_node_of_a_parameter_is_a_parameter_of_its_own() -> None:
    """Asked for as trainable, a plain node's value begins one."""
    made = node(node(3, "x"), trainable=True)
    assert isinstance(made, ParameterNode)
    assert (made.name, made.data) == ("x", 3)


class AnyList:
    """A type of parameters that takes any list."""

    kind = "list"

    def check(self, value: object) -> object:
        if not isinstance(value, list):
            raise InvalidValue("expected a list")
        return value  # pyright: ignore[reportUnknownVariableType]

    def parse(self, text: str) -> object:
        return self.check([text])

    def describe(self) -> str:
        return "any list"

    def to_json(self) -> dict[str, object]:
        return {"kind": self.kind}
