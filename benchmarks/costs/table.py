"""Groups of rows on the screen: the end of every benchmark's command."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.costs.rows import Row, heading, missed


@dataclass(frozen=True, slots=True)
class Section:
    """A group of rows."""

    title: str
    rows: Callable[[], Iterator[Row]]


def tell(groups: Mapping[str, Section], only: Sequence[str] | None, *, as_json: bool) -> int:
    """Print the groups, or those of these names; return 1 where a limit is missed."""
    if unknown := set(only or ()) - set(groups):
        sys.exit(f"no group {min(unknown)!r}; there are {', '.join(groups)}")
    rows: list[Row] = []
    for name in only or groups:
        rows += _printed(groups[name], silent=as_json)
    if as_json:
        print(json.dumps([_plain(row) for row in rows], indent=1))
    else:
        print(f"\n{len(missed(rows))} missed of {sum(row.met is not None for row in rows)} limits")
    return 1 if missed(rows) else 0


def _printed(section: Section, *, silent: bool) -> Iterator[Row]:
    """Yield a section's rows and print each as soon as it is there."""
    if not silent:
        print(heading(section.title), flush=True)
    for row in section.rows():
        if not silent:
            print(row, flush=True)
        yield row


def _plain(row: Row) -> dict[str, object]:
    """Return a row as JSON data; what is not a number is null."""
    return {
        name: None if isinstance(item, float) and not math.isfinite(item) else item
        for name, item in asdict(row).items()
    }
