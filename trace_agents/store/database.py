"""The connection of a store: transactions that nest, and errors in one sentence."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, RootTransaction, Row, Select, Table, insert, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from trace_agents.errors import StoreError
from trace_agents.store.engine import open_engine, shown, url_of

_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds before each try to reach a database again whose connection broke."""


class Database:
    """One connection to a database, which `with` closes; every method is synchronous.

    A connection that broke is made again before the next step; a step that it broke in is undone
    as a whole and raises.

    Raises:
        StoreError: the database cannot be used.
        ExtraNotInstalled: the database's driver is missing.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        self.where = shown(url_or_path)
        self._writes = False
        with self._translated():
            self._engine = open_engine(url_of(url_or_path), lambda: self._writes)
            self._connection: Connection = self._engine.connect()
        self._remote = self._engine.dialect.name != "sqlite"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; what was recorded is on disk."""
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Make what is recorded inside one step: all of it is kept, or none; it nests."""
        with self._step(writes=True):
            yield

    @contextmanager
    def _reading(self) -> Generator[None, None, None]:
        # a read opens a transaction; left open it would hide what other connections commit
        with self._step(writes=False):
            yield

    @contextmanager
    def _step(self, *, writes: bool) -> Generator[None, None, None]:
        if self._connection.in_transaction():
            yield
            return
        try:
            with self._translated():
                transaction = self._begin(writes)
                try:
                    yield
                except BaseException:
                    transaction.rollback()
                    raise
                transaction.commit()
        except BaseException:
            self._undone()
            raise

    def _begin(self, writes: bool) -> RootTransaction:
        """Begin a transaction on a connection that works; only here nothing can be lost yet."""
        self._writes = writes
        if not self._remote:
            return self._connection.begin()
        for pause in _PAUSES:
            try:
                return self._begin_remote()
            except DBAPIError as error:
                if not (error.connection_invalidated or isinstance(error, OperationalError)):
                    raise
            time.sleep(pause)
        return self._begin_remote()

    def _begin_remote(self) -> RootTransaction:
        transaction = self._connection.begin()
        try:
            self._connection.execute(text("SELECT 1"))
        except BaseException:
            transaction.rollback()
            raise
        return transaction

    def _undone(self) -> None:
        """Forget what a transaction recorded that was undone."""

    def _add(self, table: Table, row: Mapping[str, object]) -> None:
        with self.transaction(), self._translated():
            self._connection.execute(insert(table), row)

    def _add_all(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        if rows:
            with self.transaction(), self._translated():
                self._connection.execute(insert(table), rows)

    def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        with self._reading():
            return list(self._connection.execute(query))

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(f"{self.where}: {_reason(error)}") from error
        except OSError as error:
            raise StoreError(
                f"{self.where}: the run's database cannot be opened: {error}"
            ) from error


def _reason(error: SQLAlchemyError) -> str:
    reason = str(error).splitlines()[0]
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return (
            f"the connection to the run's database broke: {reason}; what was acknowledged before "
            "is there: go on with resume() when the database answers again"
        )
    return f"the run's database cannot be used: {reason}"
