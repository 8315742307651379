"""A trainer in a process of its own, several of which share one store.

`python -m tests.core.shared_trainer STORE SEED PROPOSALS DEATH`: kills itself at that event.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Sequence

import anyio

from tests.core.killed_run import GATE, SPACE, TRAIN
from tests.core.training_toys import Climber, Dial, closeness
from trace_agents.graph import Values
from trace_agents.optimizers.base import Proposal
from trace_agents.training import Budget, TrainingEvent, TrainResult, Tried, train


class Hasty(Climber):
    """Climbs in small steps of its own, so that two of them get in each other's way."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.draw = random.Random(seed)

    async def propose(self, values: Values | None = None) -> Proposal:
        await anyio.lowlevel.checkpoint()
        now = (values or {})["dial"]
        if not isinstance(now, int):
            raise TypeError("no dial")
        return Proposal({"dial": min(42, now + self.draw.randint(1, 2))}, tokens=5)

    def remember(self, tried: Sequence[Tried]) -> None:
        del tried


async def run(store: str, seed: int, proposals: int, death: int) -> TrainResult:
    """Train in a store that others use."""
    events: list[TrainingEvent] = []

    def count(event: TrainingEvent) -> None:
        events.append(event)
        if len(events) == death:
            os.kill(os.getpid(), signal.SIGKILL)

    return await train(
        Dial(space=SPACE),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Hasty(seed),
        budget=Budget(episodes=2000),
        proposals=proposals,
        batch_size=4,
        seed=seed,
        store=store,
        on_event=count,
    )


def main() -> None:
    seed, proposals, death = map(int, sys.argv[2:])
    anyio.run(run, sys.argv[1], seed, proposals, death)


if __name__ == "__main__":
    main()
