"""Records as rows of the tables, and back."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row

from trace_agents.store.records import (
    EpisodeRecord,
    ProposalRecord,
    Version,
    canonical,
    evidence_from,
    evidence_json,
)


def storable(text: str) -> str:
    """Return a text that every database takes; of JSON it still says the same.

    PostgreSQL has no NUL in a text, and half of a surrogate pair is no UTF-8.
    """
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode()


def version_row(version: Version) -> dict[str, object]:
    """Return the row of a version."""
    return {
        "id": version.id,
        "parent": version.parent,
        "values_json": storable(
            json.dumps(dict(version.values), ensure_ascii=False, allow_nan=False)
        ),
        "changed": json.dumps(version.changed),
        "evidence": evidence_json(version.evidence),
        "reasoning": storable(version.reasoning),
        "origin": version.origin,
    }


def episode_row(record: EpisodeRecord) -> dict[str, object]:
    """Return the row of an episode."""
    return {
        "id": record.episode,
        "number": record.index,
        "split": record.split,
        "task": storable(canonical(record.task)),
        "version": record.version,
        "status": record.status,
        "score": record.score,
        "feedback": storable(record.feedback),
        "error": None if record.error is None else storable(record.error),
        "metrics": canonical(record.metrics),
        "started": record.started,
        "ended": record.ended,
        "run": record.run,
    }


def proposal_row(record: ProposalRecord) -> dict[str, object]:
    """Return the row of a proposal."""
    return {
        "number": record.number,
        "base": record.base,
        "state": record.state,
        "changes": storable(canonical(record.changes)),
        "reasoning": storable(record.reasoning),
        "problems": storable(canonical(record.problems)),
        "evidence": evidence_json(record.evidence),
        "version": record.version,
        "tokens": record.tokens,
        "usd": record.usd,
        "run": record.run,
        "memo": storable(canonical(record.memo)),
        "calls": record.calls,
    }


def episode_from(row: Row[Any]) -> EpisodeRecord:
    """Return the episode that a row of the table holds."""
    return EpisodeRecord(
        row.id,
        row.number,
        row.split,
        json.loads(row.task),
        row.version,
        row.status,
        row.score,
        row.feedback,
        row.error,
        json.loads(row.metrics),
        row.started,
        row.ended,
        row.run,
    )


def proposal_from(row: Row[Any]) -> ProposalRecord:
    """Return the proposal that a row of the table holds."""
    return ProposalRecord(
        row.number,
        row.base,
        row.state,
        json.loads(row.changes),
        row.reasoning,
        tuple(json.loads(row.problems)),
        evidence_from(row.evidence),
        row.version,
        row.tokens,
        row.usd,
        row.run,
        json.loads(row.memo),
        row.calls,
    )
