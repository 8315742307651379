"""What spans cost on their way to DAGs, beside agentlightning 0.3.0: `python benchmarks/spans.py`.

Every ratio is of programs that ran in turns in one process or, with agentlightning, one after the
other. Times are CPU time. Ends with status 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.costs.table import Section, tell
from benchmarks.spancosts import limits
from benchmarks.spancosts.runs import LIGHTNING, Runs


def sections(runs: Runs, *, quick: bool) -> dict[str, Section]:
    """Return the groups of rows by name; the quick ones stop at smaller sizes."""
    sizes = (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 100_000)
    return {
        "growth": Section("Conversion (exponents)", lambda: limits.growth(runs, sizes)),
        "conversation": Section("One long conversation", lambda: limits.conversation(runs, quick)),
        "rate": Section("Rate, and against protobuf", lambda: limits.rates(runs, quick)),
        "live": Section("The live processor", lambda: limits.live(runs)),
        "memory": Section("Memory of a stream", lambda: limits.memory(runs, quick)),
        "peer": Section(f"Against {LIGHTNING.package}", lambda: limits.peer(runs, sizes[:3])),
    }


def options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description="What spans cost on their way to DAGs.")
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", action="append", help="a group of rows; may be repeated")
    parser.add_argument("--no-peer", action="store_true", help="compare with nothing")
    parser.add_argument("--forget-peer", action="store_true", help="remove its environment")
    parser.add_argument("--timeout", type=float, default=60, help="seconds of one run")
    return parser.parse_args()


def main() -> int:
    """Print the table; return 1 where a limit is missed."""
    given = options()
    if given.forget_peer:
        LIGHTNING.forget()
        return 0
    asked = not given.no_peer and "peer" in (given.only or ("peer",))
    groups = sections(Runs(LIGHTNING.python() if asked else None, given.timeout), quick=given.quick)
    return tell(groups, given.only, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
