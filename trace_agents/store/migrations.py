"""From the tables that an earlier release wrote to those of this one, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, delete, func, insert, inspect, select, text, update

from trace_agents.errors import StoreError
from trace_agents.store.schema import (
    SCHEMA,
    episodes,
    events,
    metadata,
    pending,
    proposals,
    protect,
    runs,
    schema,
    unprotect,
    versions,
)

_LOCK = 7_461_202
"""Two processes that open a new PostgreSQL database at once wait for each other here."""


def prepare(connection: Connection, where: str) -> None:
    """Create the tables, or bring those of an earlier release to this one's form.

    Raises:
        StoreError: a later release has written them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    found = _found(connection)
    if found is None:
        metadata.create_all(connection)
        protect(connection, "versions")
        protect(connection, "events")
    elif found > SCHEMA:
        raise StoreError(
            f"{where}: the database has the form {found} of a later release, and this one knows "
            f"forms up to {SCHEMA}; upgrade: pip install -U trace-agents"
        )
    else:
        for step in _STEPS[found - 1 :]:
            step(connection)
    if found != SCHEMA:
        connection.execute(delete(schema))
        connection.execute(insert(schema), {"version": SCHEMA})


def _found(connection: Connection) -> int | None:
    names = inspect(connection).get_table_names()
    if schema.name in names:
        found: int | None = connection.scalar(select(func.max(schema.c.version)))
        return found
    return 1 if versions.name in names else None


def _to_2(connection: Connection) -> None:
    """Say of everything which run it belongs to, and write the versions into the log."""
    schema.create(connection)
    runs.create(connection)
    for table in (events, episodes, proposals, pending):
        connection.execute(
            text(f"ALTER TABLE {table.name} ADD COLUMN run INTEGER NOT NULL DEFAULT 0")
        )
    connection.execute(text("ALTER TABLE proposals ADD COLUMN memo TEXT NOT NULL DEFAULT '{}'"))
    unprotect(connection, events.name)
    _number_runs(connection)
    protect(connection, events.name)
    _log_versions(connection)


def _number_runs(connection: Connection) -> None:
    number = 0
    for row in connection.execute(select(events).order_by(events.c.seq)).all():
        data: dict[str, Any] = json.loads(row.data)
        if row.kind == "RunStarted":
            number += 1
            connection.execute(insert(runs), {"number": number, "started": 0.0})
        if number and row.kind not in ("RolledBack", "Labelled"):
            connection.execute(update(events).where(events.c.seq == row.seq).values(run=number))
        if row.kind == "EpisodeEnded":
            here = update(episodes).where(episodes.c.id == data["episode"])
            connection.execute(here.values(run=number))
        elif row.kind in ("VersionPublished", "ProposalRejected"):
            here = update(proposals).where(proposals.c.number == data["number"])
            connection.execute(here.values(run=number))
    # a run emptied what its predecessors had left
    connection.execute(update(pending).values(run=number))


def _log_versions(connection: Connection) -> None:
    for row in connection.execute(select(versions).order_by(versions.c.id)).all():
        data = {
            "version": row.id,
            "parent": row.parent,
            "values": json.loads(row.values_json),
            "changed": json.loads(row.changed),
            "evidence": None if row.evidence is None else json.loads(row.evidence),
            "origin": row.origin,
        }
        body = json.dumps(data, sort_keys=True, ensure_ascii=False)
        connection.execute(insert(events), {"kind": "VersionAdded", "data": body, "run": 0})


def _to_3(connection: Connection) -> None:
    """Count the model calls of proposals; nobody knows those of earlier ones."""
    connection.execute(text("ALTER TABLE proposals ADD COLUMN calls INTEGER NOT NULL DEFAULT 0"))


_STEPS: tuple[Callable[[Connection], None], ...] = (_to_2, _to_3)
"""Step i leads from form i + 1 to the next."""
