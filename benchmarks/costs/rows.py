"""One line of the table: what was measured, what it is compared with, and whether it is enough."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Unit = Literal["s", "µs", "B", "MB", "%", "", "characters"]
_SCALE: dict[Unit, tuple[float, int]] = {
    "s": (1, 4),
    "µs": (1e6, 2),
    "B": (1, 0),
    "MB": (1e-6, 2),
    "%": (100, 1),
    "": (1, 2),
    "characters": (1, 0),
}
"""By what a value is multiplied to be shown, and the digits behind the point."""


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement. What could not be measured, or took too long, is NaN and misses its limit."""

    what: str
    ours: float
    unit: Unit = "s"
    limit: str = ""
    met: bool | None = None
    """None where there is no limit, or no peer to compare with."""
    other: float | None = None
    """The same of the peer, or of whatever else `what` names."""
    ratio: str = ""

    def __str__(self) -> str:
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        other = "" if self.other is None else _shown(self.other, self.unit)
        ours = _shown(self.ours, self.unit)
        return _columns(self.what, ours, other, self.ratio, self.limit, verdict)


def heading(title: str) -> str:
    """Return the line above a group of rows."""
    return "\n" + _columns(title, "ours", "compared", "ratio", "limit", "")


def value(what: str, ours: float, unit: Unit = "s") -> Row:
    """Return a row without a limit."""
    return Row(what, ours, unit)


def at_most(what: str, ours: float, limit: float, unit: Unit = "") -> Row:
    """Return a row that is met up to `limit`."""
    return Row(what, ours, unit, f"≤ {_shown(limit, unit)}", ours <= limit)


def at_least(what: str, ours: float, limit: float, unit: Unit = "%") -> Row:
    """Return a row that is met from `limit` on."""
    return Row(what, ours, unit, f"≥ {_shown(limit, unit)}", ours >= limit)


def times_of(what: str, ours: float, other: float, limit: float) -> Row:
    """Return a row that is met where ours is at most `limit` times the other."""
    ratio = ours / other
    return Row(what, ours, "s", f"≤ {limit:g}x", ratio <= limit, other, f"{ratio:.2f}x")


def less(what: str, ours: float, peer: float | None, limit: float, unit: Unit = "s") -> Row:
    """Return a row that is met where ours is at least `limit` times less than the peer's."""
    sign = f"≥ {limit:g}x less"
    if math.isnan(ours):
        return Row(what, ours, unit, sign, met=False, other=peer)
    if peer is None:
        return Row(what, ours, unit, sign)
    if math.isnan(peer):  # it failed or took too long: nothing to hold against us, nor for us
        return Row(what, ours, unit, sign, None, peer)
    ratio = peer / ours if ours else math.inf
    return Row(what, ours, unit, sign, ratio >= limit, peer, f"{ratio:,.1f}x less")


def grows(what: str, times: Mapping[int, float], limit: float) -> Row:
    """Return a row with the exponent between the smallest and the largest size.

    It is missed where the largest did not finish; the exponent is then that of those that did.
    """
    finished = [size for size, time in times.items() if not math.isnan(time)]
    if len(finished) < 2:
        return at_most(what, math.nan, limit)
    small, large = finished[0], finished[-1]
    found = math.log(times[large] / times[small]) / math.log(large / small)
    row = at_most(f"{what}, {small:,} to {large:,}", found, limit)
    return row if large == max(times) else replace(row, met=False)


def missed(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that are not met."""
    return [row for row in rows if row.met is False]


def _shown(number: float, unit: Unit) -> str:
    if math.isnan(number):
        return "none"
    factor, digits = _SCALE[unit]
    return f"{number * factor:,.{digits}f} {unit}".strip()


def _columns(what: str, *cells: str) -> str:
    widths = (16, 16, 14, 16, 8)
    return f"{what:66}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
    )
