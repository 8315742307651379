"""What wrapping costs: `python benchmarks/wrapping.py`.

A team of AutoGen and an agent of LangChain, with models that cost nothing, run in waves of
episodes at once: bare, with the tracing that they have themselves, wrapped and recorded, wrapped
and not recorded. Each way runs in processes of its own, in turns; times are CPU time and medians.
Ends with status 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.costs.table import Section, tell
from benchmarks.wrappingcosts import turns

EPISODES = 500
"""Episodes at once."""


def sections(programs: turns.Programs) -> dict[str, Section]:
    """Return the groups of rows by name."""
    title = f"{programs.episodes} episodes at once"
    return {
        "autogen": Section(f"AutoGen, {title}", lambda: turns.autogen_rows(programs)),
        "langchain": Section(f"LangChain, {title}", lambda: turns.langchain_rows(programs)),
        "memory": Section(f"Memory, {title}", lambda: turns.memory_rows(programs)),
    }


def options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description="What wrapping an agent costs.")
    parser.add_argument("--quick", action="store_true", help="fewer episodes, fewer rounds")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", action="append", help="a group of rows; may be repeated")
    parser.add_argument("--timeout", type=float, default=300, help="seconds of one run")
    return parser.parse_args()


def main() -> int:
    """Print the table; return 1 where a limit is missed."""
    given = options()
    episodes, rounds = (EPISODES // 5, 1) if given.quick else (EPISODES, 3)
    groups = sections(turns.Programs(episodes, rounds, given.timeout))
    return tell(groups, given.only, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
