"""What training may cost, as rows of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.costs.rows import Row, at_least, at_most, less, value
from benchmarks.costs.runs import Measured
from benchmarks.trainingcosts.runs import Runs, means

COUNT = 5_000
"""No-op episodes of one measurement."""
OVERHEAD = 500e-6
"""Seconds that an episode may cost beside its coroutine, at 1,000 at once."""
SHARE = 0.95
LEFT = 100.0
"""Bytes that a finished episode may leave behind."""
CANCELLED = 0.1
FASTER = {0.0: 1.7, 0.15: 2.0}
"""By the seconds of a model's answer: how many times less wall time than gepa."""
OTHERS = ((8, "1x1"), (3, "2x2"))
"""Other ways to run gepa, without a limit: examples to a reflection, parents x mutations."""


def episodes(runs: Runs) -> Iterator[Row]:
    """Yield what a no-op episode costs beside its coroutine, in CPU time."""
    found = runs.own("costs", COUNT)
    bare = found["bare"]
    for name, what in (
        ("evaluate", "evaluate"),
        ("train", "train, store in memory"),
        ("kept", "train, store on disk"),
    ):
        row = at_most(f"no-op episode, 1,000 at once, {what}", found[name] - bare, OVERHEAD, "µs")
        yield replace(row, other=bare)


def waiting(runs: Runs, quick: bool) -> Iterator[Row]:
    """Yield the rate of 500 episodes at once that wait 100 ms each."""
    found = runs.own("waiting", 10_000 if quick else 30_000)
    what = "rate of 500 episodes at once"
    yield at_least(f"{what}, train / what the waits alone allow", found["kept"], SHARE)
    yield value(f"{what}, evaluate / the waits alone", found["evaluate"], "%")
    yield value("plain coroutines that wait / the waits alone", found["bare"], "%")


def memory(runs: Runs) -> Iterator[Row]:
    """Yield what 10,000 finished episodes hold."""
    found = runs.own("memory", 10_000)
    yield at_most("held of an episode, from 2,000 to 10,000", found["each"], LEFT, "B")


def cancelling(runs: Runs) -> Iterator[Row]:
    """Yield how long a run with 1,000 episodes takes to end when it is cancelled."""
    found = runs.own("cancelling", 1_000)
    yield at_most("cancelling a run of 1,000 running episodes", found["seconds"], CANCELLED, "s")
    yield value("the same, CPU time", found["cpu"])
    yield at_most("tasks that are left then", found["tasks"], 0)


def lightning(runs: Runs, python: Path | None) -> Iterator[Row]:
    """Yield what a no-op rollout of agentlightning's runner costs, both in memory, CPU time."""
    ours = runs.own("costs", COUNT)["train"]
    peer = None if python is None else runs.rollouts(python, 1_000)["cpu"]
    yield less("no-op episode, store in memory", ours, peer, 5, "µs")


def gepa(runs: Runs, python: Path | None, seeds: int) -> Iterator[Row]:
    """Yield wall times and final scores of the same training by both, means over the seeds."""
    for seconds, limit in FASTER.items():
        ours: list[Measured] = []
        peers: list[Measured] = []
        for seed in range(1, seeds + 1):  # in turns, so that both see the same machine
            ours.append(runs.trained(seconds, seed))
            if python is not None:
                peers.append(runs.gepa(python, seconds, seed, 3, "1x1"))
        own, label = means(ours), f"model of {seconds:g} s"
        peer: dict[str, float | None] = dict.fromkeys(own)
        if peers:
            peer.update(means(peers))
        yield less(f"training, {label}", own["wall"], peer["wall"], limit)
        yield _score(f"final score, {label}", own["score"], peer["score"])
        yield Row(f"episodes of 150, {label}", own["episodes"], "", other=peer["episodes"])
        if python is not None:
            yield from _other_ways(runs, python, seconds, seeds, own)


def _score(what: str, ours: float, peer: float | None) -> Row:
    met = None if peer is None else ours >= peer
    return Row(what, ours, "", "≥ peer's", met, peer)


def _other_ways(
    runs: Runs, python: Path, seconds: float, seeds: int, own: Measured
) -> Iterator[Row]:
    for minibatch, shape in OTHERS:
        found = [runs.gepa(python, seconds, s, minibatch, shape) for s in range(1, seeds + 1)]
        peer = means(found)
        what = f"gepa {shape}, {minibatch} examples, model of {seconds:g} s"
        yield replace(less(f"against {what}", own["wall"], peer["wall"], 1), limit="", met=None)
        yield Row("  its final score", own["score"], "", other=peer["score"])
