"""How a store grows: `stores.py PROGRAM PLACE COUNT` prints one JSON object."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

import trace_agents as ta
from trace_agents.graph import Parameters, Values
from trace_agents.optimizers.base import Proposal, Target
from trace_agents.store import ParameterStore, verify
from trace_agents.training import RunStarted, TrainingEvent, resume, train

BATCH, AT_ONCE = 100, 64
STYLE = "Answer in one friendly sentence, and name the place that the guest asked for. " * 3
ANSWER = "The museum opens at nine, and the tram from the station stops in front of it. " * 2
WORDS = "The answer names no price, and its second sentence repeats the first one. " * 2

style = ta.node(STYLE, "style", trainable=True)


@ta.bundle
async def write(task: Mapping[str, object], style: str) -> str:
    """Answer; this stands in for a model's call."""
    await asyncio.sleep(0)
    return f"{ANSWER} ({len(style)}, {len(task)})"


async def clerk(task: ta.Node) -> object:
    """Do one task."""
    return await write(task, style)


WORKFLOW = ta.wrap(clerk, parameters=[style])


class Still:
    """An optimizer that finds nothing to change, and takes no time for it."""

    def zero_feedback(self) -> None:
        """Do nothing."""

    def backward(self, target: Target, feedback: str | Mapping[str, str]) -> None:
        """Do nothing."""

    async def propose(self, values: Values | None = None) -> Proposal:
        """Return no change."""
        return Proposal({})

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Do nothing."""

    async def step(self) -> Proposal:
        """Return no change."""
        return await self.propose()

    def step_sync(self) -> Proposal:
        """Return no change."""
        return asyncio.run(self.step())

    def remember(self, tried: object) -> None:
        """Do nothing."""


def judged(task: object, output: object) -> tuple[float, str]:
    """Say what might be better."""
    return 0.5, f"{WORDS} ({len(str(task))}, {len(str(output))})"


def tasks(count: int) -> list[dict[str, object]]:
    """Return tasks of about a hundred characters."""
    near = "Is it near the river, or further up? " * 2
    return [{"id": i, "question": f"Where is number {i}? {near}"} for i in range(count)]


async def grown(place: str, count: int) -> dict[str, float]:
    """Train on so many episodes; return what one took, and what the process held."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = await train(
        WORKFLOW,
        tasks(1_000),
        gate_tasks=[{"id": -1}, {"id": -2}],
        guide=judged,
        optimizer=Still(),
        batch_size=BATCH,
        proposals=count // BATCH,
        concurrency=AT_ONCE,
        store=place or None,
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done = result.episodes
    return {"wall": wall / done, "cpu": cpu / done, "held": _held(), **_size(place, done)}


def opened(place: str, _count: int) -> dict[str, float]:
    """Open the store as a reader does, and verify it; return the seconds, of CPU for the latter."""
    parameters: Parameters = WORKFLOW.parameters()
    began = time.perf_counter()
    with ParameterStore(place, parameters) as store:
        _ = store.head
        ready, cpu = time.perf_counter(), time.process_time()
        problems = verify(store)
        verified = time.process_time() - cpu
    return {"open": ready - began, "verify": verified, "problems": len(problems)}


async def resumed(place: str, count: int) -> dict[str, float]:
    """Go on with the run for one decision; return the CPU until it has taken up its past."""
    taken: list[float] = []

    def heard(event: TrainingEvent) -> None:
        if isinstance(event, RunStarted):
            taken.append(time.process_time() - began)

    began = time.process_time()
    await resume(
        None,
        WORKFLOW,
        guide=judged,
        optimizer=Still(),
        store=place,
        proposals=count // BATCH + 1,
        on_event=heard,
    )
    return {"cpu": taken[0], "held": _held()}


def _held() -> float:
    """Return the most bytes that the process has held; Linux counts in kilobytes, macOS not."""
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def _size(place: str, done: int) -> dict[str, float]:
    """Return the bytes of the database for each episode."""
    if place.startswith("sqlite:///"):
        path = Path(place.removeprefix("sqlite:///"))
        files = path.parent.glob(f"{path.name}*")
        return {"bytes": sum(file.stat().st_size for file in files) / done}
    if not place:
        return {}
    query = (
        "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c "
        "WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"
    )
    with psycopg.connect(place.replace("+psycopg", "")) as connection:
        found = connection.execute(query.encode()).fetchone()
    return {"bytes": float(found[0]) / done if found else 0.0}


if __name__ == "__main__":
    program, place, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if program == "open":
        print(json.dumps(opened(place, count)))
    else:
        print(json.dumps(asyncio.run({"grow": grown, "resume": resumed}[program](place, count))))
