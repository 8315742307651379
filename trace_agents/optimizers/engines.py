"""How a search picks its next point: evolution, a small TPE, or the optuna package.

An engine is a function of what ran and of a random generator, and keeps nothing: that is what
makes a search repeatable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from random import Random
from statistics import NormalDist
from typing import Any, Literal, TypeAlias

from trace_agents.errors import ExtraNotInstalled, InvalidValue
from trace_agents.optimizers.scores import Trial
from trace_agents.optimizers.space import Axis, Line, Options, Point, Space

EngineName: TypeAlias = Literal["auto", "evolution", "tpe", "optuna"]
Engine: TypeAlias = Callable[[Space, Sequence[Trial], Random], Point]
"""`engine(space, trials, rng)`: the next point; the trials have scores, the best comes first."""

_START = 6
"""Trials before what was learned is trusted."""
_DRAWN = 24
"""Points that TPE weighs; with many more it explores too little."""


def engine_for(name: EngineName) -> Engine:
    """Return the engine of that name; `auto` is TPE.

    Of the own two, TPE found more in 40 trials on mixtures and on several numbers, and as much
    on two numbers and under noise.

    Raises:
        ExtraNotInstalled: the package of the engine is missing.
        InvalidValue: there is no such engine.
    """
    if name == "optuna":
        return _optuna()
    if name == "auto":
        name = "tpe"
    if name not in _OWN:
        raise InvalidValue(f"no engine is named {name!r}; use auto, {', '.join(_OWN)} or optuna")
    return _OWN[name]


def evolve(space: Space, trials: Sequence[Trial], rng: Random) -> Point:
    """Return a child of good points, or now and then a point from anywhere."""
    if len(trials) < min(_START, 2 + 2 * len(space.axes)) or rng.random() < 0.1:
        return space.sample(rng)
    elite = trials[: max(2, min(8, len(trials) // 4))]
    # earlier ranks are likelier parents
    parent = elite[int(len(elite) * rng.random() ** 2)].values
    mate = rng.choice(elite).values
    child = {name: (mate if rng.random() < 0.25 else parent)[name] for name in space.axes}
    return _mutated(space, child, rng)


def _mutated(space: Space, point: Point, rng: Random) -> Point:
    names = list(space.axes)
    certain = rng.choice(names)
    for name in names:
        if name == certain or rng.random() < 1 / len(names):
            scale = 0.3 * math.exp(-3 * rng.random())  # now a leap, now a small step
            point[name] = space.axes[name].near(point[name], scale, rng)
    return point


def tpe(space: Space, trials: Sequence[Trial], rng: Random) -> Point:
    """Return the one of some drawn points that is likeliest to be good.

    A tree-structured Parzen estimator (Bergstra et al. 2011). Points are weighed as a whole: a
    best value for each axis alone would come out the same again and again.
    """
    if len(trials) < _START:
        return space.sample(rng)
    cut = max(2, min(25, math.ceil(0.15 * len(trials))))
    good = _columns(space, trials[:cut])
    rest = _columns(space, trials[cut:])
    drawn = [
        {name: _draw(axis, good[name], rng) for name, axis in space.axes.items()}
        for _ in range(_DRAWN)
    ]
    return max(drawn, key=lambda point: _gain(space, point, good, rest))


def _columns(space: Space, trials: Sequence[Trial]) -> dict[str, list[object]]:
    return {name: [trial.values[name] for trial in trials] for name in space.axes}


def _gain(
    space: Space,
    point: Point,
    good: Mapping[str, list[object]],
    rest: Mapping[str, list[object]],
) -> float:
    return math.fsum(
        _log_density(axis, good[name], point[name]) - _log_density(axis, rest[name], point[name])
        for name, axis in space.axes.items()
    )


def _draw(axis: Axis, values: Sequence[object], rng: Random) -> object:
    """Return a value of the density: one of the kernels, or the flat prior."""
    place = rng.randrange(len(values) + 1)
    if place == len(values):
        return axis.sample(rng)
    if isinstance(axis, Options):
        return values[place]
    return axis.near(values[place], _width(len(values)), rng)


def _log_density(axis: Axis, values: Sequence[object], value: object) -> float:
    if isinstance(axis, Options):
        return math.log((values.count(value) + 1) / (len(values) + axis.count))
    return _log_of_kernels(axis, values, value)


def _log_of_kernels(axis: Line, values: Sequence[object], value: object) -> float:
    here = axis.place(value)
    bell = NormalDist(0.0, _width(len(values)))
    bells = math.fsum(bell.pdf(here - axis.place(v)) for v in values)
    return math.log((1.0 + bells) / (len(values) + 1))


def _width(count: int) -> float:
    return max(0.03, 0.3 / math.sqrt(count + 1))


_OWN: dict[str, Engine] = {"evolution": evolve, "tpe": tpe}


def _optuna() -> Engine:
    """Return an engine that asks optuna's TPE sampler anew each time, with all that ran."""
    try:
        optuna: Any = import_module("optuna")
    except ImportError:
        raise ExtraNotInstalled("optuna", "optuna") from None

    def suggest(space: Space, trials: Sequence[Trial], rng: Random) -> Point:
        said = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            return _suggested(optuna, space, trials, rng.getrandbits(31))
        finally:
            optuna.logging.set_verbosity(said)

    return suggest


def _suggested(optuna: Any, space: Space, trials: Sequence[Trial], seed: int) -> Point:
    shapes = {name: _distribution(optuna, axis) for name, axis in space.axes.items()}
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for trial in trials:
        params = {name: _encoded(axis, trial.values[name]) for name, axis in space.axes.items()}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=shapes, value=trial.score)
        )
    asked = study.ask(shapes)
    return {name: _decoded(axis, asked.params[name]) for name, axis in space.axes.items()}


def _distribution(optuna: Any, axis: Axis) -> Any:
    kinds = optuna.distributions
    if isinstance(axis, Options):
        return kinds.CategoricalDistribution(list(range(axis.count)))
    if axis.count is not None:
        return kinds.IntDistribution(0, axis.count - 1)
    return kinds.FloatDistribution(axis.low, axis.high)


def _encoded(axis: Axis, value: object) -> object:
    if isinstance(axis, Options):
        return axis.values.index(value)
    return value if axis.count is None else axis.number_of(value)


def _decoded(axis: Axis, value: Any) -> object:
    if isinstance(axis, Options):
        return axis.values[value]
    # optuna may return an end of the range with the noise of binary fractions
    return axis.at(axis.place(value)) if axis.count is None else axis.numbered(value)
