"""Operators of nodes compute what Python computes, and remember what they computed it from."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents import InvalidValue, Node, Trace, node, operators, recording
from trace_agents.llm import Reply
from trace_agents.testing import ScriptedModel
from trace_agents.tracing import ExecutionError

Binary = Callable[[Any, Any], Any]
ARITHMETIC: list[Binary] = [
    divmod,
    *(
        getattr(operator, name)
        for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "and_", "or_", "xor")
    ),
]
SMALL: list[Binary] = [getattr(operator, name) for name in ("pow", "lshift", "rshift")]
COMPARISONS: list[Binary] = [operator.lt, operator.le, operator.gt, operator.ge]
WHOLE = st.integers(-1000, 1000)
UNARY: list[Callable[[Any], Any]] = [
    operator.neg,
    operator.pos,
    abs,
    round,
    math.floor,
    math.ceil,
    math.trunc,
]
BREAKING: list[Callable[[Any], Any]] = [
    lambda x: x / 0,
    lambda x: x["key"],
    lambda x: x + "text",
    lambda x: x.bit_count() - "a",
    lambda x: x.call("no_such_method"),
    lambda x: x(),
]


class Grid:
    """A value that knows `@`, forward and reflected."""

    def __matmul__(self, other: object) -> str:
        return f"grid @ {other}"

    def __rmatmul__(self, other: object) -> str:
        return f"{other} @ grid"


@pytest.mark.parametrize("function", [*ARITHMETIC, *COMPARISONS], ids=lambda f: f.__name__)
@given(x=WHOLE, y=WHOLE.filter(bool))
def test_a_binary_operator_computes_what_python_computes(function: Binary, x: int, y: int) -> None:
    """With a node on the left, on the right, and on both sides."""
    expected = function(x, y)
    for made in (function(node(x), y), function(x, node(y)), function(node(x), node(y))):
        assert isinstance(made, Node)
        assert made.data == expected


@pytest.mark.parametrize("function", SMALL, ids=lambda f: f.__name__)
@given(x=st.integers(0, 50), y=st.integers(0, 8))
def test_powers_and_shifts_compute_what_python_computes(function: Binary, x: int, y: int) -> None:
    """Reflected too."""
    assert function(node(x), y).data == function(x, node(y)).data == function(x, y)


@given(x=st.floats(-1e6, 1e6))
def test_a_unary_operator_computes_what_python_computes(x: float) -> None:
    """Signs, absolute value and the ways to a whole number are recorded."""
    for function in UNARY:
        made = function(node(x))
        assert isinstance(made, Node)
        assert made.data == function(x)
    assert round(node(x), 2).data == round(x, 2)
    assert (~node(int(x))).data == ~int(x)


def test_matrix_multiplication_works_on_both_sides() -> None:
    """`@` is an operator like the others."""
    assert (node(Grid()) @ 2).data == "grid @ 2"
    assert (2 @ node(Grid())).data == "2 @ grid"


@given(x=st.lists(WHOLE), y=st.lists(WHOLE), n=st.integers(-2, 3))
def test_lists_compute_what_python_computes(x: list[int], y: list[int], n: int) -> None:
    """Concatenation, repetition, slices and comparison."""
    a, b = node(x), node(y)
    assert (a + b).data == (x + b).data == (a + y).data == x + y
    assert (a * n).data == (n * a).data == x * n
    assert a[n:].data == x[n:]
    assert (a < b).data == (x < y)
    assert a.eq(y).data == (x == y)


@given(x=st.text(max_size=8), y=st.text(max_size=8))
def test_texts_compute_what_python_computes(x: str, y: str) -> None:
    """Operators and the methods that a str has."""
    a = node(x)
    assert (a + y).data == (x + node(y)).data == x + y
    assert a.upper().data == x.upper()
    assert a.replace("a", y).data == x.replace("a", y)
    assert a.startswith(node(y)).data == x.startswith(y)
    assert (node("<%s>") % y).data == f"<{y}>"


@given(x=st.dictionaries(st.text(max_size=3), WHOLE), y=st.dictionaries(st.text(max_size=3), WHOLE))
def test_dicts_and_sets_compute_what_python_computes(x: dict[str, int], y: dict[str, int]) -> None:
    """Union, intersection, difference."""
    assert (node(x) | y).data == x | y
    assert (node(set(x)) & set(y)).data == set(x) & set(y)
    assert (set(x) - node(set(y))).data == set(x) - set(y)


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (node(2).eq(2), True),
        (node(2).neq(2), False),
        (node(0).not_(), True),
        (node(None).is_(None), True),
        (node(2).is_in([1, 2]), True),
        (node([1, 2]).contains(3), False),
        (node("abc").len(), 3),
    ],
)
def test_what_python_makes_plain_has_a_method_that_is_recorded(made: Node, value: object) -> None:
    """`==`, `not`, `is`, `in` and `len` cannot give nodes; these can."""
    assert made.data == value
    assert not made.is_root


def test_a_node_on_both_sides_is_remembered_on_both() -> None:
    """Inputs stand under the operands' names, plain operands among the constants."""
    a, b = node(1, "a"), node(2, "b")
    assert (a + b).inputs == {"x": a, "y": b}
    assert (5 - b).inputs == {"y": b}
    assert (5 - b).constants == {"x": 5}


@pytest.mark.parametrize("function", BREAKING)
def test_what_an_operator_raises_is_a_node_that_gets_feedback(
    function: Callable[[Any], Any],
) -> None:
    """The error leads back to the parameter that caused it."""
    x = node(3, "x", trainable=True)
    with pytest.raises(ExecutionError) as caught:
        function(x)
    failed = caught.value.exception_node
    subgraph = failed.backward(failed.create_feedback())
    assert [p.name for p in subgraph.parameters] == ["x"]
    assert failed.exception_type.__name__ in failed.data


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (operators.cond(node(False), "a", node("b")), "b"),
        (operators.make_list(node(1), 2), [1, 2]),
        (operators.make_tuple(node(1), 2), (1, 2)),
        (operators.make_set(node(1), 2), {1, 2}),
        (operators.make_dict(a=node(1), b=2), {"a": 1, "b": 2}),
        (operators.to_list(node((1, 2))), [1, 2]),
        (operators.to_tuple(node([1, 2])), (1, 2)),
        (operators.to_set(node([1, 1])), {1}),
        (operators.to_dict(node([("a", 1)])), {"a": 1}),
    ],
)
def test_an_operation_without_an_operator_is_recorded(made: Node, value: object) -> None:
    """A choice, and containers made of nodes."""
    assert made.data == value
    assert not made.is_root


def test_a_choice_depends_on_all_it_was_given() -> None:
    """The condition and the way not taken are inputs too."""
    parts = [node(True, "c"), node(1, "a"), node(2, "b")]
    assert list(operators.cond(*parts).parents) == parts


def test_a_function_is_applied_in_the_shape_of_its_containers() -> None:
    """Containers are walked together; a single node goes everywhere."""

    def total(x: int, y: int, z: int) -> object:
        return x + y + z

    made: Any = operators.apply(
        total,
        {"a": [node(1), 2], "b": (node(3),)},
        {"b": (30,), "a": [10, 20]},
        node(100),
    )
    assert [n.data for n in made["a"]] == [111, 122]
    assert made["b"][0].data == 133
    assert isinstance(made["b"], tuple)


@pytest.mark.parametrize("other", [[1], (1, 2), {"a": 1}])
def test_containers_of_different_shapes_are_refused(other: object) -> None:
    """What would be paired with nothing is named."""
    with pytest.raises(InvalidValue, match="shapes differ"):
        operators.apply(max, [1, 2], other)


async def test_a_model_call_is_one_operation() -> None:
    """Prompts are inputs, the reply is the value, and the episode pays."""
    llm = ScriptedModel([Reply("Leaves.", 7, 3, 0.5)])
    prompt = node("Answer in one word.", "prompt", trainable=True)
    with recording(Trace("e")) as trace:
        reply = await operators.call_llm(llm, prompt, node("What is tea?"), "Quick!")
    assert reply.data == "Leaves."
    assert [m["content"] for m in llm.prompts[0]] == [
        "Answer in one word.",
        "What is tea?",
        "Quick!",
    ]
    assert [p.name for p in reply.backward("fine").parameters] == ["prompt"]
    assert (trace.read, trace.tokens, trace.usd, trace.calls) == ({"prompt"}, 10, 0.5, 1)


async def test_a_model_that_cannot_answer_is_an_exception_node() -> None:
    """The failure leads back to the prompt."""
    prompt = node("Hi", "prompt", trainable=True)
    with pytest.raises(ExecutionError, match="no reply left") as caught:
        await operators.call_llm(ScriptedModel([]), prompt)
    assert [p.name for p in caught.value.exception_node.backward("x").parameters] == ["prompt"]
