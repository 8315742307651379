"""Where a run's store is, and what can happen to its database there."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg

from benchmarks.costs.peer import say
from benchmarks.soaking.cluster import cluster
from benchmarks.soaking.disk import Disk, disk
from tests.core.postgres_server import Server, binaries, running


class Ground(Protocol):
    """A kind of database, which can be disturbed."""

    name: str
    disk: Disk
    """Where the database's files are."""
    cluster: str | None
    """Address of the Ray cluster that runs the episodes, if one does."""

    def url(self) -> str | None:
        """Return the URL of an empty database; None for a file in the run's folder."""
        ...

    def disturb(self, run_dir: Path, draw: random.Random) -> str:
        """Let something happen to the connection, and return what it is called."""
        ...

    def mend(self) -> None:
        """See that the database works again."""
        ...


class File:
    """SQLite: a file that somebody else may hold for a while."""

    def __init__(self, where: Disk, cluster: str | None = None) -> None:
        self.disk, self.cluster = where, cluster
        self.name = "SQLite" if cluster is None else "Ray"

    def url(self) -> str | None:
        """Return nothing."""
        return None

    def disturb(self, run_dir: Path, draw: random.Random) -> str:
        """Hold the lock of those who write for a while."""
        path = run_dir / "run.db"
        if not path.exists():
            return "locks not to be had"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return "locks not to be had"
            time.sleep(draw.uniform(0.2, 2.0))
            other.execute("ROLLBACK")
        return "locks held"

    def mend(self) -> None:
        """Do nothing."""


class OnServer:
    """PostgreSQL: connections break, and now and then all of the server."""

    name = "PostgreSQL"
    cluster: str | None = None

    def __init__(self, where: Disk, server: Server) -> None:
        self.disk, self._server = where, server

    def url(self) -> str | None:
        """Return the URL of a schema of its own."""
        return self._server.url()

    def disturb(self, run_dir: Path, draw: random.Random) -> str:
        """Break the connections, or stop the server at once and start it again later."""
        if draw.random() < 0.75:
            self._server.drop_connections()
            return "connections broken"
        self._server.stop()
        time.sleep(draw.uniform(0.0, 3.0))
        self._server.start()
        return "servers crashed"

    def mend(self) -> None:
        """Start the server again if it is down, as it is after its log found no room."""
        for _ in range(20):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self._server.plain).close()
                return
            time.sleep(0.1)
        for step in (self._server.stop, self._server.start):
            try:
                step()
            except RuntimeError as error:
                say(f"the server: {error}")


@contextmanager
def grounds(only: str | None) -> Generator[list[Ground]]:
    """Make the kinds of databases that there are here, or what this name stands for."""
    with ExitStack() as stack:
        found: list[Ground] = []
        if only in (None, "SQLite"):
            found.append(File(stack.enter_context(disk(24))))
        if only in (None, "PostgreSQL"):
            found.extend(_on_server(stack))
        if only == "Ray":
            found.append(File(stack.enter_context(disk(24)), stack.enter_context(cluster())))
        yield found


def _on_server(stack: ExitStack) -> list[OnServer]:
    programs = binaries()
    if programs is None:
        say("no PostgreSQL server is installed here")
        return []
    where = stack.enter_context(disk(300))
    return [OnServer(where, stack.enter_context(running(programs, where.folder)))]
