"""The rows: what is measured of spans, and what is enough."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.costs.rows import Row, at_most, grows, less, times_of, value
from benchmarks.costs.runs import Measured
from benchmarks.spancosts.runs import Runs

EXPONENT = 1.1
RATE = 50_000
"""Spans without content that are converted in a second."""
DICTS = 3.0
"""How often the protobuf of real spans may be read to dicts while they are converted."""
PROCESSOR = 5e-6
"""Seconds that capture may add to a span."""
FLAT = 0.1
"""By how much a stream's memory may grow while nine tenths of the episodes go by."""


def growth(runs: Runs, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield how the conversion grows on three shapes."""
    for shape, what in (
        ("wide", "one wide episode"),
        ("many", "episodes of five spans"),
        ("chain", "one chain of parents"),
    ):
        found = {size: runs.own(shape, size) for size in sizes}
        yield grows(what, {n: m["convert"] for n, m in found.items()}, EXPONENT)
        yield value(f"{what}, {max(sizes):,} spans", found[max(sizes)]["convert"])


def conversation(runs: Runs, quick: bool) -> Iterator[Row]:
    """Yield how a conversation that repeats its history grows with its text, which is quadratic."""
    sizes = (50, 100, 200) if quick else (100, 200, 400, 800)
    found = {size: runs.own("conversation", size) for size in sizes}
    by_text = {int(m["characters"]): m["convert"] for m in found.values() if m}
    yield grows("conversation by the characters of its prompts", by_text, EXPONENT)
    by_turns = grows("conversation by its turns", {n: m["convert"] for n, m in found.items()}, 2.2)
    yield replace(by_turns, limit="", met=None)
    yield value(f"conversation of {max(sizes):,} turns", found[max(sizes)]["convert"])


def rates(runs: Runs, quick: bool) -> Iterator[Row]:
    """Yield how many small spans a second are converted, and real ones against protobuf."""
    size = 2_000 if quick else 10_000
    for shape in ("small", "chain", "wide", "many"):
        found = runs.own(shape, size)
        rate = found["spans"] / found["convert"]
        limit, met = (f"≥ {RATE:,}", rate >= RATE) if shape in ("small", "chain") else ("", None)
        yield Row(f"spans a second, {_SMALL[shape]}", rate, "", limit, met)
    found = runs.own("protobuf", size // 2)
    what = f"real spans of {found['bytes'] / found['spans']:,.0f} bytes"
    yield times_of(f"{what} / protobuf to dicts", found["convert"], found["dicts"], DICTS)
    bare = times_of(f"{what} / our reader of protobuf", found["convert"], found["reader"], DICTS)
    yield replace(bare, limit="", met=None)


_SMALL = {
    "small": "model calls without content",
    "chain": "agents' runs in a chain",
    "wide": "calls of two short texts, one episode",
    "many": "calls of two short texts, episodes of five",
}


def live(runs: Runs) -> Iterator[Row]:
    """Yield what the processor adds to a span, and what the stamps alone do."""
    found = runs.own("processor", 1)
    added = found["with"] - found["without"]
    yield at_most("added to a span by the processor", added, PROCESSOR, "µs")
    yield value("of this the SDK's own two calls of set_attribute", found["stamps"], "µs")
    yield value("the same span without the processor", found["without"], "µs")


def memory(runs: Runs, quick: bool) -> Iterator[Row]:
    """Yield whether the memory of a stream stays where it is, episode after episode."""
    count = 2_000 if quick else 10_000
    found = runs.own("stream", count)
    what = f"held after {count:,} episodes, against a tenth of them"
    grown = found["late"] / found["early"] - 1
    yield replace(at_most(f"{what}: growth", grown, FLAT, "%"), other=math.nan)
    yield value("peak", found["peak"], "MB")
    yield value("spans and ids of spans that are held", found["held"], "")


def peer(runs: Runs, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield both on two shapes; where the peer has failed at a size, it runs no larger one."""
    if runs.peer is None:
        yield value("agentlightning is not installed: nothing to compare with", math.nan)
        return
    for shape, what in (("small", "flat"), ("chain", "a chain of parents")):
        failed = False
        for size in sizes:
            ours = runs.own(shape, size)["convert"]
            other = Measured() if failed else runs.other(shape, size)
            failed = not other
            yield replace(
                less(f"{what}, {size:,} spans", ours, other["convert"], 1), limit="", met=None
            )
