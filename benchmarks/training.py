"""What training costs, beside gepa and agentlightning: `python benchmarks/training.py`.

No-op and waiting episodes, memory, cancellation; a whole training of the same agent by gepa
(wall time, with the same stand-in for its reflecting model), and a no-op rollout by
agentlightning's runner. The peers get environments of their own, kept in the user's cache
folder. Ends with status 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.costs.table import Section, tell
from benchmarks.spancosts.runs import LIGHTNING
from benchmarks.trainingcosts import limits
from benchmarks.trainingcosts.runs import GEPA, Runs

SEEDS = 20


def sections(runs: Runs, asked: argparse.Namespace) -> dict[str, Section]:
    """Return the groups of rows by name; the quick ones use fewer seeds and episodes."""
    seeds = 3 if asked.quick else SEEDS
    peers = not asked.no_peer
    return {
        "episodes": Section("No-op episodes", lambda: limits.episodes(runs)),
        "waiting": Section("Episodes that wait 0.1 s", lambda: limits.waiting(runs, asked.quick)),
        "memory": Section("Memory", lambda: limits.memory(runs)),
        "cancelling": Section("Cancellation", lambda: limits.cancelling(runs)),
        "lightning": Section(
            f"Against {LIGHTNING.package}",
            lambda: limits.lightning(runs, LIGHTNING.python() if peers else None),
        ),
        "gepa": Section(
            f"Against {GEPA.package}, {seeds} seeds",
            lambda: limits.gepa(runs, GEPA.python() if peers else None, seeds),
        ),
    }


def options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description="What training costs, beside two peers.")
    parser.add_argument("--quick", action="store_true", help="fewer seeds and episodes")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", action="append", help="a group of rows; may be repeated")
    parser.add_argument("--no-peer", action="store_true", help="compare with nothing")
    parser.add_argument("--forget-peer", action="store_true", help="remove gepa's environment")
    parser.add_argument("--timeout", type=float, default=120, help="seconds of one run")
    return parser.parse_args()


def main() -> int:
    """Print the table; return 1 where a limit is missed."""
    given = options()
    if given.forget_peer:
        GEPA.forget()
        return 0
    return tell(sections(Runs(given.timeout), given), given.only, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
