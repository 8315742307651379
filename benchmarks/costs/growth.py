"""How the costs grow with the size of the DAG, and how near `backward` is to a bare walk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from benchmarks.costs.rows import Row, at_most, grows, times_of, value
from benchmarks.costs.runs import Measured, Runner

EXPONENT = 1.1
WALKS = 3.0
"""How many bare walks over the same nodes `backward` may cost."""
ONCE = 1_000_000
"""From this size on a run is long enough to be measured once."""
BUDGET = 20_000
"""Characters of a prompt besides the variables, which are never shortened."""


def backward_rows(runner: Runner, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield how building and `backward` grow on nodes of three shapes.

    The bare walk grows too, by what memory that is no longer in the processor's cache costs.
    """
    for shape in ("chain", "fan", "layers"):
        found = sized(runner, f"grow {shape}", sizes)
        yield shown(f"build {shape}", {n: m["build"] * n for n, m in found.items()})
        yield grows(f"backward {shape}", {n: m["backward"] for n, m in found.items()}, EXPONENT)
        yield grows(
            f"backward {shape}, its graph read", {n: m["read"] for n, m in found.items()}, EXPONENT
        )
        yield shown(f"bare walk {shape}", {n: m["walk"] for n, m in found.items()})
        size, last = finished(found)
        yield times_of(
            f"backward {shape} of {size:,} / bare walk", last["backward"], last["walk"], WALKS
        )
        yield value(f"backward {shape} of {size:,}, its graph read", last["read"])


def plain_rows(runner: Runner, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield how `backward` grows on graphs that are plain data, beside a bare search.

    Both look ids up in tables that outgrow the processor's cache: neither is as linear as it is
    written.
    """
    for shape in ("chain", "layers"):
        found = sized(runner, f"plain {shape}", sizes)
        times = {n: m["backward"] for n, m in found.items()}
        yield shown(f"backward plain {shape}", times)
        yield shown(f"bare search {shape}", {n: m["walk"] for n, m in found.items()})
        size, last = finished(found)
        what = f"backward plain {shape} of {size:,} / bare search"
        yield times_of(what, last["backward"], last["walk"], WALKS)


def shown(what: str, times: Mapping[int, float]) -> Row:
    """Return a row with an exponent that nothing is asked of."""
    return replace(grows(what, times, EXPONENT), limit="", met=None)


def prompt_rows(runner: Runner, sizes: Sequence[int]) -> Iterator[Row]:
    """Yield how the prompt's time grows, and that its length does not."""
    for shape in ("chain", "fan", "layers"):
        found = sized(runner, f"prompt {shape}", sizes)
        yield grows(f"prompt {shape}", {n: m["prompt"] for n, m in found.items()}, EXPONENT)
        size, last = finished(found)
        what = f"prompt {shape} of {size:,}, besides the variables"
        yield at_most(what, last["characters"], BUDGET, "characters")


def sized(runner: Runner, program: str, sizes: Sequence[int]) -> dict[int, Measured]:
    """Return what a program measured at each size; after one that failed no larger one runs."""
    found = {size: Measured() for size in sizes}
    for size in sizes:
        found[size] = runner.own(program, size, 1 if size >= ONCE else 0)
        if not found[size]:
            break
    return found


def finished(found: dict[int, Measured]) -> tuple[int, Measured]:
    """Return the largest size that finished, and what it measured."""
    return max(((n, m) for n, m in found.items() if m), default=(min(found), Measured()))
