"""Evaluations that each optimizer needs, without a model: `python benchmarks/optimizers.py`.

Random search, optuna and the published gepa package run beside ours, from the same starts, where
they are installed. Stand-ins take the place of models, and read nothing but the prompt: what an
optimizer shows decides what they can do. Every problem has another optimum and another start for
each seed. Ends with status 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec

import anyio

from benchmarks.costs.rows import Row, at_most
from benchmarks.costs.table import Section, tell
from benchmarks.problems import plain, poisoned, solvers
from benchmarks.problems.problem import GOAL, Make
from benchmarks.problems.telling import TELLING
from benchmarks.problems.traffic import traffic

MOST = 60
"""Evaluations that a run may take; one that does not get there counts as more."""
POINTS_IN_5D = 0.10
SHARE = 0.2
"""Evaluations that who reads words may need, as a part of the best of those that see scores."""
PLAIN: Mapping[str, Make] = {
    "hidden minimum, 2-D": plain.minimum(2),
    "hidden minimum, 5-D": plain.minimum(5),
    "prompt slots": plain.slots,
    "agent with a trap": plain.agent(),
    "the same, noisy": plain.agent(plain.NOISE),
    "useless knobs": plain.knobs,
    "traffic light": traffic,
}
DRIFT = "drift"
POISONED = "poisoned proposer"
PROBLEMS: Mapping[str, Make] = {**PLAIN, **TELLING, DRIFT: plain.drift}


@dataclass(frozen=True, slots=True)
class Run:
    """What one solver did on one problem with one seed."""

    problem: str
    solver: str
    reached: float
    """Evaluations to the goal; after the move where the optimum moves."""
    best: float
    """What the best of the first evaluations is worth."""


def solve(job: tuple[str, str, int]) -> Run:
    """Return one run; it happens in a process of its own."""
    problem, solver, seed = job
    moves = problem == DRIFT
    log = solvers.Log.of(PROBLEMS[problem](seed), seed, 2 * MOST if moves else MOST)
    log.fill(solvers.EVERY[solver], seed)
    return Run(problem, solver, log.reached(MOST if moves else 0), log.best(MOST if moves else 0))


def poison(job: tuple[str, int]) -> poisoned.Outcome:
    """Return one run of the poisoned proposer."""
    how = {"gate": poisoned.trained, "none": poisoned.stepped}[job[0]]
    return anyio.run(how, job[1])


def solver_names(problem: str) -> list[str]:
    """Return the solvers of a problem, those of packages that are not installed left out."""
    names = [*solvers.PLAIN]
    if problem in TELLING:
        names += solvers.GUIDED
    names += solvers.FORGETFUL if problem == DRIFT else solvers.PACKAGE
    return [n for n in names if n not in ("optuna", "gepa package") or find_spec(n.split()[0])]


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs, by problem and solver."""

    of: Mapping[tuple[str, str], Sequence[Run]]

    def reached(self, problem: str, solver: str, part: float = 0.5) -> float:
        """Return the evaluations that a part of the seeds needs at most."""
        return quantile([run.reached for run in self.of[problem, solver]], part)

    def best(
        self, problem: str, solver: str, middle: Callable[[list[float]], float] = statistics.median
    ) -> float:
        """Return what the best of the first evaluations is worth, over the seeds."""
        return middle([run.best for run in self.of[problem, solver]])

    def table(self, title: str, cell: Callable[[str, str], str]) -> None:
        """Print one line for each problem, one column for each solver."""
        columns = list(dict.fromkeys(solver for _, solver in self.of))
        print(f"\n{title:24}" + "".join(f"{name[:17]:>18}" for name in columns))
        for problem in dict.fromkeys(problem for problem, _ in self.of):
            cells = (cell(problem, s) if (problem, s) in self.of else "" for s in columns)
            print(f"{problem:24}" + "".join(f"{text:>18}" for text in cells))


def quantile(numbers: Sequence[float], part: float) -> float:
    """Return the smallest of the numbers that `part` of them do not exceed."""
    return sorted(numbers)[max(0, math.ceil(part * len(numbers)) - 1)]


def shown(evaluations: float) -> str:
    """Return a number of evaluations, or that there were not enough."""
    return f">{MOST}" if math.isinf(evaluations) else f"{evaluations:g}"


def search_rows(runs: Runs) -> Iterator[Row]:
    """Yield how Search and optuna stand after the first evaluations."""
    for problem in (*PLAIN, *TELLING):
        if (problem, "Search") not in runs.of:
            continue
        less = POINTS_IN_5D if problem == "hidden minimum, 5-D" else 0.0
        own = runs.best(problem, "Search")
        peer = runs.best(problem, "optuna") if (problem, "optuna") in runs.of else None
        limit = f"≥ optuna - {less * 100:g}" if less else "≥ optuna"
        met = None if peer is None else own >= peer - less
        yield Row(f"{problem}: median of Search at {solvers.AT}", own, "%", limit, met, peer)


def guided_rows(runs: Runs) -> Iterator[Row]:
    """Yield what reading words saves, against the best of those that see scores alone."""
    for problem in ("code repair", "directional chain"):
        if (problem, "OptoPrime") not in runs.of:
            continue
        blind = [name for name in solver_names(problem) if name in solvers.PLAIN]
        least, name = min((runs.reached(problem, name), name) for name in blind)
        for solver in solvers.GUIDED:
            own = runs.reached(problem, solver)
            what = f"{problem}: {solver}, median, against {name}"
            met = own <= SHARE * min(least, MOST)
            other = min(least, MOST)
            yield Row(what, own, "", f"≤ {SHARE:g}x", met, other, f"{own / other:.2f}x")


def poison_rows(
    gated: Sequence[poisoned.Outcome], bare: Sequence[poisoned.Outcome]
) -> Iterator[Row]:
    """Yield how often live values became worse under the poisoned proposer."""
    falls = sum(outcome.falls for outcome in gated)
    yield at_most(f"falls of the live score in {len(gated)} trainings", falls, 0)
    last = statistics.median(outcome.scores[-1] for outcome in gated)
    other = statistics.median(outcome.scores[-1] for outcome in bare)
    yield Row("live score at the end, beside applying every answer", last, "%", other=other)
    falls = sum(outcome.falls for outcome in bare)
    yield Row(f"falls where every answer is applied, in {len(bare)} runs", falls, "")


def options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description="Evaluations that each optimizer needs.")
    parser.add_argument("--quick", action="store_true", help="five seeds")
    parser.add_argument("--seeds", type=int, default=20, help="how many, from 0 on")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", action="append", help="a problem; may be repeated")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def main() -> int:
    """Print the tables; return 1 where a limit is missed."""
    given = options()
    seeds = range(given.first, given.first + (5 if given.quick else given.seeds))
    wanted = given.only or [*PROBLEMS, POISONED]
    if unknown := set(wanted) - {*PROBLEMS, POISONED}:
        sys.exit(f"no problem {min(unknown)!r}; there are {', '.join(PROBLEMS)}, {POISONED}")
    print(f"{len(seeds)} seeds; who sees scores alone: {', '.join(solvers.PLAIN)}")
    with ProcessPoolExecutor(given.processes) as pool:
        groups = solved(pool, [name for name in PROBLEMS if name in wanted], seeds)
        if POISONED in wanted:
            gated = list(pool.map(poison, [("gate", seed) for seed in seeds]))
            bare = list(pool.map(poison, [("none", seed) for seed in seeds]))
            groups["poison"] = Section("Poisoned proposer", lambda: poison_rows(gated, bare))
    return tell(groups, None, as_json=False)


def solved(
    pool: ProcessPoolExecutor, problems: Sequence[str], seeds: Sequence[int]
) -> dict[str, Section]:
    """Print the tables of all problems, and return the rows of what they have to show."""
    pairs = [(problem, solver) for problem in problems for solver in solver_names(problem)]
    jobs = [(problem, solver, seed) for problem, solver in pairs for seed in seeds]
    found = list(pool.map(solve, jobs, chunksize=4))
    runs = Runs(
        {(p, s): [run for run in found if (run.problem, run.solver) == (p, s)] for p, s in pairs}
    )
    runs.table(
        f"to {GOAL * 100:g} %: median, p90",
        lambda p, s: f"{shown(runs.reached(p, s))} {shown(runs.reached(p, s, 0.9)):>5}",
    )
    runs.table(
        f"at {solvers.AT}: median, mean",
        lambda p, s: f"{runs.best(p, s) * 100:.1f} {runs.best(p, s, statistics.fmean) * 100:5.1f}",
    )
    return {
        "search": Section("Search and optuna", lambda: search_rows(runs)),
        "guided": Section("Words against scores", lambda: guided_rows(runs)),
    }


if __name__ == "__main__":
    sys.exit(main())
