"""Whether a run survives everything at once, for a while: `python benchmarks/soak.py`.

Runs train, one after the other, on SQLite and on PostgreSQL (where its server is installed), in
processes of their own to which things happen at random: they are killed, their workers are
killed in the middle of episodes, the database breaks their connections, crashes or is locked, the
disk fills, the clock jumps. After every life the log must say what the tables say, and whatever
was acknowledged must be there; a run that is complete must lack nothing, and one that is
deterministic must have learnt what it would have learnt in peace. Ends with status 1 if not.
`--only Ray` runs the episodes on a Ray cluster of two workers instead, with SQLite.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from itertools import count

from benchmarks.costs.rows import Row, at_most, value
from benchmarks.costs.table import Section, tell
from benchmarks.soaking.campaign import Campaign, Figures
from benchmarks.soaking.ground import Ground, grounds

HAPPENED = (
    "trainers killed",
    "workers killed",
    "connections broken",
    "servers crashed",
    "locks held",
    "disks filled",
    "clock jumps",
    "ended by a StoreError",
)
DONE = ("lives", "resumed", "runs", "episodes", "decisions", "versions", "acknowledged")
CHECKED = ("comparisons of log and store", "curves compared")
NEVER = (
    "acknowledged and lost",
    "fold(log) is not the store",
    "episodes that failed",
    "incomplete runs",
    "other curves",
    "unexplained ends",
    "hung",
)


def soaked(minutes: float, seed: int, only: str | None) -> Figures:
    """Run for so many minutes, and then until the run that is under way is complete."""
    figures, end = Figures(), time.monotonic() + 60 * minutes
    with grounds(only) as places:
        if not places:
            sys.exit("there is no database to run on")
        for number in count():
            if time.monotonic() > end:
                break
            _run(places[number % len(places)], seed + number, number, figures, end)
    return figures


def _run(ground: Ground, seed: int, number: int, figures: Figures, end: float) -> None:
    draw = random.Random(f"soak/{seed}")
    campaign = Campaign(ground, seed, figures, lambda: time.monotonic() < end, draw)
    # of two runs on the same database one is deterministic
    campaign.fight(deterministic=number // 2 % 2 == 0)
    print(f"{number + 1} runs, the last on {ground.name}", file=sys.stderr, flush=True)


def rows(figures: Figures) -> Iterator[Row]:
    """Yield what happened, and what must not."""
    for name in (*HAPPENED, *DONE, *CHECKED):
        yield value(name, figures.counted[name], "")
    for name in NEVER:
        yield at_most(name, len(figures.problems.get(name, ())), 0)


def main() -> int:
    """Print the figures; return 1 where something was lost."""
    parser = argparse.ArgumentParser(description="Whether runs survive everything at once.")
    parser.add_argument("--minutes", type=float, default=20, help="how long things happen")
    parser.add_argument("--seed", type=int, default=1, help="of what happens when")
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL", "Ray"), help="one of them")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    given = parser.parse_args()

    def found() -> Iterator[Row]:
        yield from rows(soaked(given.minutes, given.seed, given.only))

    title = f"A soak of {given.minutes:g} minutes, seed {given.seed}"
    return tell({"soak": Section(title, found)}, None, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
