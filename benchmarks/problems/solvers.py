"""The optimizers on one problem each: what was evaluated, in order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from random import Random
from typing import Any, TypeAlias

import anyio

import trace_agents as ta
from benchmarks.problems.problem import GOAL, Problem
from benchmarks.problems.standins import by_scores, for_package, guided
from trace_agents.graph import Values
from trace_agents.optimizers import FeedbackOptimizer
from trace_agents.optimizers.space import Axis, Options, Space
from trace_agents.testing import FunctionModel

AT = 40
"""Evaluations after which the best is looked at; who has reached the goal stops there."""
SAMPLES = 4
"""Answers that OPRO asks for in one round."""


class Enough(Exception):
    """All evaluations that there may be were made."""


@dataclass(slots=True)
class Log:
    """Evaluates values, and keeps what they are really worth."""

    problem: Problem
    rng: Random
    most: int
    observed: list[float] = field(default_factory=list[float])
    true: list[float] = field(default_factory=list[float])

    @classmethod
    def of(cls, problem: Problem, seed: int, most: int) -> Log:
        """Return an empty log; the seed is that of the noise."""
        return cls(problem, Random(f"noise/{seed}"), most)

    def fill(self, solver: Solver, seed: int) -> None:
        """Let a solver evaluate until there is enough."""
        with suppress(Enough):
            solver(self, seed)

    def __call__(self, values: Values) -> float:
        """Return the score of one evaluation.

        Raises:
            Enough: there may be no more.
        """
        problem, count = self.problem, len(self.true)
        if count == self.most or (
            count >= AT and problem.moved is None and self.best_so_far >= GOAL
        ):
            raise Enough
        second = problem.moved if count >= self.most // 2 else None
        true = (second or problem.truth)(values)
        noise = self.rng.gauss(0, problem.noise) if problem.noise else 0.0
        self.true.append(true)
        self.observed.append(true + noise)
        return self.observed[-1]

    @property
    def best_so_far(self) -> float:
        """The most that any evaluated values are worth."""
        return max(self.true, default=0.0)

    def reached(self, start: int = 0) -> float:
        """Return after how many evaluations from `start` on one is good enough."""
        found = (n for n, true in enumerate(self.true[start:], 1) if true >= GOAL)
        return next(found, math.inf)

    def best(self, start: int = 0) -> float:
        """Return what the one is worth that scored best among `AT` from `start` on."""
        places = range(start, min(start + AT, len(self.true)))
        return self.true[max(places, key=lambda place: self.observed[place])]


Solver: TypeAlias = Callable[[Log, int], None]
"""`solver(log, seed)`: evaluates until the log has enough, or there is nothing left to do."""


def anywhere(log: Log, seed: int) -> None:
    """Try the start, then points from anywhere."""
    space, rng = Space.of(log.problem.parameters), Random(f"anywhere/{seed}")
    log(log.problem.parameters.defaults())
    while True:
        log(space.sample(rng))


def search(log: Log, seed: int) -> None:
    """Let `Search` propose."""
    _searched(log, ta.Search(log.problem.parameters, seed=seed))


def search_recent(log: Log, seed: int) -> None:
    """Let `Search` propose, from recent trials alone."""
    _searched(log, ta.Search(log.problem.parameters, seed=seed, recent=20))


def _searched(log: Log, made: ta.Search) -> None:
    async def run() -> None:
        while True:
            proposal = await made.propose()
            score = log({**log.problem.parameters.defaults(), **proposal.changes})
            made.tell(proposal, accepted=False, score=score)

    anyio.run(run)


def optuna(log: Log, seed: int) -> None:
    """Let optuna's TPE propose, as its own tutorial does: one study, asked and told in turn."""
    library = import_module("optuna")
    library.logging.set_verbosity(library.logging.WARNING)
    space, start = Space.of(log.problem.parameters), log.problem.parameters.defaults()
    study = library.create_study(
        direction="maximize", sampler=library.samplers.TPESampler(seed=seed)
    )
    shapes = {name: _shape(library.distributions, axis) for name, axis in space.axes.items()}
    study.enqueue_trial({name: _inward(axis, start[name]) for name, axis in space.axes.items()})
    while True:
        asked = study.ask(shapes)
        values = {name: _outward(axis, asked.params[name]) for name, axis in space.axes.items()}
        study.tell(asked, log(values))


def _shape(kinds: Any, axis: Axis) -> Any:
    if isinstance(axis, Options):
        return kinds.CategoricalDistribution(list(range(axis.count)))
    if axis.count is not None:
        return kinds.IntDistribution(0, axis.count - 1)
    return kinds.FloatDistribution(axis.low, axis.high)


def _inward(axis: Axis, value: object) -> object:
    if isinstance(axis, Options):
        return axis.values.index(value)
    return value if axis.count is None else axis.number_of(value)


def _outward(axis: Axis, value: Any) -> object:
    return axis.values[value] if axis.count is not None else value


def optoprime(log: Log, _seed: int) -> None:
    """Let OptoPrime step, with the stand-in that mends what is said."""
    _stepped(log, lambda nodes: ta.OptoPrime(nodes, llm=FunctionModel(guided)))


def textgrad(log: Log, _seed: int) -> None:
    """Let TextGrad step, with the stand-in that mends what is said."""
    _stepped(log, lambda nodes: ta.TextGrad(nodes, llm=FunctionModel(guided)))


def gepa(log: Log, seed: int) -> None:
    """Let GEPA step, with the stand-in that mends what is said."""
    _stepped(log, lambda nodes: ta.GEPA(nodes, llm=FunctionModel(guided), seed=seed))


def opro(log: Log, seed: int) -> None:
    """Let OPRO step, with the stand-in that varies what scored best."""
    model = FunctionModel(by_scores(seed))
    _stepped(log, lambda nodes: ta.OPRO(nodes, llm=model, samples=SAMPLES, exemplars=0))


@ta.bundle()
def evaluated(*values: object) -> list[object]:
    """Run the program with its values."""
    return list(values)


def _stepped(log: Log, make: Callable[[list[ta.ParameterNode]], FeedbackOptimizer]) -> None:
    problem = log.problem
    nodes = {name: ta.ParameterNode(p) for name, p in problem.parameters.items()}
    optimizer = make(list(nodes.values()))
    program = problem.program

    async def run() -> None:
        for _ in range(log.most):
            optimizer.zero_feedback()
            output = evaluated(*nodes.values()) if program is None else program(nodes)
            values = {name: node.data for name, node in nodes.items()}
            words = problem.words(values) if problem.words else ""
            optimizer.backward(output, f"score {log(values):.6g}\n{words}")
            await optimizer.step()

    anyio.run(run)


def gepa_package(log: Log, seed: int) -> None:
    """Let the published gepa package run its own loop, with a stand-in that reads its prompt."""
    library = import_module("gepa")
    start = log.problem.parameters.defaults()
    library.optimize(
        {name: _text(value) for name, value in start.items()},
        trainset=[0],
        adapter=_Adapter(log),
        reflection_lm=for_package(seed),
        reflection_minibatch_size=1,
        cache_evaluation=True,
        skip_perfect_score=False,
        max_metric_calls=10 * log.most,
        logger=_Silent(),
        seed=seed,
    )


class _Silent:
    def log(self, message: str) -> None:
        """Say nothing."""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(slots=True)
class _Adapter:
    """The bridge that the package asks for; every value is text there."""

    log: Log
    propose_new_texts: None = None

    def evaluate(self, batch: list[Any], candidate: dict[str, str], capture_traces: bool) -> Any:
        """Return the scores of a batch, which is one task here."""
        values = {
            name: parameter.type.parse(candidate[name])
            for name, parameter in self.log.problem.parameters.items()
        }
        scores = [self.log(values) for _ in batch]
        words = self.log.problem.words(values) if self.log.problem.words else ""
        made = import_module("gepa.core.adapter").EvaluationBatch
        return made(list(scores), scores, [words] * len(batch) if capture_traces else None)

    def make_reflective_dataset(
        self, candidate: dict[str, str], batch: Any, components: list[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """Return what the package shows of a run."""
        del candidate
        types = self.log.problem.parameters
        return {
            name: [
                {
                    "Inputs": {"variable": name, "constraint": types[name].type.describe()},
                    "Generated Outputs": str(score),
                    "Feedback": f"score {score:.6g}\n{words}",
                }
                for score, words in zip(batch.scores, batch.trajectories, strict=True)
            ]
            for name in components
        }


PLAIN: Mapping[str, Solver] = {"random": anywhere, "Search": search, "optuna": optuna, "OPRO": opro}
"""Those that see scores alone."""
GUIDED: Mapping[str, Solver] = {"OptoPrime": optoprime, "TextGrad": textgrad, "GEPA": gepa}
"""Those that read what an evaluation says."""
PACKAGE: Mapping[str, Solver] = {"gepa package": gepa_package}
FORGETFUL: Mapping[str, Solver] = {"Search(recent=20)": search_recent}
"""For the drift alone."""
EVERY: Mapping[str, Solver] = {**PLAIN, **GUIDED, **PACKAGE, **FORGETFUL}
