"""A swap is compare-and-set in one piece: whoever swaps at the same time, no update is lost."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from tests.properties import virtual
from trace_agents.errors import VersionConflict
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.store import ParameterStore

COUNTER = Parameters([Parameter("count", 0, Number(0, integer=True))])
Swap = Callable[[ParameterStore, int, int], Awaitable[None]]


async def in_one_piece(store: ParameterStore, value: int, expected: int) -> None:
    store.swap({"count": value}, expected=expected)


async def with_a_pause(store: ParameterStore, value: int, expected: int) -> None:
    """Look whether the head is still the same, wait, and write: broken on purpose."""
    if store.head.id != expected:
        raise VersionConflict("moved")
    await anyio.sleep(0.5)
    store.swap({"count": value}, expected=store.head.id)


def counted(swap: Swap, workers: int, each: int, seed: int) -> int:
    """Let several workers on two connections count up together; return what they come to."""

    async def work(store: ParameterStore, number: int) -> None:
        pace = random.Random(f"{seed}/{number}")
        done = 0
        while done < each:
            head = store.head
            now = head.values["count"]
            await anyio.sleep(pace.choice((0.0, 0.2, 1.0)))
            try:
                await swap(store, (now if isinstance(now, int) else 0) + 1, head.id)
                done += 1
            except VersionConflict:
                continue

    with TemporaryDirectory() as folder:
        path = Path(folder, "run.db")
        with ParameterStore(path, COUNTER) as one, ParameterStore(path, COUNTER) as other:

            async def main(_loop: virtual.VirtualLoop) -> None:
                async with anyio.create_task_group() as group:
                    for number in range(workers):
                        group.start_soon(work, (one, other)[number % 2], number)

            virtual.run(main)
            versions = one.versions()
            assert [version.id for version in versions] == list(range(len(versions)))
            count = one.head.values["count"]
            assert isinstance(count, int)
            return count


calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=15)
several = st.tuples(st.integers(2, 5), st.integers(1, 4), st.integers(0, 10**6))


@settings(calmly)
@given(several)
def test_no_update_is_lost(case: tuple[int, int, int]) -> None:
    """Whatever the order in which the workers wait and write."""
    assert counted(in_one_piece, *case) == case[0] * case[1]


def test_a_swap_that_waits_loses_updates() -> None:
    """The property finds a swap that has an await between its look and its write."""
    searching = settings(calmly, phases=[Phase.generate], database=None, derandomize=True)
    workers, each, seed = find(
        several, lambda case: counted(with_a_pause, *case) < case[0] * case[1], settings=searching
    )
    assert counted(with_a_pause, workers, each, seed) < workers * each
