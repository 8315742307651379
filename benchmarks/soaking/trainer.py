"""One life of a trainer: it begins a run or goes on with it, until it is done or killed."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import partial

import anyio
import anyio.to_process

from benchmarks.soaking import clock
from benchmarks.soaking.cluster import executor
from benchmarks.soaking.plan import BROKEN, COMPLETE, Plan
from benchmarks.soaking.training import trained
from benchmarks.soaking.work import tell, worked
from trace_agents.errors import StoreError
from trace_agents.training import TrainingEvent, TrainResult
from trace_agents.training.telling.events import event_data

WORKERS = 3


def main() -> None:
    """Live as the plan in the first argument says."""
    plan = Plan.loaded(sys.argv[1])
    clock.jump(random.Random(f"{plan.seed}/{plan.life}"), partial(tell, plan.toll, "clock"))
    try:
        result = anyio.run(_life, plan)
    except StoreError as error:
        print(error, file=sys.stderr, flush=True)
        sys.exit(BROKEN)
    plan.curve.write_text(json.dumps(curve_of(result)), encoding="utf-8")
    sys.exit(COMPLETE)


def curve_of(result: TrainResult) -> list[Sequence[float]]:
    """Return the learning curve as JSON can say it."""
    return [list(astuple(point)) for point in result.curve]


async def _life(plan: Plan) -> TrainResult:
    limiter = anyio.CapacityLimiter(WORKERS)

    async def work(task: str, dial: int, tone: str) -> str:
        given = (task, dial, tone, plan.deadly, str(plan.toll))
        try:
            return await anyio.to_process.run_sync(worked, *given, limiter=limiter)
        except anyio.BrokenWorkerProcess as error:
            raise ConnectionError("a worker process died") from error

    file = os.open(plan.acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        return await trained(plan, work, _noting(file), executor(plan))
    finally:
        os.close(file)


def _noting(file: int) -> Callable[[TrainingEvent], None]:
    """Return what writes every event down, and returns when it is on the disk."""

    def note(event: TrainingEvent) -> None:
        line: Mapping[str, object] = {"kind": type(event).__name__, "data": event_data(event)}
        os.write(file, f"{json.dumps(line)}\n".encode())
        os.fsync(file)

    return note


if __name__ == "__main__":
    main()
