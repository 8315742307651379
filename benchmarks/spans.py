"""What spans cost on their way to DAGs, beside agentlightning 0.3.0: `python benchmarks/spans.py`.

Every ratio is of programs that ran in turns in one process or, with agentlightning, one after the
other. Times are CPU time. Ends with status 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from benchmarks.costs.rows import Row, heading, missed
from benchmarks.spancosts import limits
from benchmarks.spancosts.runs import PEER, Runs, cache, peer_python


@dataclass(frozen=True, slots=True)
class Section:
    """A group of rows."""

    title: str
    rows: Callable[[], Iterator[Row]]


def sections(runs: Runs, *, quick: bool) -> dict[str, Section]:
    """Return the groups of rows by name; the quick ones stop at smaller sizes."""
    sizes = (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 100_000)
    return {
        "growth": Section("Conversion (exponents)", lambda: limits.growth(runs, sizes)),
        "conversation": Section("One long conversation", lambda: limits.conversation(runs, quick)),
        "rate": Section("Rate, and against protobuf", lambda: limits.rates(runs, quick)),
        "live": Section("The live processor", lambda: limits.live(runs)),
        "memory": Section("Memory of a stream", lambda: limits.memory(runs, quick)),
        "peer": Section(f"Against {PEER}", lambda: limits.peer(runs, sizes[:3])),
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
        shutil.rmtree(cache(), ignore_errors=True)
        return 0
    wanted = given.only or list(sections(Runs(None, given.timeout), quick=given.quick))
    asked = "peer" in wanted and not given.no_peer
    groups = sections(Runs(peer_python() if asked else None, given.timeout), quick=given.quick)
    if unknown := set(wanted) - set(groups):
        sys.exit(f"no group {min(unknown)!r}; there are {', '.join(groups)}")
    rows: list[Row] = []
    for name in wanted:
        rows += printed(groups[name], silent=given.json)
    if given.json:
        # what is not a number is null
        told = [asdict(row) for row in rows]
        clean = [{k: None if v != v else v for k, v in row.items()} for row in told]
        print(json.dumps(clean, indent=1))
    else:
        print(f"\n{len(missed(rows))} missed of {sum(row.met is not None for row in rows)} limits")
    return 1 if missed(rows) else 0


def printed(section: Section, *, silent: bool) -> Iterator[Row]:
    """Yield a section's rows and print each as soon as it is there."""
    if not silent:
        print(heading(section.title), flush=True)
    for row in section.rows():
        if not silent:
            print(row, flush=True)
        yield row


if __name__ == "__main__":
    sys.exit(main())
