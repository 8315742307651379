"""What only a database server can do: go away, and come back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator

import pytest

from tests.core.killed_run import GATE, SPACE, TRAIN
from tests.core.postgres_server import Server, binaries, running
from tests.core.shared_trainer import Hasty
from tests.core.training_toys import Dial, closeness
from trace_agents.errors import StoreError
from trace_agents.store import ParameterStore, verify
from trace_agents.training import (
    EpisodeEnded,
    TrainingEvent,
    TrainResult,
    VersionPublished,
    resume,
    train,
)


@pytest.fixture
def own_server() -> Generator[Server]:
    """A server that a test may stop."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (initdb and pg_ctl)")
    with running(programs) as server:
        yield server


def test_a_broken_connection_is_made_again(postgres: Server) -> None:
    """Between two steps nobody notices, neither a writer nor a reader."""
    with ParameterStore(postgres.url(), SPACE) as store:
        postgres.drop_connections()
        store.swap({"dial": 1}, expected=0)
        postgres.drop_connections()
        assert store.head.id == 1


def test_a_step_that_the_connection_broke_in_is_undone(postgres: Server) -> None:
    """It raises one sentence, nothing of it is there, and the next step works."""
    with ParameterStore(postgres.url(), SPACE) as store:

        def broken() -> None:
            with store.transaction():
                store.swap({"dial": 1}, expected=0)
                postgres.drop_connections()
                store.append("Lost", {})

        with pytest.raises(StoreError, match=r"connection to the run's database broke.*resume"):
            broken()
        assert store.head.id == 0
        assert store.swap({"dial": 2}, expected=0).id == 1
        assert verify(store) == ()


def test_a_server_that_is_gone_is_a_store_error(own_server: Server) -> None:
    """Until it is back; then the same store goes on, and nothing is missing."""
    with ParameterStore(own_server.base, SPACE) as store:
        store.swap({"dial": 1}, expected=0)
        own_server.stop()
        try:
            with pytest.raises(StoreError, match="cannot be used"):
                store.swap({"dial": 2}, expected=1)
            with pytest.raises(StoreError):
                ParameterStore(own_server.base, SPACE)
        finally:
            own_server.start()
        assert store.head.values["dial"] == 1
        assert store.swap({"dial": 3}, expected=1).id == 2


async def start(url: str, events: list[TrainingEvent], server: Server, at: type) -> TrainResult:
    def disturb(event: TrainingEvent) -> None:
        events.append(event)
        if sum(isinstance(known, at) for known in events) == 1 and isinstance(event, at):
            server.drop_connections()

    return await train(
        Dial(space=SPACE),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Hasty(1),
        proposals=4,
        batch_size=4,
        store=url,
        on_event=disturb,
    )


@pytest.mark.parametrize("at", [EpisodeEnded, VersionPublished])
async def test_a_run_survives_a_broken_connection(postgres: Server, at: type) -> None:
    """What it told before is there, and it ends as if nothing had been."""
    url = postgres.url()
    result = await start(url, [], postgres, at)
    assert len(result.curve) == 5
    with ParameterStore(url, SPACE) as store:
        assert verify(store) == ()
        assert len(store.episodes()) == result.episodes


async def test_a_run_whose_database_went_away_goes_on_later(own_server: Server) -> None:
    """All that it told before is there, and `resume` makes the decisions that are left."""
    events: list[TrainingEvent] = []

    def disturb(event: TrainingEvent) -> None:
        events.append(event)
        if isinstance(event, VersionPublished) and event.version == 2:
            own_server.stop()

    with pytest.raises(StoreError, match="cannot be used"):
        await train(
            Dial(space=SPACE),
            TRAIN,
            guide=closeness,
            gate_tasks=GATE,
            optimizer=Hasty(1),
            proposals=4,
            batch_size=4,
            store=own_server.base,
            on_event=disturb,
        )
    own_server.start()
    told = {event.episode for event in events if isinstance(event, EpisodeEnded)}
    with ParameterStore(own_server.base, SPACE) as store:
        assert told <= {record.episode for record in store.episodes()}
        assert (store.head.id, verify(store)) == (2, ())
    result = await resume(
        None, Dial(space=SPACE), guide=closeness, optimizer=Hasty(2), store=own_server.base
    )
    assert len(result.curve) == 5


def test_without_the_driver_the_extra_is_named() -> None:
    """One sentence, with the command that installs it."""
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from trace_agents.graph import Parameters\n"
        "from trace_agents.store import ParameterStore\n"
        "ParameterStore('postgresql://nobody@localhost/none', Parameters())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "pip install 'trace-agents[postgres]'" in done.stderr
