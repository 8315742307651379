"""What the core costs, beside Trace 0.1.3.8 in the same run: `python benchmarks/core.py`.

Both run the same programs in processes of their own, in turns; times are CPU time and medians,
unless a row says otherwise. Trace gets an environment of its own, kept in the user's cache folder:
without a package index only our own figures are printed. Ends with status 1 where a limit is
missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.costs import compared, growth, weight
from benchmarks.costs.runs import TRACE, Runner
from benchmarks.costs.table import Section, tell

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def sections(runner: Runner, *, quick: bool, install: bool) -> dict[str, Section]:
    """Return the groups of rows by name; the quick ones stop at smaller sizes."""
    sizes = SIZES[:-1] if quick else SIZES
    peer = TRACE.package
    found = {
        "graphs": Section(f"Graphs, against {peer}", lambda: compared.graph_rows(runner, quick)),
        "calls": Section(f"Calls, against {peer}", lambda: compared.call_rows(runner)),
        "memory": Section(f"Memory, against {peer}", lambda: compared.memory_rows(runner)),
        "prompt": Section(f"Prompt, against {peer}", lambda: compared.prompt_rows(runner, quick)),
        "episodes": Section("Episodes at once", lambda: compared.episode_rows(runner, quick)),
        "import": Section("Import", weight.import_rows),
        "prompts": Section("Growth of prompts", lambda: growth.prompt_rows(runner, sizes[:3])),
        "plain": Section(
            "Growth on plain graphs (exponents)", lambda: growth.plain_rows(runner, sizes)
        ),
        "growth": Section(
            "Growth on nodes (exponents)", lambda: growth.backward_rows(runner, sizes)
        ),
    }
    if install:
        found["install"] = Section("Install", weight.install_rows)
    return found


def options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description="What the core costs, beside Trace.")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--install", action="store_true", help="measure the base install too; slow")
    parser.add_argument("--only", action="append", help="a group of rows; may be repeated")
    parser.add_argument("--no-peer", action="store_true", help="compare with nothing")
    parser.add_argument("--forget-peer", action="store_true", help="remove Trace's environment")
    parser.add_argument("--timeout", type=float, default=180, help="seconds of one run")
    return parser.parse_args()


def main() -> int:
    """Print the table; return 1 where a limit is missed."""
    given = options()
    if given.forget_peer:
        TRACE.forget()
        return 0
    peer = None if given.no_peer else TRACE.python()
    runner = Runner(peer, 2 if given.quick else 3, given.timeout)
    groups = sections(runner, quick=given.quick, install=given.install)
    return tell(groups, given.only, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
