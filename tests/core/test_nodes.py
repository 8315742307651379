"""Nodes: values that behave like their values, and remember what they came from."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import pytest

from trace_agents import (
    ExecutionError,
    InvalidValue,
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


def test_wrapping_is_idempotent() -> None:
    """A node of a node is that node, trainable or not."""
    x, p = node(1, "x"), node(2, "p", trainable=True)
    assert node(x) is x
    assert node(p, trainable=True) is p


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
    assert {a, b, a} == {a, b}
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

    kind: ClassVar[str] = "list"

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
