"""The price of an episode: learnt from the first ones, which run alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from trace_agents.training.budgets.budget import Ledger, Reservation

TRIES = 3
"""Episodes that may fail before they spend anything; then an episode is taken to be free."""


async def learn_price(
    ledger: Ledger, count: int, run: Callable[[int, Reservation], Awaitable[object]]
) -> int:
    """Run the first of `count` episodes alone, if a limit needs their price; return how many ran.

    Raises:
        BudgetExhausted: the budget has no room for one.
    """
    done = 0
    while ledger.unpriced and done < min(count, TRIES):
        reservation = ledger.reserve_rest(1)
        try:
            await run(done, reservation)
        finally:
            reservation.release()
        done += 1
    if done:
        ledger.take_price()
    return done
