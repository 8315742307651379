"""What the log says of a run that was interrupted: the fold of its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast, runtime_checkable

from trace_agents.errors import InvalidValue, StoreError, UnknownParameter
from trace_agents.graph import Parameters, Values
from trace_agents.optimizers import Proposal
from trace_agents.store import ParameterStore, ProposalRecord, typed
from trace_agents.training.budget import Spent, dearer
from trace_agents.training.config import Config
from trace_agents.training.state import CurvePoint

STARTED = "RunStarted"
RESUMED = "RunResumed"


@dataclass(frozen=True, slots=True)
class Tried:
    """A proposal of the interrupted part of a run, and what became of it."""

    proposal: Proposal
    accepted: bool
    score: float | None


@runtime_checkable
class Rememberer(Protocol):
    """An optimizer that takes up its history again when a run goes on."""

    def remember(self, tried: Sequence[Tried]) -> None:
        """Learn, oldest first, what another instance proposed in the same run."""
        ...


@dataclass(slots=True)
class Past:
    """The interrupted run, as far as it was acknowledged."""

    config: Config
    spent: Spent = field(default_factory=Spent)
    heads: list[int] = field(default_factory=list[int])
    """The live version after each number of decisions; the first is that of the start."""
    curve: list[CurvePoint] = field(default_factory=list[CurvePoint])
    warnings: list[str] = field(default_factory=list[str])
    read: set[str] = field(default_factory=set[str])
    episodes: int = 0
    failed: int = 0
    numbers: list[int] = field(default_factory=list[int])
    """Numbers of the proposals that were decided."""
    opened: int | None = None
    """Number of the proposal that was under judgement."""
    baselines: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """The versions that each proposal was judged against."""

    @property
    def decisions(self) -> int:
        """Decisions that were made."""
        return len(self.heads) - 1

    def price(self, store: ParameterStore) -> Spent | None:
        """Return what the dearest episode of the run cost, if there was any."""
        known: Spent | None = None
        for record in store.episodes():
            cost = Spent(tokens=int(record.metrics["tokens"]), usd=record.metrics["usd"])
            known = cost if known is None else dearer(known, cost)
        return known

    def tried(self, records: Iterable[ProposalRecord]) -> list[Tried]:
        """Return the proposals that were decided, as an optimizer can remember them."""
        return [
            Tried(
                Proposal(r.changes, r.reasoning, r.problems, r.tokens, r.usd),
                r.state == "committed",
                None if r.evidence is None else r.evidence.candidate_mean,
            )
            for r in records
            if r.number in self.numbers
        ]


def read_past(store: ParameterStore) -> Past:
    """Return the last run of a store.

    Raises:
        StoreError: no run was started in it.
    """
    past: Past | None = None
    for event in store.events():
        data = cast("Mapping[str, Any]", event.data)
        if event.kind == STARTED:
            config = Config.from_json(data["config"])
            past = Past(config, heads=[config.head])
        elif past is not None:
            _FOLD.get(event.kind, _ignore)(past, data)
        if past is not None and "spent" in data:
            past.spent = Spent(**data["spent"])
    if past is None:
        raise StoreError(f"{store.where}: no run was started here; begin one with train()")
    return past


def values_of(
    version: int, store: ParameterStore, past: Past, parameters: Parameters
) -> Values | None:
    """Return the values that a gate episode ran with, if the log says so for certain."""
    if version >= 0:
        return store.get(version).values
    found = [r for r in store.proposals() if r.number == -version]
    # what an abandoned one would have changed is not recorded; and a candidate that was judged
    # against two heads had two sets of values
    decided, heads = -version in past.numbers, past.baselines.get(-version, set[int]())
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


def _made(past: Past, data: Mapping[str, Any]) -> None:
    past.opened = data["number"]


def _round(past: Past, data: Mapping[str, Any]) -> None:
    past.baselines.setdefault(data["number"], set()).add(data["evidence"]["baseline"])


def _published(past: Past, data: Mapping[str, Any]) -> None:
    past.heads.append(data["version"])
    past.numbers.append(data["number"])
    past.opened = None


def _rejected(past: Past, data: Mapping[str, Any]) -> None:
    past.opened = None
    if data["state"] != "abandoned":
        past.heads.append(past.heads[-1])
        past.numbers.append(data["number"])


def _rolled_back(past: Past, data: Mapping[str, Any]) -> None:
    past.heads[-1] = data["version"]


def _plotted(past: Past, data: Mapping[str, Any]) -> None:
    past.curve.append(CurvePoint(**data))


def _warned(past: Past, data: Mapping[str, Any]) -> None:
    past.warnings.append(data["message"])


def _ignore(past: Past, data: Mapping[str, Any]) -> None:
    del past, data


_FOLD = {
    "EpisodeEnded": _episode,
    "ProposalMade": _made,
    "GateRound": _round,
    "VersionPublished": _published,
    "ProposalRejected": _rejected,
    "RolledBack": _rolled_back,
    "CurvePoint": _plotted,
    "Warned": _warned,
}
