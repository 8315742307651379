"""Search algorithms: which candidates are built on next, and which are kept.

Each is a pure rule on a pool of measured candidates; the rounds around it are in `rounds`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from trace_agents.errors import InvalidValue
from trace_agents.graph import Values
from trace_agents.optimizers import Proposal


@dataclass(slots=True, eq=False)
class Member:
    """Values that were measured on train tasks, and may be built on: one of a search's pool."""

    number: int
    """Of its proposal; 0 for the live version."""
    values: Values
    proposal: Proposal | None = None
    """What made it; None for the live version."""
    scores: list[float] = field(default_factory=list[float])
    """Of all its episodes on train tasks."""
    latest: list[float] = field(default_factory=list[float])
    """Those of the present round: its tasks are the same for all candidates that it measures."""

    @property
    def mean(self) -> float:
        """Mean of all its scores; minus infinity where there are none."""
        return _mean(self.scores)

    @property
    def now(self) -> float:
        """Mean of the present round's scores; minus infinity where there are none."""
        return _mean(self.latest)


class Algorithm(Protocol):
    """A rule for a search."""

    @property
    def branch(self) -> int:
        """Proposals for each parent in a round."""
        ...

    def parents(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the candidates that this round builds on, one at least."""
        ...

    def kept(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the candidates that stay for the next round, the best one first."""
        ...


@dataclass(frozen=True, slots=True)
class BasicSearch:
    """Build on the best candidate: `branch` proposals from the same feedback, the best stays."""

    branch: int = 4
    name: ClassVar[str] = "basic"

    def __post_init__(self) -> None:
        _at_least_one(branch=self.branch)

    def parents(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the best candidate."""
        return pool[:1]

    def kept(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the candidate that did best on this round's tasks."""
        return _best(pool, "now")[:1]


@dataclass(frozen=True, slots=True)
class BeamSearch:
    """Build on `width` candidates at once, and keep the `width` that did best in the round.

    After "Automatic Prompt Optimization with 'Gradient Descent' and Beam Search"
    (arXiv 2305.03495), with parents and children measured on the same tasks.
    """

    width: int = 4
    branch: int = 2
    name: ClassVar[str] = "beam"

    def __post_init__(self) -> None:
        _at_least_one(width=self.width, branch=self.branch)

    def parents(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the whole beam."""
        return pool

    def kept(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the `width` best of the round."""
        return _best(pool, "now")[: self.width]


@dataclass(frozen=True, slots=True)
class UCBSearch:
    """Build on the candidate with the highest upper confidence bound of its mean.

    UCB1 (Auer, Cesa-Bianchi and Fischer 2002): mean + exploration * range * sqrt(2 ln N / n),
    with the range of the scores seen, n the candidate's episodes and N those of all.
    """

    size: int = 10
    """Candidates that are kept."""
    exploration: float = 0.5
    branch: int = 1
    name: ClassVar[str] = "ucb"

    def __post_init__(self) -> None:
        _at_least_one(size=self.size, branch=self.branch)
        if not self.exploration >= 0:
            raise InvalidValue(f"exploration must be 0 or more, got {self.exploration}")

    def parents(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the candidate with the highest bound."""
        return [max(pool, key=lambda candidate: _bound(candidate, pool, self.exploration))]

    def kept(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the candidates with the best means."""
        return _best(pool, "mean")[: self.size]


@dataclass(frozen=True, slots=True)
class PrioritySearch:
    """Build on the `explore` candidates of highest priority, from a queue of `size`.

    Priority is the mean of all of a candidate's scores, or its upper bound (see `UCBSearch`).
    """

    size: int = 16
    explore: int = 2
    branch: int = 2
    priority: Literal["mean", "ucb"] = "mean"
    exploration: float = 0.5
    name: ClassVar[str] = "priority"

    def __post_init__(self) -> None:
        _at_least_one(size=self.size, explore=self.explore, branch=self.branch)
        if self.priority not in ("mean", "ucb"):
            raise InvalidValue(f"priority must be 'mean' or 'ucb', got {self.priority!r}")

    def parents(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the candidates at the head of the queue."""
        if self.priority == "mean":
            return _best(pool, "mean")[: self.explore]
        bounds = {c.number: _bound(c, pool, self.exploration) for c in pool}
        return sorted(pool, key=lambda c: -bounds[c.number])[: self.explore]

    def kept(self, pool: Sequence[Member]) -> Sequence[Member]:
        """Return the candidates with the best means."""
        return _best(pool, "mean")[: self.size]


def algorithm_to_json(algorithm: Algorithm) -> dict[str, object]:
    """Return an algorithm as a JSON object; of one that is not ours, its type's name."""
    if not isinstance(algorithm, BasicSearch | BeamSearch | UCBSearch | PrioritySearch):
        return {"name": type(algorithm).__name__}
    return {"name": algorithm.name, **asdict(algorithm)}


def algorithm_from_json(data: Mapping[str, Any]) -> Algorithm:
    """Return what `algorithm_to_json` wrote.

    Raises:
        InvalidValue: the algorithm is not one of ours.
    """
    options = {name: value for name, value in data.items() if name != "name"}
    for kind in (BasicSearch, BeamSearch, UCBSearch, PrioritySearch):
        if kind.name == data["name"]:
            return kind(**options)
    raise InvalidValue(
        f"the run used the algorithm {data['name']!r}, which the log cannot hold; begin another "
        "run in its folder with train(algorithm=...): it starts at the live version"
    )


def as_algorithm(given: Algorithm | str | None) -> Algorithm | None:
    """Return an algorithm by itself or by its name.

    Raises:
        InvalidValue: there is none of that name.
    """
    if not isinstance(given, str):
        if given is not None and (isinstance(given, type) or not hasattr(given, "parents")):
            raise InvalidValue(f"algorithm={given!r} is none; give its name or BeamSearch(width=4)")
        return given
    kinds = {kind.name: kind for kind in (BasicSearch, BeamSearch, UCBSearch, PrioritySearch)}
    if given == "minibatch":
        return None
    if given not in kinds:
        raise InvalidValue(f"there is no algorithm {given!r}; choose minibatch, {', '.join(kinds)}")
    return kinds[given]()


def _best(pool: Sequence[Member], by: Literal["mean", "now"]) -> list[Member]:
    # a stable sort: of equals the older one comes first
    return sorted(pool, key=lambda c: -(c.mean if by == "mean" else c.now))


def _bound(candidate: Member, pool: Sequence[Member], exploration: float) -> float:
    if not candidate.scores:
        return math.inf
    every = [score for other in pool for score in other.scores]
    spread = (max(every) - min(every)) or 1.0
    width = math.sqrt(2 * math.log(len(every)) / len(candidate.scores))
    return candidate.mean + exploration * spread * width


def _mean(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores) if scores else -math.inf


def _at_least_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise InvalidValue(f"{name} must be at least 1, got {number}")
