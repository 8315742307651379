"""A pool of candidates of which each is the best at some task."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from trace_agents.feedback import score_in
from trace_agents.graph import Kind, Values
from trace_agents.optimizers.scores import key
from trace_agents.propagate import TraceGraph

_RUNS = 32
"""The most runs that are kept of one candidate: the latest."""


@dataclass(frozen=True, slots=True)
class Run:
    """One episode of a candidate: its task, its subgraph with the feedback, and its score."""

    task: str
    part: TraceGraph
    score: float | None


@dataclass(slots=True)
class Candidate:
    """Values that ran, where they come from, and their runs."""

    number: int
    values: Values
    parents: tuple[int, ...] = ()
    """Numbers of the candidates that these values were made from."""
    runs: dict[tuple[str, str], Run] = field(default_factory=dict[tuple[str, str], Run])
    """By task and feedback: the same said of the same task again is nothing new."""
    turn: int = 0
    """How often it and those before it were parents: whose turn it is among its parameters."""

    def means(self) -> dict[str, float]:
        """Return the mean score by task."""
        scores: dict[str, list[float]] = {}
        for run in self.runs.values():
            if run.score is not None:
                scores.setdefault(run.task, []).append(run.score)
        return {task: math.fsum(each) / len(each) for task, each in scores.items()}

    @property
    def mean(self) -> float:
        """The mean over its tasks; minus infinity where no score is known."""
        means = self.means()
        return math.fsum(means.values()) / len(means) if means else -math.inf


class Pool:
    """All candidates that ran, by number, and which of them are the best somewhere."""

    def __init__(self) -> None:
        self._by_key: dict[str, Candidate] = {}
        self.all: list[Candidate] = []

    def __len__(self) -> int:
        return len(self.all)

    def of(self, values: Values, parents: tuple[int, ...] = ()) -> Candidate:
        """Return the candidate of these values, a new one where there is none."""
        found = self._by_key.get(key(values))
        if found is None:
            # as published: a child goes on with the parameter after its parent's
            turn = max((self.all[parent].turn for parent in parents), default=0)
            found = Candidate(len(self.all), dict(values), parents, turn=turn)
            self._by_key[key(values)] = found
            self.all.append(found)
        return found

    def front(self) -> dict[int, int]:
        """Return how many tasks each candidate is the best at, those dominated left out.

        Dominated is who is the best nowhere alone: whatever it wins, one that stays wins too.
        """
        winners = self._winners()
        kept = {number for best in winners.values() for number in best}
        for candidate in sorted(self.all, key=lambda c: (c.mean, -c.number)):
            wins = [best & kept for best in winners.values() if candidate.number in best]
            if candidate.number in kept and all(len(best) > 1 for best in wins):
                kept.discard(candidate.number)
        return {n: sum(n in best for best in winners.values()) for n in sorted(kept)}

    def pick(self, rng: Random) -> Candidate | None:
        """Return a candidate of the front, likelier one that wins more tasks."""
        front = self.front()
        if not front:
            return None
        return self.all[rng.choices(list(front), list(front.values()))[0]]

    def ancestors(self, candidate: Candidate) -> set[int]:
        """Return the numbers of all that a candidate was made from, its own among them."""
        found, waiting = set[int](), [candidate.number]
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting.extend(self.all[number].parents)
        return found

    def _winners(self) -> Mapping[str, set[int]]:
        best: dict[str, tuple[float, set[int]]] = {}
        for candidate in self.all:
            for task, mean in candidate.means().items():
                top, numbers = best.get(task, (-math.inf, set[int]()))
                if mean > top:
                    best[task] = (mean, {candidate.number})
                elif mean == top:
                    numbers.add(candidate.number)
        return {task: numbers for task, (_, numbers) in best.items()}


def add_run(candidate: Candidate, part: TraceGraph) -> None:
    """Remember an episode of a candidate."""
    texts = [text for said in part.feedback.values() for text in said]
    scores = [score for text in texts if (score := score_in(text)) is not None]
    score = math.fsum(scores) / len(scores) if scores else None
    task = task_of(part)
    candidate.runs[(task, "\n".join(texts))] = Run(task, part, score)
    while len(candidate.runs) > _RUNS:
        del candidate.runs[next(iter(candidate.runs))]


def task_of(part: TraceGraph) -> str:
    """Return what tells one task from another: the values that came from outside."""
    given = [
        (node.name, node.value)
        for node in part.graph.nodes
        if node.kind is not Kind.PARAMETER and node.id not in part.graph.inputs
    ]
    return json.dumps(given, sort_keys=True, default=repr)


def merged_values(pool: Pool, one: Candidate, other: Candidate) -> dict[str, object] | None:
    """Return what both learned since their last common ancestor, if both learned something.

    Each value comes from the one that changed it; where both did, from the better one.
    """
    first, second = pool.ancestors(one), pool.ancestors(other)
    shared = first & second
    if not shared or one.number in second or other.number in first:
        return None
    origin = pool.all[max(shared)].values
    better = one if one.mean >= other.mean else other
    values = dict(better.values)
    for name, old in origin.items():
        changed = [c for c in (one, other) if c.values.get(name) != old]
        if len(changed) == 1:
            values[name] = changed[0].values[name]
    return None if values in (dict(one.values), dict(other.values)) else values
