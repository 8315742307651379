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
from trace_agents.optimizers.surrogate import Surrogate

EngineName: TypeAlias = Literal["auto", "evolution", "tpe", "random", "optuna"]
Engine: TypeAlias = Callable[[Space, Sequence[Trial], Random], Sequence[Point]]
"""`engine(space, trials, rng)`: points to try, the best first; the trials have scores, the best
comes first."""

_START = 10
"""Trials before what was learned is trusted."""
_CHILDREN = 30
_FREE = 0.33
"""How often a child lives whatever is expected of it: where a trap looks good, that gets out."""
_DRAWN = 64
_CONTINUOUS = 4
"""Numbers without steps from which on TPE finds more than evolution."""


def engine_for(name: EngineName) -> Engine:
    """Return the engine of that name; `auto` is `automatic`.

    Raises:
        ExtraNotInstalled: the package of the engine is missing.
        InvalidValue: there is no such engine.
    """
    if name == "optuna":
        return _optuna()
    if name not in _OWN:
        raise InvalidValue(f"no engine is named {name!r}; use {', '.join(_OWN)} or optuna")
    return _OWN[name]


def automatic(space: Space, trials: Sequence[Trial], rng: Random) -> Sequence[Point]:
    """Return points by TPE where four or more axes are continuous, else by evolution."""
    continuous = sum(axis.count is None for axis in space.axes.values())
    engine = tpe if continuous >= _CONTINUOUS else evolve
    return engine(space, trials, rng)


def anywhere(space: Space, _trials: Sequence[Trial], rng: Random) -> Sequence[Point]:
    """Return a point from anywhere: what every other engine is to be compared with."""
    return [space.sample(rng)]


def evolve(space: Space, trials: Sequence[Trial], rng: Random) -> Sequence[Point]:
    """Return children of good points and some points from anywhere, the most promising first."""
    if len(trials) < _START:
        return [space.sample(rng)]
    elite = trials[: max(2, min(8, len(trials) // 4))]
    if rng.random() < _FREE:
        return [_child(space, elite, rng)]
    points = [
        space.sample(rng) if number % 3 == 0 else _child(space, elite, rng)
        for number in range(_CHILDREN)
    ]
    return sorted(points, key=Surrogate(space, trials).gain, reverse=True)


def _child(space: Space, elite: Sequence[Trial], rng: Random) -> Point:
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
            scale = 0.3 * math.exp(-4 * rng.random())  # now a leap, now a small step
            point[name] = space.axes[name].near(point[name], scale, rng)
    return point


def tpe(space: Space, trials: Sequence[Trial], rng: Random) -> Sequence[Point]:
    """Return points drawn where good ones lie closer than others, the most promising first.

    A tree-structured Parzen estimator (Bergstra et al. 2011), with one density for each axis;
    what axes do together, the order of the points knows.
    """
    if len(trials) < _START:
        return [space.sample(rng)]
    cut = max(2, min(25, math.ceil(0.15 * len(trials))))
    good = _columns(space, trials[:cut])
    rest = _columns(space, trials[cut:])
    drawn = [
        {name: _draw(axis, good[name], rng) for name, axis in space.axes.items()}
        for _ in range(_DRAWN)
    ]
    drawn.sort(key=lambda point: _gain(space, point, good, rest), reverse=True)
    return sorted(drawn[: _DRAWN // 3], key=Surrogate(space, trials).gain, reverse=True)


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


_OWN: dict[str, Engine] = {
    "auto": automatic,
    "evolution": evolve,
    "tpe": tpe,
    "random": anywhere,
}


def _optuna() -> Engine:
    """Return an engine that asks optuna's TPE sampler anew each time, with all that ran."""
    try:
        optuna: Any = import_module("optuna")
    except ImportError:
        raise ExtraNotInstalled("optuna", "optuna") from None

    def suggest(space: Space, trials: Sequence[Trial], rng: Random) -> Sequence[Point]:
        said = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            return [_suggested(optuna, space, trials, rng.getrandbits(31))]
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
