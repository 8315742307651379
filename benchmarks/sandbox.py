"""What a call costs in each sandbox, beside a native call: `python benchmarks/sandbox.py`.

`--attacks` prints instead, as the table of docs/sandbox.md, which attacks are contained.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from benchmarks.costs.rows import Row
from benchmarks.costs.table import Section, tell
from tests.core.sandbox_attacks import ATTACKS, effects
from trace_agents import SandboxError
from trace_agents.errors import ExtraNotInstalled
from trace_agents.sandbox import (
    DockerSandbox,
    Job,
    MontySandbox,
    ProcessSandbox,
    Sandbox,
    UnsafeSandbox,
    call,
)

GRADE = "def grade(points):\n    return 'pass' if points > 10 else 'fail'"
TOTAL = "def total(numbers):\n    return sum(numbers)"
ASK = "def ask(x):\n    return double(x)"
LOOP = "def loop(n):\n    at = 0\n    for i in range(n):\n        at += i % 7\n    return at"
ROUNDS = 5


def double(x: int) -> int:
    """Return twice `x`; what sandboxed code asks of its host."""
    return x * 2


JOBS = (
    ("one small argument", Job(GRADE, "grade", (12,))),
    ("a list of 1,000 numbers", Job(TOTAL, "total", (list(range(1_000)),))),
    ("one call of a host's function", Job(ASK, "ask", (2,), callees={"double": double})),
    ("a loop of 100,000 turns", Job(LOOP, "loop", (100_000,))),
)
BOXES: Sequence[tuple[str, Callable[[], Sandbox], int]] = (
    ("monty", MontySandbox, 100),
    ("process", ProcessSandbox, 20),
    ("docker", DockerSandbox, 3),
)
"""Each sandbox, and how many calls are one measurement."""


def seconds(run: Callable[[], object], calls: int) -> float:
    """Return the median over several rounds of the seconds of one call."""
    rounds: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(calls):
            run()
        rounds.append((time.perf_counter() - began) / calls)
    return statistics.median(rounds)


def rows(name: str, make: Callable[[], Sandbox], calls: int) -> Iterator[Row]:
    """Yield the first call and the later ones, each beside the native call."""
    box = make()
    began = time.perf_counter()
    try:
        call(box, JOBS[0][1])
    except (ExtraNotInstalled, SandboxError) as error:
        print(f"{name}: {str(error).splitlines()[0][:150]}", file=sys.stderr)
        return
    yield Row(f"{name}: the first call, which starts it", time.perf_counter() - began)
    for what, job in JOBS:
        if name == "docker" and job.callees:
            continue
        native = UnsafeSandbox(dict(job.callees)).compiled(job.source, job.name)
        bare = seconds(partial(native, *job.args), 1_000 if job.name != "loop" else 5)
        ours = seconds(partial(call, box, job), calls)
        yield Row(f"{name}: {what}", ours, "µs", other=bare, ratio=f"{ours / bare:,.0f}x")


def attacks() -> None:
    """Print which attacks have no effect in which sandbox."""
    boxes: Sequence[Sandbox] = (
        MontySandbox(seconds=1, memory=32_000_000),
        ProcessSandbox(seconds=1),
    )
    print("| kind | attack | `monty` | `process` |\n|---|---|---|---|")
    held = [0, 0]
    for attack in ATTACKS:
        words: list[str] = []
        for place, box in enumerate(boxes):
            contained = not effects(box, attack)
            held[place] += contained
            words.append("yes" if contained else "no")
        print(f"| {attack.kind} | {attack.name} | {' | '.join(words)} |", flush=True)
    print(f"\nContained of {len(ATTACKS)}: {held[0]} in `monty`, {held[1]} in `process`.")


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description="What a call costs in each sandbox.")
    parser.add_argument("--attacks", action="store_true", help="which attacks are contained")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", action="append", help="a sandbox; may be repeated")
    given = parser.parse_args()
    if given.attacks:
        attacks()
        return 0
    groups = {
        name: Section(f"{name} (compared: native)", partial(rows, name, make, calls))
        for name, make, calls in BOXES
    }
    return tell(groups, given.only, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
