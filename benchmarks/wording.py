"""How many OptoPrime steps of a small model help, by the wording of its prompt.

`python benchmarks/wording.py` asks `qwen2.5-coder-1.5b` on the loopback (a download of 1.1 GB at
the first call; then twenty minutes and more, at one thread) for one step on each of twenty small
problems, once in the standard wording and once in the short one. A step counts if the value is
better afterwards, by a check that the model does not see. `TEST_LLM_URL` and `TEST_LLM_MODEL` name
another server and model.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import anyio

from benchmarks.costs.rows import Row
from benchmarks.costs.table import Section, tell
from benchmarks.wordings.problems import Problem
from benchmarks.wordings.sets import JUDGING, PRACTICE
from tests.llm.fetching import Gone
from tests.llm.local import Place, place
from trace_agents import ModelError
from trace_agents.graph import dump
from trace_agents.llm import Model, as_model
from trace_agents.optimizers import OptoPrime
from trace_agents.optimizers.wording import Style

MODEL = "qwen2.5-coder-1.5b"
STYLES: tuple[Style, ...] = ("standard", "small")


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one step."""

    better: bool
    seconds: float
    said: str
    """The new value, or why there is none."""


async def step(problem: Problem, model: Model, style: Style) -> Step:
    """Return what one step made of a problem."""
    posed = problem.pose()
    before, began = posed.score(), time.monotonic()
    optimizer = OptoPrime([posed.parameter], llm=model, style=style)
    optimizer.backward(posed.output, posed.feedback)
    try:
        proposal = await optimizer.step()
    except ModelError as error:
        return Step(False, time.monotonic() - began, str(error))
    took = time.monotonic() - began
    said = dump(posed.parameter.data) if proposal.changes else "; ".join(proposal.problems)
    return Step(posed.score() > before, took, said or "no change")


def rows(
    problems: Sequence[Problem], model: Model, style: Style, *, verbose: bool
) -> Iterator[Row]:
    """Yield a row for each problem, and the count."""
    steps: list[Step] = []
    for problem in problems:
        steps.append(anyio.run(step, problem, model, style))
        yield Row(problem.name, float(steps[-1].better), "")
        if verbose:
            print("    " + steps[-1].said.replace("\n", "\n    "), flush=True)
    helped = sum(each.better for each in steps)
    yield Row(f"{style}: steps that helped, of {len(steps)}", helped, "")
    yield Row(f"{style}: seconds a step", sum(each.seconds for each in steps) / len(steps), "s")


def sections(where: Place, told: argparse.Namespace) -> dict[str, Section]:
    """Return a group of rows for each wording."""
    model = as_model(
        where.litellm_name, base_url=where.url, api_key=where.key, temperature=0, timeout=600
    )
    problems = PRACTICE if told.practice else JUDGING
    return {
        style: Section(
            f"{where.model}, {style} wording (1: the value is better)",
            lambda style=style: rows(problems, model, style, verbose=told.verbose),  # type: ignore[misc]
        )
        for style in STYLES
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=STYLES, nargs="*", help="these wordings")
    parser.add_argument("--practice", action="store_true", help="ten problems of their own")
    parser.add_argument("--verbose", action="store_true", help="print the new values")
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    os.environ.setdefault("TEST_LLM_MODEL", MODEL)
    try:
        with place() as where:
            sys.exit(tell(sections(where, told), told.only, as_json=told.json))
    except Gone as error:
        sys.exit(f"nothing was measured: {error}")


if __name__ == "__main__":
    main()
