"""A PostgreSQL server of the tests' own, from the binaries that are installed here."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

_FOLDERS = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt", "/usr/pgsql")
_SETTINGS = "-c listen_addresses='' -c fsync={fsync} -c max_connections=40 -k {folder}"


def binaries() -> Path | None:
    """Return the folder of the server's programs, if they are installed."""
    found = [path for name in _FOLDERS for path in sorted(Path(name).glob("*/bin/initdb"))]
    on_path = shutil.which("initdb")
    folder = Path(on_path).resolve().parent if on_path else None
    if folder is not None and (folder / "pg_ctl").exists():
        return folder
    return found[-1].parent if found else None


@dataclass
class Server:
    """A running server that listens on a socket in its own folder."""

    programs: Path
    folder: Path
    user: str | None
    """The user that it runs as, where the tests run as root, as which it refuses to run."""
    numbers: count[int] = field(default_factory=lambda: count(1))
    fsync: bool = False
    """Whether it waits for the disk, as a real one does; the tests need no power cut survived."""

    def url(self) -> str:
        """Return the URL of an empty database (a schema of its own)."""
        name = f"test_{next(self.numbers)}"
        with psycopg.connect(self.plain, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.base}&options=-csearch_path%3D{name}"

    @property
    def base(self) -> str:
        """The URL of the server, as the store takes it."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    @property
    def plain(self) -> str:
        """The URL of the server, as the driver takes it."""
        return self.base.replace("+psycopg", "")

    def start(self) -> None:
        """Start it, and return when it answers."""
        settings = _SETTINGS.format(folder=self.folder, fsync="on" if self.fsync else "off")
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-o", settings, "-l", log)

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", self._data)

    def drop_connections(self) -> None:
        """Break every connection but the one that does it."""
        others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        here = " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        with psycopg.connect(self.plain, autocommit=True) as connection:
            connection.execute((others + here).encode())

    def create(self) -> None:
        """Make the files of an empty server."""
        self._run("initdb", "-N", "-E", "UTF8", "-A", "trust", "-U", "postgres", "-D", self._data)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")


@contextmanager
def running(
    programs: Path, parent: Path | None = None, *, fsync: bool = False
) -> Generator[Server]:
    """Start a new server in a temporary folder, and remove both at the end."""
    folder = Path(tempfile.mkdtemp(prefix="postgres", dir=parent))
    user = _unprivileged() if os.getuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    server = Server(programs, folder, user, fsync=fsync)
    try:
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _unprivileged() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
