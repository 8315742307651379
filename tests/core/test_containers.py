"""Nodes of lists, dicts, sets and tuples: items, keys, and no change in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from trace_agents import InvalidValue, Node, node


def values(nodes: Iterable[Node]) -> list[object]:
    return [each.data for each in nodes]


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
