"""From finished episodes to a checked candidate: feedback in, staleness out, types held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from trace_agents.errors import InvalidValue, UnknownParameter
from trace_agents.graph import Graph, Kind, Parameters
from trace_agents.optimizers.base import Optimizer
from trace_agents.store import Version
from trace_agents.training.episodes.runner import Rollout
from trace_agents.training.judging.canary import Trial


def stale(
    versions: Iterable[Version], episode: int, max_staleness: int, trial: Trial | None = None
) -> frozenset[str]:
    """Return the parameters that changed more than `max_staleness` times since a version.

    The `trial` is that of the candidate that the episode ran with. One that did not go live
    counts as taken back: its changes were undone once.
    """
    counts: dict[str, int] = {}
    if trial is not None:
        counts = {} if trial.version is not None else dict.fromkeys(trial.changed, 1)
        episode = trial.base if trial.version is None else trial.version
    for version in versions:
        if version.id > episode:
            for name in version.changed:
                counts[name] = counts.get(name, 0) + 1
    return frozenset(name for name, count in counts.items() if count > max_staleness)


def feed(
    optimizer: Optimizer,
    batch: Iterable[Rollout],
    versions: tuple[Version, ...],
    max_staleness: int,
    trials: Mapping[int, Trial] | None = None,
) -> None:
    """Give the optimizer the feedback of a batch, and nothing of earlier ones.

    An episode without a verdict tells it nothing: what went wrong was not the workflow.
    """
    optimizer.zero_feedback()
    for rollout in batch:
        if rollout.graph is not None and rollout.status not in ("unjudged", "stopped"):
            trial = (trials or {}).get(rollout.version)
            old = stale(versions, rollout.version, max_staleness, trial)
            optimizer.backward(_without(rollout.graph, old), words(rollout))


def words(rollout: Rollout) -> str:
    """Return what an optimizer reads of an episode's end: its score and words, or its error."""
    if rollout.feedback is None:
        return f"no score: {rollout.error}"
    return f"score {rollout.feedback.score:g}\n{rollout.feedback.text}".rstrip()


def _without(graph: Graph, names: frozenset[str]) -> Graph:
    """Return the graph with these parameters as plain inputs: seen, and not to be changed."""
    if not names:
        return graph
    nodes = tuple(
        replace(node, kind=Kind.INPUT)
        if node.kind is Kind.PARAMETER and node.name in names
        else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def checked_changes(
    parameters: Parameters, head: Version, changes: object
) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the changes that are of the right type and do differ, or the reasons against them.

    One bad value spoils the whole proposal: its parts were thought out together.
    """
    if not isinstance(changes, Mapping):
        return {}, (f"the proposal's changes are no mapping but {type(changes).__name__}",)
    good: dict[str, object] = {}
    problems: list[str] = []
    for name, value in cast("Mapping[str, object]", changes).items():
        try:
            parameter = parameters[name]
            new = parameter.type.check(value)
        except (InvalidValue, UnknownParameter) as error:
            problems.append(f"parameter {name!r}: {error}")
            continue
        if new == head.values[name]:
            continue
        if parameter.frozen:
            problems.append(f"parameter {name!r} is frozen; its value stays")
        good[name] = new
    return ({}, tuple(problems)) if problems else (good, ())


def rebased(
    changes: Mapping[str, object], base: Version, head: Version
) -> dict[str, object] | None:
    """Return `changes` for a head that moved meanwhile, or None if it moved what they change."""
    moved = {name for name in changes if head.values[name] != base.values[name]}
    return None if moved else dict(changes)
