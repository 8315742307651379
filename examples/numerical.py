"""Fit the numbers of a formula, with words that say which way and how far.

    python examples/numerical.py [--model NAME]

A feedback in words holds more than a score. OptoPrime reads both, here with a stand-in for a model
that solves what the prompt says (`--model` takes a real one); Search and chance see scores alone.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

import anyio

import trace_agents as ta
from examples.curves import show
from trace_agents.llm import Message
from trace_agents.optimizers import Optimizer
from trace_agents.testing import FunctionModel

SLOPE, OFFSET = 3.2, -4.7
"""What nobody knows but the judge."""

slope = ta.node(0.0, "slope", trainable=True, constraint=ta.Number(-10, 10))
offset = ta.node(0.0, "offset", trainable=True, constraint=ta.Number(-10, 10))


async def predict(x: ta.Node) -> ta.Node:
    """Return slope * x + offset; plain operators on nodes are traced."""
    return slope * x + offset


def judge(x: object, y: object) -> tuple[float, str]:
    """Score how near a prediction is, and say what is missing."""
    gap = SLOPE * float(str(x)) + OFFSET - float(str(y))
    way = "low" if gap > 0 else "high"
    return 1 / (1 + abs(gap)), f"at x = {x} the output is too {way} by {abs(gap):.4g}"


def standin(messages: Sequence[Message]) -> str:
    """Answer as a model that can do sums: the line through the gaps that the prompt names."""
    text = messages[-1]["content"]
    values = {
        name: float(value)
        for name, value in re.findall(r'name="(\w+)">\n<value>\n(\S+)\n</value>', text)
    }
    found = re.findall(r"at x = (\S+) the output is too (low|high) by (\S+)", text)
    points = [(float(x), float(by) if way == "low" else -float(by)) for x, way, by in found]
    rise, start = line_through(points)
    new = {"slope": values["slope"] + rise, "offset": values["offset"] + start}
    blocks = (
        f"<variable><name>{name}</name><value>{min(10, max(-10, value)):.4f}</value></variable>"
        for name, value in new.items()
    )
    return "<reasoning>The gaps lie on a line.</reasoning>" + "".join(blocks)


def line_through(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return slope and offset of the line that fits points best."""
    count = len(points)
    middle, height = (sum(point[k] for point in points) / count for k in (0, 1))
    spread = sum((x - middle) ** 2 for x, _ in points)
    rise = sum((x - middle) * (y - height) for x, y in points) / spread if spread else 0.0
    return rise, height - rise * middle


async def learn(optimizer: Optimizer, *, proposals: int = 24) -> ta.TrainResult:
    """Return a training on small numbers, reported on larger ones."""
    return await ta.train(
        ta.wrap(predict, parameters=[slope, offset]),
        range(-5, 6),
        gate_tasks=[-4.5, -2.5, -0.5, 1.5, 3.5],
        report_tasks=range(20, 40),
        guide=judge,
        optimizer=optimizer,
        budget=ta.Budget(episodes=1_000),
        proposals=proposals,
        batch_size=3,
        gate=ta.Gate(z=0),  # the same prediction always gets the same score
        lag=0,  # a proposal knows the values that it improves
        deterministic=True,
    )


async def main(model: str | None) -> None:
    """Print how the live score grows, with words, with scores, and by chance."""
    nodes = ta.wrap(predict, parameters=[slope, offset]).parameters()
    llm = model or FunctionModel(standin)
    results = {
        "OptoPrime" if model else "stand-in": await learn(ta.OptoPrime(nodes, llm=llm)),
        "Search": await learn(ta.Search(nodes, seed=1)),
        "by chance": await learn(ta.Search(nodes, seed=1, engine="random")),
    }
    show(results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fit the numbers of a formula.")
    parser.add_argument("--model", help="a model for OptoPrime, by its litellm name")
    anyio.run(main, parser.parse_args().model)
