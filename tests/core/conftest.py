from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.core.postgres_server import Server, binaries, running


@pytest.fixture(scope="session")
def postgres() -> Generator[Server]:
    """A PostgreSQL server of this session's own."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (initdb and pg_ctl)")
    with running(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Where an empty store is: a file, then a database on a server."""
    if request.param == "sqlite":
        return tmp_path / "run.db"
    server: Server = request.getfixturevalue("postgres")
    return server.url()
