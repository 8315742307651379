"""What a search expects of a point that it has not tried: a small Gaussian process.

In plain Python, for some dozens of trials: a point that is like good ones is expected to be good,
and one that is unlike all is worth a look. Axes on which scores do not depend count for less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from statistics import NormalDist
from typing import TypeAlias

from trace_agents.optimizers.scores import Trial
from trace_agents.optimizers.space import Axis, Options, Point, Space

Triangle: TypeAlias = list[list[float]]
"""The lower half of a symmetric matrix, row by row, with the diagonal."""

_BEST, _OTHERS = 30, 20
"""Trials that are looked at: the best, and so many of the rest, from all ranks."""
_SCALES = (0.3, 1.0, 3.0)
_NOISES = (1e-3, 0.1)
_MARGIN = 0.1
"""Deviations of the scores that count as better: else a plateau is walked over point by point."""
_BELL = NormalDist()


class Surrogate:
    """Knows the scored trials of a space, and says what a new point may bring.

    How fast scores change, how noisy they are, and whether axes count alike or by how well they
    explain the scores, is what makes the trials likeliest.

    Args:
        space: the axes.
        trials: with scores, the best first; at least one.
    """

    def __init__(self, space: Space, trials: Sequence[Trial]) -> None:
        rest = trials[_BEST:]
        seen = [*trials[:_BEST], *rest[:: max(1, math.ceil(len(rest) / _OTHERS))]]
        self._axes = tuple(space.axes.items())
        self._points = [[trial.values[name] for name, _ in self._axes] for trial in seen]
        scores = _standard([trial.score or 0.0 for trial in seen])
        tables = [
            _table(axis, [point[place] for point in self._points])
            for place, (_, axis) in enumerate(self._axes)
        ]
        self._weights, self._factor, self._solved = _likeliest(tables, scores)
        means = (self._mean_and_deviation(point)[0] for point in self._points[:5])
        self._goal = max(means) + _MARGIN

    def gain(self, point: Point) -> float:
        """Return by how much a point is expected to be clearly better than the best, from 0 on."""
        mean, deviation = self._mean_and_deviation([point[name] for name, _ in self._axes])
        by = (mean - self._goal) / deviation
        return deviation * (by * _BELL.cdf(by) + _BELL.pdf(by))

    def _mean_and_deviation(self, point: Sequence[object]) -> tuple[float, float]:
        row = _below(self._factor, [self._likeness(point, other) for other in self._points])
        return sum(map(mul, row, self._solved)), math.sqrt(max(1e-9, 1 - sum(map(mul, row, row))))

    def _likeness(self, one: Sequence[object], other: Sequence[object]) -> float:
        parts = zip(self._weights, self._axes, one, other, strict=True)
        return math.exp(-sum(weight * _apart(axis, a, b) for weight, (_, axis), a, b in parts))


def _standard(scores: Sequence[float]) -> list[float]:
    """Return the scores with mean 0 and deviation 1; all 0 where they are the same."""
    mean = math.fsum(scores) / len(scores)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))
    return [(score - mean) / (deviation or 1.0) for score in scores]


def _apart(axis: Axis, one: object, other: object) -> float:
    """Return how unlike two values are: half of one for options, a parabola on a line."""
    if isinstance(axis, Options):
        return 0.0 if one == other else 0.5
    return min(8.0, 12.5 * (axis.place(one) - axis.place(other)) ** 2)


def _table(axis: Axis, values: Sequence[object]) -> Triangle:
    return [
        [_apart(axis, value, other) for other in values[: i + 1]] for i, value in enumerate(values)
    ]


def _likeliest(
    tables: Sequence[Triangle], scores: Sequence[float]
) -> tuple[list[float], Triangle, list[float]]:
    """Return the weights of the axes that fit best, the matrix' factor, and what it solves to."""
    fits: list[tuple[float, list[float], Triangle, list[float]]] = []
    for weights in ([1.0] * len(tables), _alignments(tables, scores)):
        summed = _summed(tables, weights)
        for scale in _SCALES:
            alike = [[math.exp(-scale * apart) for apart in row] for row in summed]
            for noise in _NOISES:
                factor = _factor(alike, noise)
                solved = _below(factor, scores)
                likelihood = -0.5 * sum(map(mul, solved, solved)) - sum(
                    math.log(row[-1]) for row in factor
                )
                fits.append((likelihood, [scale * weight for weight in weights], factor, solved))
    return max(fits, key=lambda fit: fit[0])[1:]


def _summed(tables: Sequence[Triangle], weights: Sequence[float]) -> Triangle:
    return [
        [sum(map(mul, weights, parts)) for parts in zip(*rows, strict=True)]
        for rows in zip(*tables, strict=True)
    ]


def _alignments(tables: Sequence[Triangle], scores: Sequence[float]) -> list[float]:
    """Return for each axis how well likeness on it alone goes with likeness of the scores.

    Kernel alignment (Cristianini et al. 2001), so scaled that the axis that fits best has 1.
    """
    found = [max(0.0, _alignment(table, scores)) for table in tables]
    most = max(found, default=0.0)
    return [0.1 + 0.9 * part / most for part in found] if most else [1.0] * len(tables)


def _alignment(table: Triangle, scores: Sequence[float]) -> float:
    alike = [math.exp(-2 * apart) for row in table for apart in row[:-1]]
    if not alike:
        return 0.0
    mean = math.fsum(alike) / len(alike)
    pairs = [scores[i] * scores[j] for i in range(len(table)) for j in range(i)]
    agreeing = math.fsum((a - mean) * pair for a, pair in zip(alike, pairs, strict=True))
    return agreeing / math.sqrt(math.fsum((a - mean) ** 2 for a in alike) + 1e-9)


def _factor(matrix: Triangle, noise: float) -> Triangle:
    """Return the Cholesky factor of a matrix with noise on its diagonal."""
    factor: Triangle = []
    for row in matrix:
        new: list[float] = []
        for value, earlier in zip(row, factor, strict=False):
            new.append((value - sum(map(mul, new, earlier))) / earlier[-1])
        new.append(math.sqrt(max(1e-9, row[-1] + noise - sum(map(mul, new, new)))))
        factor.append(new)
    return factor


def _below(factor: Triangle, right: Sequence[float]) -> list[float]:
    """Return the solution of a lower triangular system."""
    solved: list[float] = []
    for row, value in zip(factor, right, strict=True):
        solved.append((value - sum(map(mul, row, solved))) / row[-1])
    return solved
