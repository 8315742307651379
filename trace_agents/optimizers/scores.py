"""Scores of values that ran: what is read from feedback, and what a trainer tells."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trace_agents.feedback import score_in
from trace_agents.graph import Kind, Values
from trace_agents.propagate import TraceGraph

_WORDS = 8
"""The most texts that are kept of one trial: the latest."""


@dataclass(slots=True)
class Trial:
    """Values that ran, and what is known of how good they are."""

    values: Values
    told: list[float] = field(default_factory=list[float])
    """Scores that a judge measured."""
    read: list[float] = field(default_factory=list[float])
    """Scores that feedback held."""
    words: list[str] = field(default_factory=list[str])
    """What feedback said."""

    def to_json(self) -> dict[str, object]:
        """Return the trial as a JSON object."""
        return {
            "values": dict(self.values),
            "told": list(self.told),
            "read": list(self.read),
            "words": list(self.words),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trial:
        """Return the trial that `to_json` wrote."""
        return cls(data["values"], [*data["told"]], [*data["read"]], [*data["words"]])

    @property
    def score(self) -> float | None:
        """The mean of what was told, else of what was read: the two are of different tasks."""
        scores = self.told or self.read
        return math.fsum(scores) / len(scores) if scores else None


class Trials:
    """All values that ran, each once, in the order of their first appearance."""

    def __init__(self, trials: Iterable[Trial] = ()) -> None:
        self._by_key = {key(trial.values): trial for trial in trials}

    def of(self, values: Values) -> Trial:
        """Return the trial of these values, a new one where there is none."""
        return self._by_key.setdefault(key(values), Trial(dict(values)))

    def __contains__(self, values: Values) -> bool:
        return key(values) in self._by_key

    def __len__(self) -> int:
        return len(self._by_key)

    @property
    def all(self) -> tuple[Trial, ...]:
        """The trials in order."""
        return tuple(self._by_key.values())

    @property
    def best_first(self) -> list[Trial]:
        """The trials that have a score; of equal ones the earlier first."""
        scored = [trial for trial in self._by_key.values() if trial.score is not None]
        return sorted(scored, key=lambda trial: -(trial.score or 0.0))


def key(values: Values) -> str:
    """Return a text that is the same for the same values only."""
    return json.dumps(dict(values), sort_keys=True)


def ran_with(
    part: TraceGraph, names: Iterable[str], current: Mapping[str, object]
) -> dict[str, object] | None:
    """Return the values that a part ran with; None if none of the parameters took part in it.

    A parameter that led to no output has its value from `current`. A stale parameter, which
    training shows as an input, counts with the value that it had: the score is of that one.
    """
    wanted = set(names)
    kinds = (Kind.PARAMETER, Kind.INPUT)
    nodes = [n for n in part.graph.nodes if n.kind in kinds and n.name in wanted]
    if not part.feedback or not any(node.kind is Kind.PARAMETER for node in nodes):
        return None
    seen = {node.name: node.value for node in nodes}
    return {name: seen.get(name, current[name]) for name in current if name in wanted}


def observed(
    parts: Iterable[TraceGraph], names: Iterable[str], current: Mapping[str, object]
) -> list[Trial]:
    """Return one trial for every part: the values that it ran with, its scores and its words."""
    wanted = tuple(names)
    trials: list[Trial] = []
    for part in parts:
        values = ran_with(part, wanted, current)
        if values is not None:
            texts = [text for said in part.feedback.values() for text in said]
            scores = [score for text in texts if (score := score_in(text)) is not None]
            trials.append(Trial(values, read=scores, words=texts))
    return trials


def gathered(*groups: Iterable[Trial]) -> Trials:
    """Return the trials of all groups, those of the same values as one; the groups stay."""
    trials = Trials()
    for group in groups:
        for trial in group:
            into = trials.of(trial.values)
            into.told.extend(trial.told)
            into.read.extend(trial.read)
            into.words = [*into.words, *trial.words][-_WORDS:]
    return trials
