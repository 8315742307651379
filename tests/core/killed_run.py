"""A training run in a process of its own, which the tests of `resume` kill.

`python -m tests.core.killed_run FOLDER MODE MOMENT`: the process kills itself at the given moment
(an event, an episode's step or a proposal), or says every event to its standard output and goes
on until somebody else kills it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio

from tests.core.training_toys import Climber, Dial, closeness
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.training import Budget, TrainingEvent, TrainResult, Tried, train

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
TRAIN = [f"train {i}" for i in range(10)]
GATE = [f"gate {i}" for i in range(6)]
PROPOSALS = 10

Tick = Callable[[], None]


class Remembering(Climber):
    """A climber whose next step depends on how many there were before."""

    def remember(self, tried: Sequence[Tried]) -> None:
        self.count = len(tried)


def workflow(tick: Tick = lambda: None) -> Dial:
    draw = random.Random(3)
    return Dial(
        steps=lambda _: draw.randint(1, 9), tick=tick, space=SPACE, fail=lambda t: t == "train 3"
    )


async def run(
    folder: Path | None,
    tick: Tick,
    *,
    deterministic: bool = True,
    on_event: Callable[[TrainingEvent], None] = lambda _: None,
) -> TrainResult:
    def heard(event: TrainingEvent) -> None:
        on_event(event)
        tick()

    return await train(
        workflow(tick),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Remembering(tick),
        budget=Budget(episodes=400, tokens=10_000),
        proposals=PROPOSALS,
        batch_size=4,
        deterministic=deterministic,
        seed=5,
        run_dir=folder,
        on_event=heard,
    )


def main() -> None:
    folder, mode, moment = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    ticks = [0]

    def tick() -> None:
        ticks[0] += 1
        if mode == "self" and ticks[0] == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def say(event: TrainingEvent) -> None:
        if mode != "self":
            print(type(event).__name__, flush=True)  # noqa: T201 - the parent reads it

    anyio.run(lambda: run(folder, tick, deterministic=mode != "free", on_event=say))


if __name__ == "__main__":
    main()
