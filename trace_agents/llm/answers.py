"""The file of a cache: answers by key, in SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio.to_thread

from trace_agents.errors import StoreError
from trace_agents.llm.base import Reply

_TABLE = """\
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    usd REAL NOT NULL,
    unix_seconds REAL NOT NULL
) WITHOUT ROWID
"""

_PATIENCE = 30.0
"""Seconds to wait for another process that writes."""


class Answers:
    """What models answered; every call has a connection of its own, so threads need no care.

    Raises:
        StoreError: the file cannot be opened or is none of ours.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        with self._connected() as connection:
            connection.execute(_TABLE)

    async def get(self, key: str) -> Reply | None:
        """Return what is known, as a reply that costs nothing.

        Raises:
            StoreError: the file cannot be read.
        """
        return await anyio.to_thread.run_sync(self._get, key)

    async def put(self, key: str, reply: Reply) -> None:
        """Keep a reply, with what it cost; the first one for a key stays.

        Raises:
            StoreError: the file cannot be written.
        """
        await anyio.to_thread.run_sync(self._put, key, reply)

    def _get(self, key: str) -> Reply | None:
        with self._connected() as connection:
            found = connection.execute("SELECT text FROM answers WHERE key = ?", (key,)).fetchone()
        return None if found is None else Reply(str(found[0]), cached=True)

    def _put(self, key: str, reply: Reply) -> None:
        row = (key, reply.text, reply.input_tokens, reply.output_tokens, reply.usd, time.time())
        with self._connected() as connection:
            connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)

    @contextmanager
    def _connected(self) -> Generator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as connection, connection:
                yield connection
        except sqlite3.Error as error:
            raise StoreError(
                f"the cache {str(self._path)!r} cannot be used: {error}; name another file, or "
                "remove it"
            ) from error
