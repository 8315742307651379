"""How a database is opened: SQLite that is durable and shared, PostgreSQL by its URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from trace_agents.errors import ExtraNotInstalled, StoreError

PATIENCE = 30.0
"""Seconds that a SQLite database waits for another process that is writing."""


def url_of(place: str | Path) -> str:
    """Return the database URL of a URL, a file, a folder (its `run.db`), or `":memory:"`."""
    text = str(place)
    if "://" in text:
        scheme, rest = text.split("://", 1)
        return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else text
    if text == ":memory:":
        return "sqlite://"
    path = Path(text)
    return f"sqlite:///{path / 'run.db' if path.is_dir() else path}"


def shown(place: str | Path) -> str:
    """Return a place as errors name it: without a password."""
    text = str(place)
    if "://" not in text:
        return text
    try:
        return make_url(text).render_as_string(hide_password=True)
    except ArgumentError:
        return text.split("://", 1)[0] + "://…"


def open_engine(url: str, writes: Callable[[], bool]) -> Engine:
    """Return an engine with one connection, durable against a killed process.

    Args:
        url: where the database is.
        writes: whether the transaction that begins now will write.

    Raises:
        ExtraNotInstalled: the database's driver is missing.
        StoreError: the URL names no database that is known.
    """
    try:
        if not url.startswith("sqlite"):
            # a server whose databases have no encoding would answer with bytes
            asked = {"client_encoding": "utf8"} if "+psycopg" in url else {}
            return create_engine(url, pool_size=1, max_overflow=0, connect_args=asked)
        engine = create_engine(url, poolclass=StaticPool, connect_args={"timeout": PATIENCE})
    except ModuleNotFoundError as error:
        raise ExtraNotInstalled(error.name or "psycopg", "postgres") from None
    except (NoSuchModuleError, ArgumentError) as error:
        raise StoreError(
            f"{shown(url)}: this is no database URL that is known ({error}); write for example "
            "postgresql+psycopg://user@host/database"
        ) from None
    event.listen(engine, "connect", _tune)

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes() else "BEGIN")

    event.listen(engine, "begin", begin)
    return engine


def _tune(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # the driver's own BEGIN comes late and cannot wait for a writer; ours says what it is for
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
