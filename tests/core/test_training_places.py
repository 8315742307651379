"""Places for episodes: the gate's go first, and none is ever lost."""

from __future__ import annotations

import random

import anyio
import pytest
from anyio.lowlevel import checkpoint

from trace_agents.training.episodes.places import Places


async def test_who_judges_goes_before_who_learns() -> None:
    """Each kind in the order in which it came."""
    places, order = Places(1), list[str]()

    async def learn(name: str) -> None:
        async with places:
            order.append(name)

    async def judge(name: str) -> None:
        async with places.first:
            order.append(name)

    async with anyio.create_task_group() as group:
        await places.take(0)
        for name in ("a", "b"):
            group.start_soon(learn, name)
        for name in ("x", "y"):
            group.start_soon(judge, name)
        await anyio.wait_all_tasks_blocked()
        places.give()
    assert order == ["x", "y", "a", "b"]


@pytest.mark.parametrize("seed", range(20))
async def test_a_place_survives_whoever_waits_for_it(seed: int) -> None:
    """Never more are inside than there are places; cancelled waiters pass theirs on."""
    draw, places = random.Random(seed), Places(3)
    inside, most = [0], [0]

    async def visit(rank: int, stay: int) -> None:
        async with places.first if rank else places:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            try:
                for _ in range(stay):
                    await checkpoint()
            finally:
                inside[0] -= 1

    async def perhaps(rank: int, stay: int, patience: int) -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(visit, rank, stay)
                for _ in range(patience):
                    await checkpoint()
                scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(40):
            group.start_soon(perhaps, draw.randint(0, 1), draw.randint(0, 4), draw.randint(0, 30))
    assert (inside[0], most[0]) == (0, 3)
    for _ in range(3):  # all places are there again: nobody has to wait
        await places.take(0)
