"""The tables of a run's database; versions and events refuse to be changed."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

metadata = MetaData()

versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("parent", Integer, ForeignKey("versions.id"), unique=True),
    Column("values_json", Text, nullable=False),
    Column("changed", Text, nullable=False),
    Column("evidence", Text),
    Column("reasoning", Text, nullable=False),
    Column("origin", String(20), nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("data", Text, nullable=False),
)

episodes = Table(
    "episodes",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("split", String(40), nullable=False, index=True),
    Column("task", Text, nullable=False),
    # no foreign key: a candidate's episodes carry the negative id of one that never went live
    Column("version", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("score", Float),
    Column("feedback", Text, nullable=False),
    Column("error", Text),
    Column("metrics", Text, nullable=False),
    Column("started", Float, nullable=False),
    Column("ended", Float, nullable=False),
)

proposals = Table(
    "proposals",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("base", Integer, ForeignKey("versions.id"), nullable=False),
    Column("state", String(20), nullable=False),
    Column("changes", Text, nullable=False),
    Column("reasoning", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("evidence", Text),
    Column("version", Integer, ForeignKey("versions.id")),
    Column("tokens", Integer, nullable=False),
    Column("usd", Float, nullable=False),
)


labels = Table(
    "labels",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("version", Integer, ForeignKey("versions.id"), nullable=False),
)

pending = Table(
    "pending",
    metadata,
    Column("episode", String(120), primary_key=True),
    Column("body", Text, nullable=False),
)
"""What a decision will need of finished episodes; emptied as decisions use them."""


def _refuse(action: str) -> str:
    return (
        f"CREATE TRIGGER IF NOT EXISTS %(table)s_no_{action} BEFORE {action} ON %(table)s "
        "BEGIN SELECT RAISE(ABORT, '%(table)s is append-only'); END"
    )


for _table in (versions, events):
    for _action in ("update", "delete"):
        _ddl = DDL(_refuse(_action)).execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]
        event.listen(_table, "after_create", _ddl)


def open_engine(url: str) -> Engine:
    """Return an engine with one connection; on SQLite it is durable against a killed process."""
    if not url.startswith("sqlite"):
        return create_engine(url)
    engine = create_engine(url, poolclass=StaticPool)
    event.listen(engine, "connect", _tune)
    return engine


def _tune(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def prepare(connection: Connection) -> None:
    """Create the tables that are not there yet."""
    metadata.create_all(connection)
