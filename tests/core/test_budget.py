from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.errors import BudgetExhausted
from trace_agents.training import Budget, Ledger, Reservation, Spent

amounts = st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 8))


@given(st.lists(st.tuples(st.sampled_from(["reserve", "settle", "release"]), amounts)))
def test_spent_and_reserved_never_pass_the_limit(
    steps: list[tuple[str, tuple[int, int, int]]],
) -> None:
    """Whatever the order, as long as nobody settles more than was reserved."""
    ledger = Ledger(Budget(episodes=5, tokens=60, usd=16))
    held: list[Reservation] = []
    for action, (episodes, tokens, usd) in steps:
        if action == "reserve":
            try:
                held.append(ledger.reserve(episodes, tokens, usd))
            except BudgetExhausted:
                continue
        elif held and action == "settle":
            one = held.pop()
            one.settle(
                episodes=min(episodes, one.episodes),
                tokens=min(tokens, one.tokens),
                usd=min(usd, one.usd),
            )
        elif held:
            held.pop().release()
        spent, reserved = ledger.spent, ledger.reserved
        assert spent.episodes + reserved.episodes <= 5
        assert spent.tokens + reserved.tokens <= 60
        assert spent.usd + reserved.usd <= 16


def test_seconds_end_the_budget() -> None:
    """A clock that passes the limit refuses what is new."""
    now = [0.0]
    ledger = Ledger(Budget(seconds=10), clock=lambda: now[0])
    ledger.reserve()
    now[0] = 10.0
    with pytest.raises(BudgetExhausted, match="seconds"):
        ledger.reserve()


def test_a_group_of_reservations_is_all_or_none() -> None:
    """Two of three do not stay held."""
    ledger = Ledger(Budget(episodes=2))
    with pytest.raises(BudgetExhausted, match="episodes"):
        ledger.reserve_episodes(3)
    assert ledger.reserved.episodes == 0


def test_the_dearest_episode_is_what_the_next_one_holds() -> None:
    """Nothing starts that could not be paid if it cost as much again."""
    ledger = Ledger(Budget(tokens=100))
    ledger.reserve_episodes(1)[0].settle(tokens=60)
    with pytest.raises(BudgetExhausted, match="tokens"):
        ledger.reserve_episodes(1)


def test_a_reservation_counts_once() -> None:
    """A release after the settlement changes nothing."""
    ledger = Ledger()
    one = ledger.reserve()
    one.settle(tokens=4)
    one.release()
    assert (ledger.spent.episodes, ledger.spent.tokens) == (1, 4)


@given(st.lists(st.floats(0, 1e9), max_size=30), st.randoms())
def test_dollars_that_were_given_back_leave_nothing(amounts: list[float], draw: Random) -> None:
    """Whatever rounding a sum of them would suffer, and whatever the order."""
    ledger = Ledger()
    held = [ledger.reserve(0, usd=amount) for amount in amounts]
    draw.shuffle(held)
    for reservation in held:
        reservation.release()
    assert ledger.reserved == Spent()


def test_calls_are_limited_as_tokens_are() -> None:
    """The dearest episode is what the next one holds, and a sentence says what is missing."""
    ledger = Ledger(Budget(calls=10))
    ledger.reserve_episodes(1)[0].settle(calls=6)
    assert (ledger.spent.calls, ledger.unpriced) == (6, False)
    with pytest.raises(BudgetExhausted, match="10 model calls, 4 are left"):
        ledger.reserve_episodes(1)
    one = ledger.reserve(0, calls=3)
    assert one.use(tokens=0, usd=0.0, calls=4)
    assert not one.use(tokens=0, usd=0.0, calls=5)
    assert ledger.over


def test_the_last_free_call_is_held_by_who_is_about_to_make_it() -> None:
    """A half of one call is one."""
    ledger = Ledger(Budget(calls=1))
    held = ledger.reserve_rest(0, 0.5)
    assert ledger.reserved == Spent(calls=1)
    with pytest.raises(BudgetExhausted, match="model calls"):
        ledger.reserve_rest(0, 0.5)
    held.settle(calls=1)
    assert (ledger.spent.calls, ledger.over) == (1, False)


def test_a_price_that_is_no_number_passes_every_limit() -> None:
    """The episode is stopped; what others hold stays as it was."""
    ledger = Ledger(Budget(usd=1.0))
    one, other = ledger.reserve(1, usd=0.5), ledger.reserve(1, usd=0.25)
    assert not one.use(tokens=0, usd=float("inf"))
    assert not one.use(tokens=0, usd=float("nan"))
    assert ledger.reserved.usd == 0.75
    assert other.use(tokens=0, usd=0.5)
    assert not other.use(tokens=0, usd=0.75)
