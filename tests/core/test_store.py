from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import IntegrityError

from trace_agents.errors import InvalidValue, StoreError, VersionConflict
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.store import (
    EpisodeRecord,
    Evidence,
    ParameterStore,
    ProposalRecord,
    diff,
    read_values,
)

SPACE = Parameters([Parameter("prompt", "Be kind.\nBe brief."), Parameter("n", 1, Number(0, 9))])
EVIDENCE = Evidence(8, 0.5, 0.1, 0.2, 0.7, 0)


def test_a_new_store_begins_with_the_first_values() -> None:
    """Version 0 is what the parameters say."""
    with ParameterStore(":memory:", SPACE) as store:
        assert (store.head.id, dict(store.head.values)) == (0, SPACE.defaults())


def test_a_swap_is_compare_and_set() -> None:
    """Of two swaps of one head the second stores nothing."""
    with ParameterStore(":memory:", SPACE) as store:
        first = store.swap({"n": 2}, expected=0, evidence=EVIDENCE, reasoning="why")
        with pytest.raises(VersionConflict, match="version 0"):
            store.swap({"n": 3}, expected=0)
        assert store.versions()[1:] == (first,)
        assert (first.changed, first.parent, first.evidence) == (("n",), 0, EVIDENCE)


def test_two_connections_share_one_head(tmp_path: Path) -> None:
    """A swap by another process is seen, and conflicts."""
    path = tmp_path / "run.db"
    with ParameterStore(path, SPACE) as one, ParameterStore(path, SPACE) as two:
        two.swap({"n": 2}, expected=0)
        assert one.head.id == 1
        with pytest.raises(VersionConflict):
            one.swap({"n": 3}, expected=0)


def test_versions_cannot_be_changed(tmp_path: Path) -> None:
    """Neither the value in memory nor the row in the file."""
    with ParameterStore(tmp_path, SPACE) as store:
        with pytest.raises(TypeError):
            store.head.values["n"] = 5  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
        store.append("kind", {"a": 1})
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'run.db'}")
    for table in ("versions", "events"):
        with engine.connect() as connection, pytest.raises(IntegrityError):
            connection.execute(sqlalchemy.text(f"DELETE FROM {table}"))
    engine.dispose()


def test_a_value_of_the_wrong_type_is_not_stored() -> None:
    """A number out of its range stays out."""
    with ParameterStore(":memory:", SPACE) as store:
        with pytest.raises(InvalidValue, match="'n'"):
            store.swap({"n": 10}, expected=0)
        assert len(store.versions()) == 1


def test_a_rollback_is_a_new_version() -> None:
    """History grows; the values are the earlier ones."""
    with ParameterStore(":memory:", SPACE) as store:
        store.swap({"n": 2}, expected=0)
        back = store.rollback(0, "worse in service")
        assert (back.id, back.origin, back.values["n"]) == (2, "rollback", 1)
        assert [(e.kind, e.data["to"]) for e in store.events()] == [("RolledBack", 0)]
        with pytest.raises(StoreError, match="no version 9"):
            store.rollback(9)
        assert store.head == back


def test_lineage_leaves_out_what_was_rolled_back() -> None:
    """A version's ancestors are those whose changes are in it."""
    with ParameterStore(":memory:", SPACE) as store:
        store.swap({"n": 2}, expected=0)
        store.swap({"n": 3}, expected=1)
        store.rollback(1)
        store.swap({"prompt": "Be exact."}, expected=3)
        assert [version.id for version in store.lineage()] == [0, 1, 3, 4]
        assert [version.id for version in store.lineage(2)] == [0, 1, 2]
        assert list(store.diff(1, 4)) == ["prompt"]
        assert store.diff(1, 3) == {}


def test_a_label_points_to_one_version(tmp_path: Path) -> None:
    """It moves when it is set again, is there after reopening, and must exist to be read."""
    with ParameterStore(tmp_path, SPACE) as store:
        store.label("production")
        store.swap({"n": 2}, expected=0)
        store.label("candidate")
        store.label("production", 1)
        with pytest.raises(StoreError, match="no version 7"):
            store.label("production", 7)
    with ParameterStore(tmp_path, SPACE) as store:
        assert store.labels() == {"candidate": 1, "production": 1}
        assert store.labelled("production").values["n"] == 2
        with pytest.raises(StoreError, match="labels are: candidate, production"):
            store.labelled("staging")


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    """Versions, episodes, proposals and events come back equal."""
    episode = EpisodeRecord("train-0-v0", 0, "train", {"q": [1]}, 0, "done", 0.5, "good")
    proposal = ProposalRecord(1, 0, "committed", {"n": 2}, "why", (), EVIDENCE, 1)
    with ParameterStore(tmp_path, SPACE) as store:
        store.swap({"n": 2}, expected=0, evidence=EVIDENCE)
        store.record_episode(episode)
        store.record_proposal(proposal)
        store.append("Kind", {"a": [1]})
        before = store.versions()
    with ParameterStore(tmp_path, SPACE) as store:
        assert store.versions() == before
        assert store.episodes() == (episode,)
        assert store.proposals() == (proposal,)
        assert [(e.kind, e.data) for e in store.events()] == [("Kind", {"a": [1]})]
        assert (store.next_index("train"), store.next_index("gate")) == (1, 0)


def test_values_that_no_longer_fit_are_refused(tmp_path: Path) -> None:
    """A changed workflow does not silently run old values."""
    with ParameterStore(tmp_path, SPACE) as store:
        store.swap({"n": 8}, expected=0)
    narrow = Parameters([SPACE["prompt"], Parameter("n", 1, Number(0, 3))])
    with pytest.raises(StoreError, match="version 1 does not fit"):
        ParameterStore(tmp_path, narrow)


def test_a_transaction_keeps_all_or_nothing() -> None:
    """A version is undone with what was recorded beside it."""
    with ParameterStore(":memory:", SPACE) as store:
        with contextlib.suppress(RuntimeError), store.transaction():
            store.swap({"n": 2}, expected=0)
            raise RuntimeError
        assert len(store.versions()) == 1
        with pytest.raises(StoreError, match="no version 1"):
            store.get(1)


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    """The error names the file."""
    path = tmp_path / "notes.txt"
    path.write_text("this is text, and long enough to be read as a header of a database file")
    with pytest.raises(StoreError, match=r"notes\.txt"):
        ParameterStore(path, SPACE)


def test_a_version_saves_its_values(tmp_path: Path) -> None:
    """They come back by type; a diff shows what changed."""
    with ParameterStore(":memory:", SPACE) as store:
        new = store.swap({"prompt": "Be kind.\nBe exact."}, expected=0)
        new.save(tmp_path / "best.json")
        assert read_values(tmp_path / "best.json", SPACE) == dict(new.values)
        assert "-Be brief.\n+Be exact." in diff(store.get(0), new)["prompt"]
        assert list(diff(store.get(0), new)) == ["prompt"]
    with pytest.raises(StoreError, match="cannot be read"):
        read_values(tmp_path / "none.json")
