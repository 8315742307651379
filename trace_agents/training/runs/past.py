"""What the log says of a run that was interrupted: the fold of its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from trace_agents.errors import InvalidValue, StoreError, UnknownParameter
from trace_agents.graph import Parameters, Values
from trace_agents.optimizers.base import Proposal, Tried
from trace_agents.store import Event, ParameterStore, ProposalRecord, typed
from trace_agents.training.budgets.budget import Spent, dearer
from trace_agents.training.judging.service import Served, Service
from trace_agents.training.runs.config import Config
from trace_agents.training.telling.state import CurvePoint

STARTED = "RunStarted"
RESUMED = "RunResumed"


@dataclass(slots=True)
class Current:
    """The decision that was being made."""

    batch: tuple[str, ...] = ()
    """The episodes that it was given."""
    groups: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    """By number of a proposal: the episodes that it learns from."""
    used: set[str] = field(default_factory=set[str])
    """The episodes of those that were decided."""

    @property
    def left(self) -> list[str]:
        """What is left to learn from, if a part of the decision was made; else nothing."""
        every = dict.fromkeys(e for episodes in self.groups.values() for e in episodes)
        return [episode for episode in every if episode not in self.used] if self.used else []


@dataclass(slots=True)
class Past:
    """The interrupted run, as far as it was acknowledged."""

    config: Config
    run: int
    spent: Spent = field(default_factory=Spent)
    heads: list[int] = field(default_factory=list[int])
    """The live version after each number of decisions; the first is that of the start."""
    live: int = 0
    """The live version at the last event."""
    curve: list[CurvePoint] = field(default_factory=list[CurvePoint])
    warnings: list[str] = field(default_factory=list[str])
    read: set[str] = field(default_factory=set[str])
    episodes: int = 0
    failed: int = 0
    names: dict[int, frozenset[str]] = field(default_factory=dict[int, frozenset[str]])
    """By number of a proposal that was decided: the parameters that it was about."""
    open: dict[int, int] = field(default_factory=dict[int, int])
    """The proposals that nobody has decided, with the versions that they would replace."""
    current: Current = field(default_factory=Current)
    logged: bool = False
    """Whether the log says when a decision is over; that of an earlier release did not."""
    looked_at: list[str] = field(default_factory=list[str])
    """The episodes that the decisions were given."""
    baselines: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """The versions that each proposal was judged against."""
    condemned: list[int] = field(default_factory=list[int])
    """Versions that were taken back."""
    service: Service = field(default_factory=lambda: Service(None))
    served: dict[str, Served] = field(default_factory=dict[str, Served])
    """The train episodes that no decision was given."""
    trials: dict[int, tuple[int, Mapping[str, object]]] = field(
        default_factory=dict[int, tuple[int, Mapping[str, object]]]
    )
    """By the negative id of a candidate that was tried out: its base and its changes."""
    became: dict[int, int] = field(default_factory=dict[int, int])
    """By the negative id of a candidate that went live: the id of the version."""
    report: Mapping[str, Any] | None = None

    @property
    def decisions(self) -> int:
        """Decisions that were made."""
        return len(self.heads) - 1

    def price(self, store: ParameterStore) -> Spent | None:
        """Return what the dearest episode of the run cost, if there was any."""
        known: Spent | None = None
        for record in store.episodes(run=self.run):
            told = record.metrics
            calls = int(told.get("calls", 0))  # an earlier release did not count them
            cost = Spent(tokens=int(told["tokens"]), usd=told["usd"], calls=calls)
            known = cost if known is None else dearer(known, cost)
        return known

    def tried(self, records: Iterable[ProposalRecord]) -> list[tuple[frozenset[str], Tried]]:
        """Return the candidates that were decided, with the parameters that they are about."""
        return [
            (self.names[r.number], _tried(r))
            for r in records
            if r.number in self.names and r.state != "open"
        ]


def _tried(record: ProposalRecord) -> Tried:
    evidence = record.evidence
    proposal = Proposal(
        record.changes,
        record.reasoning,
        record.problems,
        record.tokens,
        record.usd,
        memo=record.memo,
        calls=record.calls,
    )
    score = None if evidence is None or not evidence.n else evidence.candidate_mean
    return Tried(proposal, record.state == "committed", score)


def read_past(store: ParameterStore, run: int | None = None) -> Past:
    """Return a run of a store, the last one without its number.

    Raises:
        StoreError: there is no such run.
    """
    started = store.events(kinds=(STARTED,))
    numbers = [event.run for event in started]
    if not numbers:
        raise StoreError(f"{store.where}: no run was started here; begin one with train()")
    number = numbers[-1] if run is None else run
    if number not in numbers:
        raise StoreError(f"{store.where}: there is no run {number}; the runs are {numbers}")
    past: Past | None = None
    for event in _events(store, number):
        past = _start(event) if past is None else _step(past, event)
    if past is None:
        raise StoreError(f"{store.where}: the log of run {number} has no beginning")
    return past


def _events(store: ParameterStore, run: int) -> Iterable[Event]:
    """Yield what a run wrote, and how others moved the head since it began."""
    own = store.events(run=run)
    place = next(place for place, event in enumerate(own) if event.kind == STARTED)
    moved = store.events(own[place].seq, kinds=("VersionAdded",))
    others = [event for event in moved if event.run != run]
    return sorted((*own[place:], *others), key=lambda event: event.seq)


def _start(event: Event) -> Past:
    data = cast("Mapping[str, Any]", event.data)
    config = Config.from_json(data["config"])
    past = Past(config, event.run, Spent(**data["spent"]), [config.head], config.head)
    past.service = Service(config.options.rollback)
    past.logged = data.get("form", 1) > 1
    return past


def _step(past: Past, event: Event) -> Past:
    data = cast("Mapping[str, Any]", event.data)
    if event.run != past.run:
        past.live = past.heads[-1] = data["version"]  # the head was moved by somebody else
        return past
    step = _FOLD.get(event.kind)
    if step is not None:
        step(past, data)
    if "spent" in data:
        past.spent = Spent(**data["spent"])
    return past


def values_of(
    version: int, store: ParameterStore, past: Past, parameters: Parameters
) -> Values | None:
    """Return the values that a gate episode ran with, if the log says so for certain."""
    if version >= 0:
        return store.get(version).values
    found = [r for r in store.proposals(past.run) if r.number == -version]
    # what an abandoned one would have changed is not certain; and a candidate that was judged
    # against two heads had two sets of values
    decided = -version in past.names and -version not in past.open
    heads = past.baselines.get(-version, set[int]())
    if not found or not decided or len(heads) != 1:
        return None
    try:
        return typed(parameters, {**store.get(found[0].base).values, **found[0].changes})
    except (InvalidValue, UnknownParameter):
        return None


def _episode(past: Past, data: Mapping[str, Any]) -> None:
    past.episodes += 1
    past.failed += data["score"] is None
    past.read.update(data.get("read", ()))
    if data["split"] == "train":
        past.served[data["episode"]] = (data["version"], data["score"], data["outcome"])


def _opened(past: Past, data: Mapping[str, Any]) -> None:
    number = data["number"]
    past.names[number], past.open[number] = frozenset(data["names"]), data["base"]
    if "batch" in data:  # else it is an alternative of another one
        past.current.batch = tuple(data["batch"])
        past.current.groups[number] = tuple(data["episodes"])


def _made(past: Past, data: Mapping[str, Any]) -> None:
    past.open.setdefault(data["number"], past.live)


def _round(past: Past, data: Mapping[str, Any]) -> None:
    past.baselines.setdefault(data["number"], set()).add(data["evidence"]["baseline"])


def _published(past: Past, data: Mapping[str, Any]) -> None:
    past.live = data["version"]
    past.service.rename(-data["number"], past.live)
    past.became[-data["number"]] = past.live
    _closed(past, data["number"])


def _rejected(past: Past, data: Mapping[str, Any]) -> None:
    if data["state"] == "abandoned":
        past.open.pop(data["number"], None)
        past.names.pop(data["number"], None)
    else:
        _closed(past, data["number"])


def _closed(past: Past, number: int) -> None:
    past.open.pop(number, None)
    past.names.setdefault(number, frozenset())
    past.current.used.update(past.current.groups.get(number, ()))
    if not past.logged:
        past.heads.append(past.live)


def _decided(past: Past, data: Mapping[str, Any]) -> None:
    past.heads.append(past.live)
    past.looked_at.extend(data["episodes"])
    past.service.add(past.served.pop(episode) for episode in data["episodes"])
    past.current = Current()


def _resumed(past: Past, data: Mapping[str, Any]) -> None:
    past.logged = past.logged or data.get("form", 1) > 1


def _rolled_back(past: Past, data: Mapping[str, Any]) -> None:
    # what was admitted before the decision that found it keeps the version that it had
    past.condemned.append(past.live)
    past.live = data["version"]


def _plotted(past: Past, data: Mapping[str, Any]) -> None:
    past.curve.append(CurvePoint(**data))


def _warned(past: Past, data: Mapping[str, Any]) -> None:
    past.warnings.append(data["message"])


def _tried_out(past: Past, data: Mapping[str, Any]) -> None:
    past.trials[-data["number"]] = (data["base"], data["changes"])


def _reported(past: Past, data: Mapping[str, Any]) -> None:
    past.report = data


_FOLD: Mapping[str, Callable[[Past, Mapping[str, Any]], None]] = {
    "EpisodeEnded": _episode,
    "ProposalOpened": _opened,
    "ProposalMade": _made,
    "GateRound": _round,
    "VersionPublished": _published,
    "ProposalRejected": _rejected,
    "Decided": _decided,
    "RolledBack": _rolled_back,
    "CurvePoint": _plotted,
    "Warned": _warned,
    "CanaryStarted": _tried_out,
    "Reported": _reported,
    RESUMED: _resumed,
}
