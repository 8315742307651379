"""What grows how, as rows of the table."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.costs.peer import say
from benchmarks.costs.rows import Row, at_most, grows, value
from benchmarks.costs.runs import Measured
from benchmarks.scalingcosts.runs import Runs
from tests.core.postgres_server import binaries, running

EXPONENT = 1.1
FLAT = 200.0
"""Bytes of the head process that an episode may leave behind."""
SETTLED = 10_000
"""Episodes after which a process holds what it needs however long it runs."""
PROMPT = 25_000
"""Characters of one question of an optimizer that reads a batch at once."""
BATCHES = (1, 8, 64, 256)
AGENTS = {
    "household": "household: two agents, 250 steps at most",
    "autogen": "an AutoGen team of two, who speak once",
    "langchain": "a LangChain agent with one tool call",
}


def memory(runs: Runs, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield what an episode takes where nothing outlives the run: its store is in memory."""
    yield from _grown(runs, dict.fromkeys(sizes, ""))


def sqlite(runs: Runs, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield size and rate of a file, and what opening and resuming take."""
    with tempfile.TemporaryDirectory(prefix="scaling") as folder:
        yield from _grown(runs, {n: f"sqlite:///{folder}/{n}.db" for n in sizes})


def postgresql(runs: Runs, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield the same of a database on a server of its own, which waits for its disk."""
    programs = binaries()
    if programs is None:
        say("no PostgreSQL server is installed here")
        return
    with running(programs, fsync=True) as server:
        yield from _grown(runs, {n: server.url() for n in sizes})


def _grown(runs: Runs, places: Mapping[int, str]) -> Iterator[Row]:
    found: dict[int, Measured] = {}
    for size, place in places.items():
        each = found[size] = runs("stores.py", "grow", place, size)
        yield value(f"{size:,} episodes: wall time of each", each["wall"], "µs")
        yield value(f"{size:,} episodes: CPU of the trainer for each", each["cpu"], "µs")
        if place:
            yield from _kept(runs, size, place, each)
    if len(found) > 1:
        yield grows("CPU", {n: m["cpu"] * n for n, m in found.items()}, EXPONENT)
        before, after = sorted(found)[-2:]
        left = (found[after]["held"] - found[before]["held"]) / (after - before)
        what = f"memory that each leaves in the trainer, {before:,} to {after:,}"
        # a store in memory grows there, and a short run grows by what it needs at all
        flat = at_most(what, left, FLAT, "B")
        yield flat if places[after] and after >= SETTLED else value(what, left, "B")


def _kept(runs: Runs, size: int, place: str, grown: Measured) -> Iterator[Row]:
    yield value(f"{size:,} episodes: bytes of each in the database", grown["bytes"], "B")
    yield value(f"{size:,} episodes: memory of the trainer at most", grown["held"], "MB")
    opened = runs("stores.py", "open", place, size)
    yield value(f"{size:,} episodes: opening the store", opened["open"])
    yield value(f"{size:,} episodes: fold(log) against the tables, CPU", opened["verify"])
    yield at_most(f"{size:,} episodes: where they differ", opened["problems"], 0)
    resumed = runs("stores.py", "resume", place, size)
    yield value(f"{size:,} episodes: resuming the run, CPU", resumed["cpu"])
    yield value(f"{size:,} episodes: memory of the resumed trainer at most", resumed["held"], "MB")


def spans(runs: Runs, count: int) -> Iterator[Row]:
    """Yield what an episode writes as OTLP/JSON, with all content."""
    for name, what in AGENTS.items():
        found = runs("spans.py", name, count)
        yield value(f"{what}: spans", found["spans"], "")
        yield value(f"{what}: OTLP/JSON", found["bytes"], "B")
        yield value(f"{what}: packed with gzip, {count} episodes together", found["packed"], "B")


def context(runs: Runs, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield how much an optimizer asks for a decision, by the episodes of its batch."""
    for name in ("OptoPrime", "OPRO", "GEPA", "TextGrad"):
        for size in sizes:
            found = runs("prompts.py", "household", name, size)
            what = f"{name}, {size} household episodes: the longest question"
            # where nothing was asked, nothing was measured
            yield at_most(what, found["longest"] or math.nan, PROMPT, "characters")
            if name == "TextGrad":
                yield value(f"{name}, {size} household episodes: questions", found["calls"], "")
