"""The connection of a store: transactions that nest, and errors in one sentence."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Row, Select, Table, insert
from sqlalchemy.exc import SQLAlchemyError

from trace_agents.errors import StoreError
from trace_agents.store.schema import open_engine


class Database:
    """One connection to a database, which `with` closes; every method is synchronous.

    Raises:
        StoreError: the database cannot be used.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        self.where = str(url_or_path)
        with self._translated():
            self._engine = open_engine(_url(url_or_path))
            self._connection: Connection = self._engine.connect()

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
        if self._connection.in_transaction():
            yield
            return
        try:
            with self._translated(), self._connection.begin():
                yield
        except BaseException:
            self._undone()
            raise

    def _undone(self) -> None:
        """Forget what a transaction recorded that was undone."""

    def _add(self, table: Table, row: Mapping[str, object]) -> None:
        with self.transaction(), self._translated():
            self._connection.execute(insert(table), row)

    def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        with self._reading():
            return list(self._connection.execute(query))

    @contextmanager
    def _reading(self) -> Generator[None, None, None]:
        # a read opens a transaction; left open it would hide what other connections commit
        with self.transaction():
            yield

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(error).splitlines()[0]
            raise StoreError(
                f"{self.where}: the run's database cannot be used: {reason}"
            ) from error
        except OSError as error:
            raise StoreError(
                f"{self.where}: the run's database cannot be opened: {error}"
            ) from error


def _url(url_or_path: str | Path) -> str:
    text = str(url_or_path)
    if "://" in text:
        return text
    if text == ":memory:":
        return "sqlite://"
    path = Path(text)
    return f"sqlite:///{path / 'run.db' if path.is_dir() else path}"
