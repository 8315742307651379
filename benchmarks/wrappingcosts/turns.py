"""What a turn of a wrapped agent costs beside the same agent bare, and what it leaves behind."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.costs.rows import Row, at_most, times_of, value
from benchmarks.costs.runs import ROOT, Measured

LIMIT = 2.0
"""How many times its own cost an agent may cost when it is wrapped and recorded."""
LEFT = 100
"""Bytes that an episode may leave behind, wave after wave; its recording is a thousand times it."""
OBJECTS = 10
"""Objects that all waves together may leave behind."""

_NAMES: Mapping[str, str] = {
    "team": "AutoGen team",
    "agent": "LangChain agent",
    "tool": "LangChain agent with a tool",
}


@dataclass(frozen=True, slots=True)
class Programs:
    """Runs the programs, each in a process of its own."""

    episodes: int
    """Episodes at once."""
    rounds: int
    """How often each side of a comparison runs, in turns; the median counts."""
    timeout: float
    """Seconds that one run may take."""

    def run(self, program: str, what: str, how: str) -> Measured:
        """Return what one run printed; nothing where it failed or took too long."""
        script = str(ROOT / "benchmarks" / "wrappingcosts" / "ops.py")
        command = [sys.executable, script, program, what, how, str(self.episodes)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=self.timeout, check=True
            )
        except subprocess.TimeoutExpired:
            return _nothing(f"{program} {what} {how}: stopped after {self.timeout:g} s")
        except subprocess.CalledProcessError as error:
            reason = (error.stderr or str(error)).strip().splitlines()[-1]
            return _nothing(f"{program} {what} {how}: {reason}")
        return Measured(json.loads(done.stdout.splitlines()[-1]))

    def turns(self, what: str, ways: Sequence[str]) -> dict[str, float]:
        """Return the median CPU time of a turn in each way, measured in turns."""
        found: dict[str, list[float]] = {how: [] for how in ways}
        for _ in range(self.rounds):
            for how in ways:
                measured = self.run("time", what, how)
                found[how].append(measured["episode"] / measured["turns"])
        return {how: _median(times) for how, times in found.items()}


def autogen_rows(programs: Programs) -> Iterator[Row]:
    """Yield a turn of a team, compared with one whose spans somebody else collects."""
    times = programs.turns("team", ("bare", "traced", "wrapped", "unrecorded"))
    name = f"turn, {_NAMES['team']}"
    yield value(f"{name}, bare, no tracing", times["bare"], "µs")
    yield value(f"{name}, bare, its own tracing on", times["traced"], "µs")
    yield _times(f"{name}, recorded / its own tracing on", times["wrapped"], times["traced"])
    yield _aside(f"{name}, recorded / no tracing", times["wrapped"], times["bare"])
    yield _aside(f"{name}, wrapped, not recorded / no tracing", times["unrecorded"], times["bare"])
    copied = replace(programs, rounds=1).turns("copied", ("wrapped",))["wrapped"]
    yield _aside(f"{name}, recorded, copied / built", copied, times["wrapped"])
    yield value("graph of an episode", programs.run("graph", "team", "wrapped")["graph"], "µs")


def langchain_rows(programs: Programs) -> Iterator[Row]:
    """Yield a run of an agent, compared with the same agent bare."""
    for what in ("agent", "tool"):
        times = programs.turns(what, ("bare", "wrapped", "unrecorded"))
        name = f"run, {_NAMES[what]}"
        yield _times(f"{name}, recorded / bare", times["wrapped"], times["bare"])
        yield _aside(f"{name}, not recorded / bare", times["unrecorded"], times["bare"])
        found = programs.run("graph", what, "wrapped")["graph"]
        yield value(f"graph of a {name}", found, "µs")


def memory_rows(programs: Programs) -> Iterator[Row]:
    """Yield what is left behind, wave after wave."""
    for agents in ("team", "tool"):
        name = _NAMES[agents]
        bare, found = (programs.run("held", agents, how) for how in ("bare", "wrapped"))
        yield value(f"recording of an episode, {name}", found["recording"], "B")
        left = at_most(f"left behind by an episode, {name} / bare", found["bytes"], LEFT, "B")
        yield replace(left, other=bare["bytes"])
        what = f"objects left behind by all waves, {name} / bare"
        objects = at_most(what, found["objects"], OBJECTS)
        yield replace(objects, other=bare["objects"])


def _nothing(reason: str) -> Measured:
    print(reason, file=sys.stderr, flush=True)
    return Measured()


def _median(times: Sequence[float]) -> float:
    """Return the median; NaN where a run failed, so that its limit is missed."""
    return math.nan if any(map(math.isnan, times)) else statistics.median(times)


def _times(what: str, ours: float, other: float) -> Row:
    return replace(times_of(what, ours, other, LIMIT), unit="µs")


def _aside(what: str, ours: float, other: float) -> Row:
    return replace(_times(what, ours, other), limit="", met=None)
