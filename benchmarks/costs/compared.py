"""The same programs in Trace and here: graphs, calls, memory and the optimizer's prompt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.costs.rows import Row, at_least, at_most, less, value
from benchmarks.costs.runs import Runner

CALLS = (
    ("node + node", "add", 5),
    ("@bundle, one argument", "bundled", 5),
    ("await @bundle async", "awaited", 5),
    ("@bundle inside stop_tracing", "untraced", 5),
    ("@bundle(trainable), changed code of 100 lines", "trained", 20),
)
"""What is called, the program that does, and how many times less it must cost."""
COUNT = 2_000
"""Calls of one measurement."""
RATE = 0.95
IN_A_ROW = 50


def graph_rows(runner: Runner, quick: bool) -> Iterator[Row]:
    """Yield `backward` and the call of a fan-in; the peer's longest runs once."""
    yield from backward_rows(runner, "chain", 3_000, 100)
    if quick:  # the peer is cubic here, so at a third of the size it is a ninth as far behind
        yield from backward_rows(runner, "layers", 1_000, 100, 1)
    else:
        yield from backward_rows(runner, "layers", 3_000, 1_000, 1)
    yield from backward_rows(runner, "fan", 1_000, 4)
    size = 3_000 if quick else 10_000
    found = runner.both("call fan", size)
    yield less(f"call with {size:,} parameters", *found("call"), 5)


def backward_rows(
    runner: Runner, shape: str, size: int, limit: float, rounds: int = 0
) -> Iterator[Row]:
    """Yield `backward` on one shape, and the same with all of its result worked out."""
    found = runner.both(f"backward {shape}", size, rounds)
    yield less(f"backward {shape} of {size:,}", *found("backward"), limit)
    read = less(f"backward {shape} of {size:,}, its graph read", *found("read"), limit)
    yield replace(read, limit="", met=None)


def call_rows(runner: Runner) -> Iterator[Row]:
    """Yield what a call costs, outside and inside an episode."""
    for what, program, limit in CALLS:
        ours, peer = runner.both(program, COUNT)("call")
        yield less(what, ours, peer, limit, "µs")
        if program in ("add", "bundled", "awaited"):
            inside = runner.own(f"episode {program}", COUNT)["call"]
            yield less(f"{what}, in an episode", inside, peer, limit, "µs")


def memory_rows(runner: Runner) -> Iterator[Row]:
    """Yield what an operation holds, and what is left when all is let go."""
    for shape, size in (("chain", 3_000), ("layers", 1_000)):
        found = runner.both(f"memory {shape}", size, 1)
        yield less(f"memory of an operation, {shape}", *found("operation"), 3, "B")
        ours, peer = found("held")
        yield Row(f"held when {shape} of {size:,} is let go and collected", ours, "B", other=peer)
    # large, because Python itself keeps up to 2,000 freed tuples of a length for reuse
    left = runner.own("freed", 100_000, 1)["held"]
    yield at_most("held of a finished episode at once, collector off", left, 0.01, "%")


def prompt_rows(runner: Runner, quick: bool) -> Iterator[Row]:
    """Yield the optimizer's prompt for a fan-in of parameters."""
    size = 300 if quick else 1_000
    found = runner.both("prompt fan", size, 1)
    # the peer is cubic here, so at 300 it is an eleventh as far behind
    yield less(f"prompt for {size:,} parameters", *found("prompt"), 9 if quick else 100)


def episode_rows(runner: Runner, quick: bool) -> Iterator[Row]:
    """Yield the rate of 200 episodes at once, each of three awaited steps of 20 ms."""
    found = runner.own("episodes", IN_A_ROW // 5 if quick else IN_A_ROW, 1 if quick else 0)
    what = "rate of 200 episodes at once"
    yield at_least(f"{what} / plain functions that wait", found["rate"] / found["bare"], RATE)
    yield value(f"{what} / what the waits alone allow", found["rate"], "%")
    yield value("plain functions that wait / what the waits alone allow", found["bare"], "%")
    yield value(f"{what}, one wave from a cold start / the waits alone", found["first"], "%")
