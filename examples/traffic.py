"""Learn the green times of two crossings in the traffic simulator UXsim.

    pip install 'trace-agents[traffic]'
    python examples/traffic.py [--model NAME]

`Search` tries the times, beside a search by chance; a `NAME` that litellm knows lets OptoPrime
read where cars wait.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any, cast

import anyio

import trace_agents as ta
from examples.curves import show
from trace_agents.optimizers import Optimizer

CYCLE = 60
"""Seconds from one green to the next."""

green1 = ta.node(20, "green1", trainable=True, constraint=ta.Number(10, 50, step=5, integer=True))
green2 = ta.node(20, "green2", trainable=True, constraint=ta.Number(10, 50, step=5, integer=True))
offset = ta.node(0, "offset", trainable=True, constraint=ta.Number(0, 55, step=5, integer=True))
PARAMETERS = [green1, green2, offset]


def simulator() -> Any:
    """Return the uxsim package.

    Raises:
        ExtraNotInstalled: it is missing.
    """
    try:
        return import_module("uxsim")
    except ImportError:
        raise ta.ExtraNotInstalled("uxsim", "traffic") from None


def world(green1: int, green2: int, offset: int, day: int) -> Any:
    """Return a main road from west to east that two side roads cross."""
    made = simulator().World(
        deltan=5, tmax=900, print_mode=0, save_mode=0, show_mode=0, random_seed=day
    )
    for place, name in enumerate(("west", "first", "second", "east")):
        greens = {"first": (green1, 0), "second": (green2, offset)}.get(name)
        if greens is None:
            made.addNode(name, place, 0)
            continue
        green, behind = greens
        made.addNode(name, place, 0, signal=[green, CYCLE - green], signal_offset=behind)
        made.addNode(f"south of {name}", place, -1)
        made.addNode(f"north of {name}", place, 1)
    links = [("west", "first", 0), ("first", "second", 0), ("second", "east", 0)]
    for name in ("first", "second"):
        links += [(f"south of {name}", name, 1), (name, f"north of {name}", 0)]
    for start, end, group in links:
        made.addLink(f"{start} to {end}", start, end, 400, signal_group=[group])
    busy = 0.35 + 0.05 * (day % 3)
    made.adddemand("west", "east", 0, 600, busy)
    made.adddemand("south of first", "north of first", 0, 600, 0.2)
    made.adddemand("south of second", "north of second", 0, 600, 0.15)
    return made


@ta.bundle()
def drive(green1: int, green2: int, offset: int, day: int) -> dict[str, float]:
    """Return the mean seconds that a car loses, and how many have arrived, after 15 minutes."""
    made = world(green1, green2, offset, day)
    made.exec_simulation()
    made.analyzer.basic_analysis()
    arrived = made.analyzer.trip_completed / made.analyzer.trip_all
    return {"delay": float(made.analyzer.average_delay), "arrived": float(arrived)}


async def morning(day: ta.Node) -> object:
    """Simulate one day."""
    return drive(green1, green2, offset, day)


def judge(_day: object, output: object) -> tuple[float, str]:
    """Score by the delay: 1 for none, a half for 30 seconds; who did not arrive counts too."""
    if not isinstance(output, dict):
        raise TypeError("the simulation returns a dict")
    found = cast("dict[str, float]", output)
    delay, arrived = found["delay"], found["arrived"]
    score = arrived * 30 / (30 + delay)
    return score, f"{delay:.0f} s lost by each car, {1 - arrived:.0%} did not arrive"


async def learn(optimizer: Optimizer, *, proposals: int = 20) -> ta.TrainResult:
    """Return a training on some days, reported on others."""
    return await ta.train(
        ta.wrap(morning, parameters=PARAMETERS),
        [1, 2, 3],
        gate_tasks=[11, 12],
        report_tasks=[21, 22, 23],
        guide=judge,
        optimizer=optimizer,
        budget=ta.Budget(episodes=500),
        proposals=proposals,
        batch_size=1,
        gate=ta.Gate(z=0),  # a day with the same lights always goes the same way
        deterministic=True,
    )


async def main(model: str | None) -> None:
    """Print how the live score grows, and what it is by chance."""
    simulator()
    nodes = ta.wrap(morning, parameters=PARAMETERS).parameters()
    optimizer = ta.OptoPrime(nodes, llm=model) if model else ta.Search(nodes, seed=1)
    results = {type(optimizer).__name__: await learn(optimizer)}
    results["by chance"] = await learn(ta.Search(nodes, seed=1, engine="random"))
    show(results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learn green times.")
    parser.add_argument("--model", help="a model for OptoPrime, by its litellm name")
    anyio.run(main, parser.parse_args().model)
