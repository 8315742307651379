from __future__ import annotations

from collections.abc import Sequence

import pytest

from trace_agents.errors import InvalidValue
from trace_agents.training.search.algorithms import (
    BasicSearch,
    BeamSearch,
    Member,
    PrioritySearch,
    UCBSearch,
)


def pool(*scores: list[float]) -> list[Member]:
    return [
        Member(number, {"x": number}, None, list(found), list(found[-2:]))
        for number, found in enumerate(scores)
    ]


def numbers(members: Sequence[Member]) -> list[int]:
    return [member.number for member in members]


def test_basic_search_keeps_the_best_of_the_round() -> None:
    """What it did in earlier rounds does not count: its tasks were others."""
    found = pool([9, 9, 1, 1], [2, 2], [3, 3])
    assert numbers(BasicSearch().kept(found)) == [2]


def test_a_beam_keeps_its_width() -> None:
    """The widths differ in what survives: the size has an effect."""
    found = pool([1, 1], [5, 5], [3, 3], [4, 4], [2, 2])
    kept = {width: numbers(BeamSearch(width).kept(found)) for width in (1, 2, 4)}
    assert kept == {1: [1], 2: [1, 3], 4: [1, 3, 2, 4]}
    assert numbers(BeamSearch(2).parents(found[:2])) == [0, 1]


def test_a_full_queue_loses_its_worst() -> None:
    """After 1, 5, 3, 4 and 2 a queue of two holds 5 and 4, whatever the order of arrival."""
    queue: list[Member] = []
    for candidate in pool([1], [5], [3], [4], [2]):
        queue = [*PrioritySearch(size=2).kept([*queue, candidate])]
    assert [candidate.mean for candidate in queue] == [5, 4]


def test_ucb_prefers_what_is_uncertain() -> None:
    """Of two close means the one seen less often is built on; without exploration the better."""
    found = pool([0.8] * 50, [0.7, 0.7], [0.0, 1.0] * 10)
    assert numbers(UCBSearch(exploration=1).parents(found)) == [1]
    assert numbers(UCBSearch(exploration=0).parents(found)) == [0]


def test_what_was_never_measured_comes_first_and_goes_first() -> None:
    """A candidate without scores is worth a look, and not worth a place."""
    found = pool([0.5, 0.5], [])
    assert numbers(UCBSearch().parents(found)) == [1]
    assert numbers(UCBSearch(size=1).kept(found)) == [0]


def test_priority_search_explores_the_head_of_its_queue() -> None:
    """By mean, or by upper bound."""
    found = pool([0.9] * 40, [0.85] * 40, [0.5, 0.8])
    assert numbers(PrioritySearch(explore=2).parents(found)) == [0, 1]
    bound = PrioritySearch(explore=1, priority="ucb", exploration=1)
    assert numbers(bound.parents(found)) == [2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: BasicSearch(0),
        lambda: BeamSearch(0),
        lambda: BeamSearch(branch=0),
        lambda: UCBSearch(exploration=-1),
        lambda: PrioritySearch(priority="none"),  # type: ignore[arg-type]
    ],
)
def test_sizes_that_make_no_sense_are_refused(make: object) -> None:
    """With a sentence, at the start."""
    assert callable(make)
    with pytest.raises(InvalidValue, match="must be"):
        make()
