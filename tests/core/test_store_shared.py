"""Several trainers on one store: they disturb each other's work, and never its memory."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from tests.core.killed_run import GATE, SPACE, TRAIN
from tests.core.shared_trainer import Hasty
from tests.core.test_store import sql
from tests.core.training_toys import SPACE as BOTH
from tests.core.training_toys import Dial, Scripted, closeness
from trace_agents.errors import InvalidValue, StoreError
from trace_agents.graph import Values
from trace_agents.optimizers.base import Proposal
from trace_agents.store import ParameterStore, fold, verify
from trace_agents.training import (
    GateRound,
    TrainingEvent,
    TrainResult,
    resume,
    train,
)

ROOT = Path(__file__).parent.parent.parent
PROPOSALS = 12


def url(place: Path | str) -> str:
    return place if isinstance(place, str) else f"sqlite:///{place}"


def trainer(place: Path | str, seed: int, death: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.core.shared_trainer", url(place), str(seed)]
    return subprocess.Popen(
        [*command, str(PROPOSALS), str(death)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def check_whole(place: Path | str, runs: int) -> None:
    """One line of versions, each with evidence against the one it replaced, and no mixing."""
    with ParameterStore(url(place), SPACE) as store:
        assert verify(store) == ()
        versions = store.versions()
        assert [version.id for version in versions] == list(range(len(versions)))
        for before, version in itertools.pairwise(versions):
            assert version.parent == before.id
            assert version.evidence is not None
            assert version.evidence.baseline == before.id
            assert version.evidence.n == len(GATE)
        names = [record.episode for record in store.episodes()]
        assert len(set(names)) == len(names)
        committed = [r for r in store.proposals() if r.state == "committed"]
        assert sorted(r.version or 0 for r in committed) == list(range(1, len(versions)))
        assert {record.run for record in store.proposals()} == set(range(1, runs + 1))
        for run in range(1, runs + 1):
            decided = [r for r in store.proposals(run) if r.state not in ("abandoned", "open")]
            assert len(decided) == PROPOSALS
            trained = [record.index for record in store.episodes("train", run)]
            assert len(set(trained)) == len(trained) == 4 * PROPOSALS
            spent = fold(store.events(run=run)).spent[run]
            assert spent["episodes"] == len(store.episodes(run=run))


def test_two_processes_train_on_one_store(place: Path | str) -> None:
    """Their versions make one line, and each pays for its own episodes."""
    with trainer(place, 1) as one, trainer(place, 2) as two:
        errors = [process.communicate(timeout=120)[1] for process in (one, two)]
    assert (one.returncode, two.returncode) == (0, 0), errors
    check_whole(place, 2)


async def test_a_killed_trainer_goes_on_beside_another(place: Path | str) -> None:
    """It goes on with its own run, by number, whatever the other has done."""
    with trainer(place, 1, death=60) as one, trainer(place, 2) as two:
        errors = [process.communicate(timeout=120)[1] for process in (one, two)]
    assert (one.returncode, two.returncode) == (-signal.SIGKILL, 0), errors
    with ParameterStore(url(place), SPACE) as store:
        assert verify(store) == ()
        begun, ended = (
            {event.run for event in store.events(kinds=[kind])}
            for kind in ("RunStarted", "RunEnded")
        )
    (killed,) = begun - ended
    result = await resume(
        None,
        Dial(space=SPACE),
        guide=closeness,
        optimizer=Hasty(3),
        store=url(place),
        run_number=killed,
    )
    assert result.run == killed
    check_whole(place, 2)


async def test_two_runs_at_once_in_one_process(place: Path | str) -> None:
    """Each has a connection of its own, and the later finds the other's versions."""
    results: list[TrainResult] = []

    async def one(seed: int) -> None:
        result = await train(
            Dial(space=SPACE),
            TRAIN,
            guide=closeness,
            gate_tasks=GATE,
            optimizer=Hasty(seed),
            proposals=PROPOSALS,
            batch_size=4,
            store=url(place),
        )
        results.append(result)

    async with anyio.create_task_group() as group:
        group.start_soon(one, 1)
        group.start_soon(one, 2)
    check_whole(place, 2)
    assert sorted(result.run for result in results) == [1, 2]


async def test_a_change_by_hand_is_built_upon(place: Path | str) -> None:
    """A rollback from outside in the middle of a judgement: the candidate is judged anew."""
    moved: list[int] = []

    def interfere(event: TrainingEvent) -> None:
        if isinstance(event, GateRound) and event.number == 2 and not moved:
            with ParameterStore(url(place), SPACE) as other:
                moved.append(other.rollback(0, "by hand").id)

    space = Dial(space=SPACE)
    result = await train(
        space,
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Scripted({"dial": 10}, {"dial": 20}),
        proposals=2,
        batch_size=4,
        store=url(place),
        on_event=interfere,
    )
    assert [version.origin for version in result.versions] == ["initial", "proposal", "rollback"]
    with ParameterStore(url(place), SPACE) as store:
        # the dial that it would turn was turned by somebody else
        assert [record.state for record in store.proposals()] == ["committed", "conflict"]
        assert verify(store) == ()


@pytest.mark.parametrize(
    ("theirs", "state"), [({"spare": "new"}, "committed"), ({"dial": 5}, "conflict")]
)
@pytest.mark.filterwarnings("ignore:no episode has read the parameter 'spare'")
async def test_a_head_that_moved_while_the_optimizer_thought(
    theirs: dict[str, object], state: str, place: Path | str
) -> None:
    """Its change is judged on the new head, unless that has changed the same parameter."""

    class Slow(Scripted):
        async def propose(self, values: Values | None = None) -> Proposal:
            with ParameterStore(url(place), BOTH) as other:
                other.swap(theirs, expected=0)
            return await super().propose(values)

    result = await train(
        Dial(),
        TRAIN,
        guide=closeness,
        gate_tasks=GATE,
        optimizer=Slow({"dial": 20}),
        proposals=1,
        batch_size=4,
        store=url(place),
    )
    with ParameterStore(url(place), BOTH) as store:
        assert [record.state for record in store.proposals()] == [state]
    assert (
        dict(result.best.values)
        == {
            "committed": {"dial": 20, "spare": "new"},
            "conflict": {"dial": 5, "spare": "text"},
        }[state]
    )
    assert result.best.evidence is None or result.best.evidence.baseline == 1


async def test_a_run_that_is_not_there_is_named(place: Path | str) -> None:
    """A number that no run has, and a store without any run."""
    with pytest.raises(StoreError, match="begin one with train"):
        await resume(None, Dial(space=SPACE), guide=closeness, store=url(place))
    with pytest.raises(InvalidValue, match="store="):
        await resume(None, Dial(space=SPACE), guide=closeness)
    with ParameterStore(url(place), SPACE) as store:
        store.run = store.begin_run()
        store.append("RunStarted", {})
    with pytest.raises(StoreError, match=r"no run 7; the runs are \[1\]"):
        await resume(None, Dial(space=SPACE), guide=closeness, store=url(place), run_number=7)


def test_verify_finds_what_the_log_does_not_say(place: Path | str) -> None:
    """A row that came past the log, in each of the tables."""
    with ParameterStore(url(place), SPACE) as store:
        store.label("production")
        store.open_proposal(0)
        assert verify(store) == ()
        sql(url(place), "UPDATE proposals SET state = 'committed'")
        sql(url(place), "DELETE FROM labels")
        sql(
            url(place),
            "INSERT INTO versions VALUES (1, 0, '{\"dial\": 3}', '[]', NULL, '', 'proposal')",
        )
        sql(
            url(place),
            "INSERT INTO episodes (id, number, split, task, version, status, feedback, metrics,"
            " started, ended) VALUES ('x', 0, 'train', '1', 0, 'done', '', '{\"tokens\": 3}',"
            " 0, 0)",
        )
        found = [problem.split(":")[0] for problem in verify(store)]
        assert found == ["spent", "head", "versions", "episodes", "proposals", "labels"]
