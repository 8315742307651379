"""The state of a store as its log tells it, and whether the tables say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from trace_agents.store.records import (
    Event,
    ProposalState,
    canonical,
    evidence_from,
    evidence_json,
)
from trace_agents.store.store import ParameterStore


@dataclass(slots=True)
class State:
    """What is the case after a number of events."""

    head: int | None = None
    """Id of the live version."""
    versions: dict[int, str] = field(default_factory=dict[int, str])
    """By id: parent, values, what changed, evidence and origin, as canonical JSON."""
    episodes: Counter[tuple[int, str, str]] = field(default_factory=Counter[tuple[int, str, str]])
    """Finished episodes by run, split and status."""
    proposals: dict[int, ProposalState] = field(default_factory=dict[int, ProposalState])
    """By number."""
    labels: dict[str, int] = field(default_factory=dict[str, int])
    spent: dict[int, Mapping[str, float]] = field(default_factory=dict[int, Mapping[str, float]])
    """What each run had spent at its last event, in the fields of `Spent`."""


def fold(events: Iterable[Event]) -> State:
    """Return the state that a log leads to."""
    state = State()
    for event in events:
        data = cast("Mapping[str, Any]", event.data)
        step = _STEPS.get(event.kind)
        if step is not None:
            step(state, data, event.run)
        if "spent" in data:
            state.spent[event.run] = data["spent"]
    return state


def verify(store: ParameterStore) -> tuple[str, ...]:
    """Return, one sentence each, where the tables of a store differ from its log.

    Empty if all is well, as it is at every moment between two transactions, also after a crash.
    """
    with store.transaction():  # both of one moment, whoever writes meanwhile
        told, found = fold(store.events()), _found(store)
        problems = list(_paid(store, told))
    for name in ("head", "versions", "episodes", "proposals", "labels"):
        log, tables = getattr(told, name), getattr(found, name)
        if log != tables:
            problems.append(f"{name}: the log says {log!r}, and the tables say {tables!r}")
    return tuple(problems)


def _found(store: ParameterStore) -> State:
    """Return the state that the tables show; what was spent stands in the log alone."""
    versions = {
        version.id: _described(
            {
                "parent": version.parent,
                "values": dict(version.values),
                "changed": version.changed,
                "evidence": None if version.evidence is None else asdict(version.evidence),
                "origin": version.origin,
            }
        )
        for version in store.versions()
    }
    return State(
        store.head.id,
        versions,
        Counter((record.run, record.split, record.status) for record in store.episodes()),
        {record.number: record.state for record in store.proposals()},
        store.labels(),
    )


def _paid(store: ParameterStore, told: State) -> Iterable[str]:
    """Name the runs whose records cost more than the log says that they spent."""
    paid: Counter[int] = Counter()
    for record in store.episodes():
        paid[record.run] += int(record.metrics.get("tokens", 0))
    for proposal in store.proposals():
        paid[proposal.run] += proposal.tokens
    for run, tokens in sorted(paid.items()):
        said = told.spent.get(run, {}).get("tokens", 0)
        if tokens > said:
            yield f"spent: run {run} has records of {tokens} tokens, and the log says {said:g}"


def _described(data: Mapping[str, Any]) -> str:
    names = ("parent", "values", "changed", "origin")
    evidence = None if data["evidence"] is None else evidence_from(canonical(data["evidence"]))
    # as this release says it: an earlier one knew fewer fields
    said = {**{name: data[name] for name in names}, "evidence": evidence_json(evidence)}
    return canonical(said)


def _version(state: State, data: Mapping[str, Any], run: int) -> None:
    del run
    state.versions[data["version"]] = _described(data)
    state.head = max(state.versions)


def _episode(state: State, data: Mapping[str, Any], run: int) -> None:
    state.episodes[(run, data["split"], data["outcome"])] += 1


def _opened(state: State, data: Mapping[str, Any], run: int) -> None:
    del run
    state.proposals[data["number"]] = "open"


def _published(state: State, data: Mapping[str, Any], run: int) -> None:
    del run
    state.proposals[data["number"]] = "committed"


def _rejected(state: State, data: Mapping[str, Any], run: int) -> None:
    del run
    state.proposals[data["number"]] = data["state"]


def _labelled(state: State, data: Mapping[str, Any], run: int) -> None:
    del run
    state.labels[data["label"]] = data["version"]


_STEPS: Mapping[str, Callable[[State, Mapping[str, Any], int], None]] = {
    "VersionAdded": _version,
    "EpisodeEnded": _episode,
    "ProposalOpened": _opened,
    "VersionPublished": _published,
    "ProposalRejected": _rejected,
    "Labelled": _labelled,
}
