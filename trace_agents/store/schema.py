"""The tables of a run's database; versions and events refuse to be changed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
)

SCHEMA = 3
"""The form of the tables that this release writes; `migrations` says what came before."""

metadata = MetaData()

_BIG = BigInteger().with_variant(Integer(), "sqlite")


def _run() -> Column[int]:
    # 0: written by no run, but by hand
    return Column("run", Integer, nullable=False, server_default="0")


schema = Table("store_schema", metadata, Column("version", Integer, primary_key=True))

runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started", Double, nullable=False),
)
"""The primary key is what gives every run a number of its own."""

versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("parent", Integer, ForeignKey("versions.id"), unique=True),
    Column("values_json", Text, nullable=False),
    Column("changed", Text, nullable=False),
    Column("evidence", Text),
    Column("reasoning", Text, nullable=False),
    Column("origin", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", _BIG, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
    _run(),
)

episodes = Table(
    "episodes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("split", Text, nullable=False, index=True),
    Column("task", Text, nullable=False),
    # no foreign key: a candidate's episodes carry the negative id of one that never went live
    Column("version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("score", Double),
    Column("feedback", Text, nullable=False),
    Column("error", Text),
    Column("metrics", Text, nullable=False),
    Column("started", Double, nullable=False),
    Column("ended", Double, nullable=False),
    _run(),
)

proposals = Table(
    "proposals",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("base", Integer, ForeignKey("versions.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("changes", Text, nullable=False),
    Column("reasoning", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("evidence", Text),
    Column("version", Integer, ForeignKey("versions.id")),
    Column("tokens", Integer, nullable=False),
    Column("usd", Double, nullable=False),
    _run(),
    Column("memo", Text, nullable=False, server_default="{}"),
    Column("calls", Integer, nullable=False, server_default="0"),
)


labels = Table(
    "labels",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, ForeignKey("versions.id"), nullable=False),
)

pending = Table(
    "pending",
    metadata,
    Column("episode", Text, primary_key=True),
    Column("body", Text, nullable=False),
    _run(),
)
"""What a decision will need of finished episodes; emptied as decisions use them."""

_SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS {table}_no_{action} BEFORE {action} ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
)
_POSTGRES_RULE = (
    "CREATE OR REPLACE FUNCTION trace_agents_append_only() RETURNS trigger AS $$ BEGIN "
    "RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', "
    "MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$ LANGUAGE plpgsql"
)
_POSTGRES = (
    "CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION trace_agents_append_only()"
)


def protect(connection: Connection, table: str) -> None:
    """Make a table refuse changes of what is in it."""
    if connection.dialect.name == "sqlite":
        for action in ("update", "delete"):
            connection.exec_driver_sql(_SQLITE.format(table=table, action=action))
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_POSTGRES_RULE)
        connection.exec_driver_sql(_POSTGRES.format(table=table))


def unprotect(connection: Connection, table: str) -> None:
    """Let a migration change what is in a table; it calls `protect` when it is done."""
    if connection.dialect.name == "sqlite":
        for action in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{action}")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
