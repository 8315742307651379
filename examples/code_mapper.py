"""Learn where a program's tasks run and where their data lies, on a small cost simulator.

    python examples/code_mapper.py [--model NAME]

The simulator stands in for a machine with processors of two kinds and two memories: a task is
fast where it fits, and slow where its data has to be copied or its memory overflows. `Search`
tries the choices, beside a search by chance; a `NAME` that litellm knows lets OptoPrime read what
the simulator says of each task.
"""

from __future__ import annotations

import argparse
from typing import cast

import anyio

import trace_agents as ta
from examples.curves import show
from trace_agents.optimizers import Optimizer

TASKS = {  # work in millions of operations and data in MB, each per million cells of the grid
    "read": (40, 60),
    "stencil": (900, 90),
    "reduce": (120, 20),
    "exchange": (60, 80),
    "solve": (700, 110),
    "write": (30, 90),
}
PROCESSORS = ("cpu", "gpu")
MEMORIES = ("system", "device")
SPEED = {"cpu": 50, "gpu": 900}
"""Millions of operations in a second, when all of a task can run side by side."""
SIDE_BY_SIDE = {"read": 0.2, "stencil": 1.0, "reduce": 0.3, "exchange": 0.2, "solve": 1.0}
"""What part of a task the many small cores of a GPU can use; 0.1 for others."""
BANDWIDTH = 60
"""MB in a second between the memories."""
ROOM = 400
"""MB of the device."""

places = {
    name: ta.node("cpu", f"{name}.on", trainable=True, constraint=ta.Choice(PROCESSORS))
    for name in TASKS
}
memories = {
    name: ta.node("system", f"{name}.in", trainable=True, constraint=ta.Choice(MEMORIES))
    for name in TASKS
}
tiles = ta.node(
    1,
    "tiles",
    trainable=True,
    constraint=ta.Number(1, 16, integer=True),
    description="in how many parts a task's data is worked on; each part has a cost of its own",
)
PARAMETERS = [*places.values(), *memories.values(), tiles]


@ta.bundle()
def mapped(name: str, on: str, lies_in: str, tiles: int, cells: int) -> list[object]:
    """Return a task's name, its seconds, and what slowed it down."""
    work, size = (amount * cells for amount in TASKS[name])
    used = SIDE_BY_SIDE.get(name, 0.1) if on == "gpu" else 1.0
    seconds = work / (SPEED[on] * used) + 0.15 * (tiles - 1)
    why = f"computing on the {on}"
    if lies_in == "device" and size / tiles > ROOM:
        seconds += 4 * (size / tiles - ROOM) / BANDWIDTH
        why = f"{size / tiles:.0f} MB do not fit into the device: more tiles, or system memory"
    if (on == "gpu") != (lies_in == "device"):
        seconds += size / BANDWIDTH
        why = f"{size} MB are copied from {lies_in} memory to the {on}"
    return [name, round(seconds, 3), why]


@ta.bundle()
def total(*tasks: list[object]) -> list[object]:
    """Return the seconds of all tasks, and the slowest with the reason."""
    slowest = max(tasks, key=lambda task: float(str(task[1])))
    return [sum(float(str(task[1])) for task in tasks), *slowest]


async def simulate(cells: ta.Node) -> object:
    """Run the program on a grid of some millions of cells."""
    parts = (mapped(name, places[name], memories[name], tiles, cells) for name in TASKS)
    return total(*parts)


def judge(cells: object, output: object) -> tuple[float, str]:
    """Score by speed, 1 for what the processors alone would take, and name the slowest task."""
    if not isinstance(output, list):
        raise TypeError("the simulator returns a list")
    seconds, name, of_it, why = cast("list[object]", output)
    ideal = sum(work for work, _ in TASKS.values()) * int(str(cells)) / SPEED["gpu"]
    words = f"{float(str(seconds)):.1f} s in all; {name} takes {of_it} s: {why}"
    return ideal / float(str(seconds)), words


async def learn(optimizer: Optimizer, *, proposals: int = 50) -> ta.TrainResult:
    """Return a training on some grids, reported on others."""
    return await ta.train(
        ta.wrap(simulate, parameters=PARAMETERS),
        [1, 3, 5, 7],
        gate_tasks=[2, 6],
        report_tasks=[4, 8, 9],
        guide=judge,
        optimizer=optimizer,
        budget=ta.Budget(episodes=2_000),
        proposals=proposals,
        batch_size=1,
        gate=ta.Gate(z=0),  # the simulator always says the same
        deterministic=True,
    )


async def main(model: str | None) -> None:
    """Print how the live score grows, and what it is by chance."""
    nodes = ta.wrap(simulate, parameters=PARAMETERS).parameters()
    optimizer = ta.OptoPrime(nodes, llm=model) if model else ta.Search(nodes, seed=1)
    results = {type(optimizer).__name__: await learn(optimizer)}
    results["by chance"] = await learn(ta.Search(nodes, seed=1, engine="random"))
    show(results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learn where tasks run and data lies.")
    parser.add_argument("--model", help="a model for OptoPrime, by its litellm name")
    anyio.run(main, parser.parse_args().model)
