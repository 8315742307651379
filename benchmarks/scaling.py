"""What grows how with the number of episodes: `python benchmarks/scaling.py`.

The store on SQLite and PostgreSQL (where its server is installed; it waits for its disk), what
opening and resuming a large run takes, the spans of an episode, and what an optimizer asks. Ends
with status 1 where something grows faster than it should.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.costs.table import Section, tell
from benchmarks.scalingcosts import figures
from benchmarks.scalingcosts.runs import Runs

SIZES = (1_000, 10_000, 100_000)


def sections(runs: Runs, sizes: Sequence[int], *, quick: bool) -> dict[str, Section]:
    """Return the groups of rows by name; the quick ones stop at smaller sizes."""
    batches = figures.BATCHES[:3] if quick else figures.BATCHES
    return {
        "memory": Section("A store in memory", lambda: figures.memory(runs, sizes)),
        "sqlite": Section("SQLite", lambda: figures.sqlite(runs, sizes)),
        "postgresql": Section("PostgreSQL", lambda: figures.postgresql(runs, sizes)),
        "spans": Section("Spans of an episode", lambda: figures.spans(runs, 20)),
        "context": Section("What an optimizer asks", lambda: figures.context(runs, batches)),
    }


def main() -> int:
    """Print the table; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description="What grows how with the number of episodes.")
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", action="append", help="a group of rows; may be repeated")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of episodes")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds of one run")
    given = parser.parse_args()
    sizes = given.sizes or (SIZES[:2] if given.quick else SIZES)
    groups = sections(Runs(given.timeout), sizes, quick=given.quick)
    return tell(groups, given.only, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
