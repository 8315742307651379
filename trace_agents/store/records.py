"""What a run remembers, as frozen values: versions with their evidence, episodes, proposals."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from trace_agents.errors import StoreError
from trace_agents.graph import Parameters, Values, dump

BEST_SCHEMA = 1

Origin: TypeAlias = Literal["initial", "proposal", "rollback"]
ProposalState: TypeAlias = Literal[
    "open", "committed", "rejected", "conflict", "invalid", "noop", "abandoned"
]


@dataclass(frozen=True, slots=True)
class CanaryEvidence:
    """How a candidate did on train episodes, beside the live version on others."""

    n: int
    """Episodes of the candidate."""
    mean: float
    head_n: int
    """Episodes of the live version."""
    head_mean: float
    se: float
    """Standard error of the difference of the means."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gate measured of a candidate against the version that it would replace."""

    n: int
    """Pairs that counted."""
    mean: float
    """Mean of candidate minus baseline over the pairs."""
    se: float
    """Standard error of `mean`."""
    head_mean: float
    candidate_mean: float
    baseline: int
    """Id of the version that the candidate was judged against."""
    dropped: int = 0
    """Pairs left out because an episode failed and no `failure_score` was set."""
    canary: CanaryEvidence | None = None
    """What the candidate did in service before it went live, if it was tried out there."""


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable set of parameter values.

    A candidate under judgement has a negative id (minus the number of its proposal), so that
    its episodes can never be taken for those of a version that went live.
    """

    id: int
    parent: int | None
    values: Values
    changed: tuple[str, ...] = ()
    """Names of the parameters whose values differ from the parent's."""
    evidence: Evidence | None = None
    reasoning: str = ""
    origin: Origin = "initial"

    def save(self, path: str | Path) -> None:
        """Write the values as a JSON file that `read_values` reads."""
        data = {"schema": BEST_SCHEMA, "version": self.id, "values": dict(self.values)}
        Path(path).write_text(
            json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """One finished episode."""

    episode: str
    """Unique in its run: split, index and version."""
    index: int
    split: str
    task: object
    """JSON-like; anything else is stored as its `repr`."""
    version: int
    status: str
    score: float | None = None
    feedback: str = ""
    error: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    started: float = 0.0
    """Seconds since the epoch."""
    ended: float = 0.0
    run: int = 0
    """Number of the run that it belongs to."""


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """What became of one proposal."""

    number: int
    """Counts from 1 in the run's database."""
    base: int
    """Id of the version that the proposal would change."""
    state: ProposalState
    changes: Mapping[str, object] = field(default_factory=dict[str, object])
    reasoning: str = ""
    problems: tuple[str, ...] = ()
    evidence: Evidence | None = None
    version: int | None = None
    """Id of the version that it became, if it was committed."""
    tokens: int = 0
    usd: float = 0.0
    run: int = 0
    """Number of the run that made it."""
    memo: Mapping[str, object] = field(default_factory=dict[str, object])
    """What its optimizer wants back when the run goes on."""
    calls: int = 0
    """Model calls that it took."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only log."""

    seq: int
    kind: str
    data: Mapping[str, object]
    run: int = 0
    """Number of the run that wrote it; 0 for what was done by hand."""


# made once: `json.dumps` would make one for every call
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=repr)


def canonical(value: object) -> str:
    """Return JSON that is equal for equal values; what JSON cannot say is there as its `repr`."""
    return _CANONICAL.encode(value)


def evidence_json(evidence: Evidence | None) -> str | None:
    """Return the evidence as JSON, or None where there is none."""
    return None if evidence is None else json.dumps(asdict(evidence))


def evidence_from(text: str | None) -> Evidence | None:
    """Return what `evidence_json` wrote."""
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    canary = fields.pop("canary", None)
    return Evidence(**fields, canary=None if canary is None else CanaryEvidence(**canary))


def diff(before: Version, after: Version) -> dict[str, str]:
    """Return a unified diff of every parameter whose value differs, by name."""
    names = sorted({*before.values, *after.values})
    return {
        name: _unified(name, before, after)
        for name in names
        if before.values.get(name) != after.values.get(name)
    }


def _unified(name: str, before: Version, after: Version) -> str:
    old, new = (
        dump(version.values[name]).splitlines() if name in version.values else []
        for version in (before, after)
    )
    heads = (f"{name} (version {before.id})", f"{name} (version {after.id})")
    return "\n".join(difflib.unified_diff(old, new, *heads, lineterm=""))


def read_values(path: str | Path, parameters: Parameters | None = None) -> dict[str, object]:
    """Return the values that `Version.save` wrote, checked by type if `parameters` are given.

    Raises:
        StoreError: the file cannot be read, or holds no values of this schema.
        InvalidValue: a value does not fit its parameter.
        UnknownParameter: a name that no parameter has.
    """
    try:
        data: object = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read as JSON: {error}") from None
    found = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    values = found.get("values")
    if found.get("schema") != BEST_SCHEMA or not isinstance(values, dict):
        raise StoreError(f"{path}: holds no values of schema {BEST_SCHEMA}; save a version again")
    typed = cast("dict[str, object]", values)
    return typed if parameters is None else parameters.check(typed)
