"""Whether a store still has all that a trainer was told, and says the same as its log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

import trace_agents as ta
from benchmarks.soaking.plan import Plan
from benchmarks.soaking.trainer import curve_of
from benchmarks.soaking.training import BATCH, here, trained, workflow
from trace_agents.store import ParameterStore, canonical, verify
from trace_agents.training import TrainingEvent

STARTED = ("RunStarted", "RunResumed")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a store holds, beside what was acknowledged."""

    begun: bool
    """Whether the run's first event is in the log."""
    episodes: int
    failed: tuple[str, ...]
    """The errors of episodes without a score."""
    versions: int
    decisions: int
    acknowledged: int
    lost: tuple[str, ...]
    """Acknowledged events that the log or the tables lack."""
    problems: tuple[str, ...]
    """What `verify` says: where fold(log) is not the tables."""


def checked(plan: Plan) -> Checked:
    """Open the store as the next trainer would, and compare."""
    told = list(_told(plan.acknowledged))
    with ParameterStore(plan.place, workflow().parameters()) as store:
        problems = verify(store)
        log = Counter(canonical([e.kind, dict(e.data)]) for e in store.events())
        begun = bool(store.events(kinds=("RunStarted",)))
        records, versions = store.episodes(), store.versions()
        decided = [p for p in store.proposals() if p.state not in ("open", "abandoned")]
    scores = {r.episode: (r.version, r.status, r.score, r.error) for r in records}
    lost = [*_not_logged(told, log), *_not_kept(told, scores, len(versions))]
    return Checked(
        begun,
        len(records),
        tuple(f"{r.episode}: {r.error}" for r in records if r.score is None),
        len(versions),
        len(decided),
        len(told),
        tuple(lost),
        problems,
    )


def whole(plan: Plan) -> list[str]:
    """Return what a complete run lacks, one sentence each."""
    with ParameterStore(plan.place, workflow().parameters()) as store:
        indices = sorted(record.index for record in store.episodes("train"))
        states = Counter(proposal.state for proposal in store.proposals())
        store.run = 1
        pending = len(store.pending())
        names = Counter(record.episode for record in store.episodes("train"))
    problems: list[str] = []
    if indices != list(range(BATCH * plan.decisions)):
        problems.append(f"{len(indices)} train episodes for {plan.decisions} decisions")
    if states["open"] or pending:
        problems.append(f"{states['open']} proposals are open, {pending} episodes are not used")
    traced = Counter(graph.episode for graph in _graphs(plan)) if plan.run_dir else names
    if missing := set(names) - set(traced):
        problems.append(f"{len(missing)} episodes have no trace, such as {min(missing)}")
    return problems


def same_curve(plan: Plan) -> bool:
    """Tell whether the learning curve is that of a run to which nothing happened."""
    quiet = Plan("", "", None, plan.seed, plan.deterministic, plan.decisions)
    result = anyio.run(trained, quiet, here, _ignore)
    curve = plan.curve.read_text(encoding="utf-8")
    return curve == json.dumps(curve_of(result))


def _ignore(event: TrainingEvent) -> None:
    """Hear an event and do nothing."""


def _graphs(plan: Plan) -> tuple[ta.Graph, ...]:
    return tuple(ta.load_traces(Path(plan.run_dir, "graphs.jsonl")))


def _told(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events that were acknowledged; a torn last line never was."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _not_logged(told: list[dict[str, Any]], log: Counter[str]) -> Iterator[str]:
    wanted = Counter(
        canonical([event["kind"], event["data"]]) for event in told if event["kind"] not in STARTED
    )
    for event, times in (wanted - log).items():
        yield f"{times} times acknowledged, and not in the log: {event[:300]}"


def _not_kept(
    told: list[dict[str, Any]], scores: Mapping[str, tuple[object, ...]], versions: int
) -> Iterator[str]:
    for event in told:
        data = event["data"]
        if event["kind"] == "EpisodeEnded":
            said = (data["version"], data["outcome"], data["score"], data["error"])
            if scores.get(data["episode"]) != said:
                yield f"{data['episode']} ended as {said}, and is {scores.get(data['episode'])}"
        elif event["kind"] == "VersionPublished" and data["version"] >= versions:
            yield f"version {data['version']} was published, and is not there"
