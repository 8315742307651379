"""What a search moves in, and what it takes for a score."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.feedback import score_in
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.optimizers.space import Space


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("score 0.7\ngood", 0.7),
        ("Score: -2", -2.0),
        ("score 1e-05", 1e-05),
        ("the score is .5 of 1", 0.5),
        ("0.25", 0.25),
        ("no score: 404 not found", None),
        ("nan", None),
        ("score 1e999", None),
        ("too long", None),
        ("", None),
    ],
)
def test_a_score_is_read_from_words(text: str, score: float | None) -> None:
    """Only what is said to be a score counts as one."""
    assert score_in(text) == score


@st.composite
def numbers(draw: st.DrawFn) -> Number:
    """Return any kind of number with two ends."""
    if draw(st.booleans()):
        low, width = draw(st.integers(-1000, 1000)), draw(st.integers(0, 1000))
        step = draw(st.sampled_from([None, 1, 2, 7]))
        return Number(low, low + width, draw(st.booleans()), step)
    begin, length = draw(st.floats(-100, 100)), draw(st.floats(0, 100))
    return Number(begin, begin + length, step=draw(st.sampled_from([None, 0.1, 0.25, 3.0])))


@given(numbers(), st.integers(0, 1000), st.floats(0, 1))
def test_a_line_never_leaves_its_number(kind: Number, seed: int, scale: float) -> None:
    """Whatever is sampled or moved fits the type, ends, grid and all."""
    axis = Space.of(Parameters([Parameter("n", kind.low, kind)])).axes["n"]
    rng = Random(seed)
    value = axis.sample(rng)
    for _ in range(5):
        assert kind.check(value) == value
        value = axis.near(value, scale, rng)
