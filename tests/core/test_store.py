from __future__ import annotations

import contextlib
import sqlite3
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

Place = str | Path


def sql(place: Place, statement: str) -> None:
    """Send a statement past the store."""
    url = str(place) if "://" in str(place) else f"sqlite:///{place}"
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement))
    finally:
        engine.dispose()


def test_a_new_store_begins_with_the_first_values(place: Place) -> None:
    """Version 0 is what the parameters say."""
    with ParameterStore(place, SPACE) as store:
        assert (store.head.id, dict(store.head.values)) == (0, SPACE.defaults())


def test_a_swap_is_compare_and_set(place: Place) -> None:
    """Of two swaps of one head the second stores nothing, also inside a larger step."""
    with ParameterStore(place, SPACE) as store:
        first = store.swap({"n": 2}, expected=0, evidence=EVIDENCE, reasoning="why")
        with store.transaction():
            with pytest.raises(VersionConflict, match="version 0"):
                store.swap({"n": 3}, expected=0)
            store.append("Kept", {})
        assert store.versions()[1:] == (first,)
        assert (first.changed, first.parent, first.evidence) == (("n",), 0, EVIDENCE)
        assert [event.kind for event in store.events()][-1] == "Kept"


def test_two_connections_share_one_head(place: Place) -> None:
    """A swap by another process is seen, and conflicts."""
    with ParameterStore(place, SPACE) as one, ParameterStore(place, SPACE) as two:
        two.swap({"n": 2}, expected=0)
        assert one.head.id == 1
        with pytest.raises(VersionConflict):
            one.swap({"n": 3}, expected=0)


def test_two_connections_get_numbers_of_their_own(place: Place) -> None:
    """Runs and proposals never share one, and what is pending stays with its run."""
    with ParameterStore(place, SPACE) as one, ParameterStore(place, SPACE) as two:
        assert (one.begin_run(), two.begin_run()) == (1, 2)
        assert [store.open_proposal(0) for store in (one, two, one)] == [1, 2, 3]
        one.keep_pending("train-0-v0", "{}")
        two.keep_pending("run2-train-0-v0", "{}")
        two.consume()
        assert (one.pending(), two.pending()) == ({"train-0-v0": "{}"}, {})
        assert [record.run for record in one.proposals()] == [1, 2, 1]
        assert [event.data["number"] for event in one.events(run=2)] == [2]


def test_versions_cannot_be_changed(place: Place) -> None:
    """Neither the value in memory nor the row in the database."""
    with ParameterStore(place, SPACE) as store:
        with pytest.raises(TypeError):
            store.head.values["n"] = 5  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
        store.append("kind", {"a": 1})
    for table, column in (("versions", "origin"), ("events", "kind")):
        with pytest.raises(IntegrityError, match="append-only"):
            sql(place, f"DELETE FROM {table}")
        with pytest.raises(IntegrityError, match="append-only"):
            sql(place, f"UPDATE {table} SET {column} = 'else'")


def test_a_value_of_the_wrong_type_is_not_stored(place: Place) -> None:
    """A number out of its range stays out."""
    with ParameterStore(place, SPACE) as store:
        with pytest.raises(InvalidValue, match="'n'"):
            store.swap({"n": 10}, expected=0)
        assert len(store.versions()) == 1


def test_a_rollback_is_a_new_version(place: Place) -> None:
    """History grows; the values are the earlier ones."""
    with ParameterStore(place, SPACE) as store:
        store.swap({"n": 2}, expected=0)
        back = store.rollback(0, "worse in service")
        assert (back.id, back.origin, back.values["n"]) == (2, "rollback", 1)
        assert store.events()[-1].kind == "RolledBack"
        assert store.events()[-1].data["to"] == 0
        with pytest.raises(StoreError, match="no version 9"):
            store.rollback(9)
        assert store.head == back


def test_lineage_leaves_out_what_was_rolled_back(place: Place) -> None:
    """A version's ancestors are those whose changes are in it."""
    with ParameterStore(place, SPACE) as store:
        store.swap({"n": 2}, expected=0)
        store.swap({"n": 3}, expected=1)
        store.rollback(1)
        store.swap({"prompt": "Be exact."}, expected=3)
        assert [version.id for version in store.lineage()] == [0, 1, 3, 4]
        assert [version.id for version in store.lineage(2)] == [0, 1, 2]
        assert list(store.diff(1, 4)) == ["prompt"]
        assert store.diff(1, 3) == {}


def test_a_label_points_to_one_version(place: Place) -> None:
    """It moves when it is set again, is there after reopening, and must exist to be read."""
    with ParameterStore(place, SPACE) as store:
        store.label("production")
        store.swap({"n": 2}, expected=0)
        store.label("candidate")
        store.label("production", 1)
        with pytest.raises(StoreError, match="no version 7"):
            store.label("production", 7)
    with ParameterStore(place, SPACE) as store:
        assert store.labels() == {"candidate": 1, "production": 1}
        assert store.labelled("production").values["n"] == 2
        with pytest.raises(StoreError, match="labels are: candidate, production"):
            store.labelled("staging")


def test_everything_is_there_after_reopening(place: Place) -> None:
    """Versions, episodes, proposals and events come back equal."""
    episode = EpisodeRecord("train-0-v0", 0, "train", {"q": [1]}, 0, "done", 0.5, "good", run=1)
    proposal = ProposalRecord(
        1, 0, "committed", {"n": 2}, "why", (), EVIDENCE, 1, 10, 0.25, 1, {"tries": [1]}
    )
    with ParameterStore(place, SPACE) as store:
        store.begin_run()
        store.swap({"n": 2}, expected=0, evidence=EVIDENCE)
        store.record_episode(episode)
        store.record_proposal(proposal)
        store.append("Kind", {"a": [1]})
        before = store.versions()
    with ParameterStore(place, SPACE) as store:
        assert store.versions() == before
        assert store.episodes() == store.episodes("train", run=1) == (episode,)
        assert store.proposals() == (proposal,)
        assert (store.events()[-1].kind, store.events()[-1].data) == ("Kind", {"a": [1]})
        assert (store.next_index("train"), store.next_index("gate")) == (1, 0)


def test_an_episode_is_recorded_once(place: Place) -> None:
    """The second record is refused with a sentence, and what came with it is undone."""
    episode = EpisodeRecord("train-0-v0", 0, "train", 1, 0, "done", 0.5)
    with ParameterStore(place, SPACE) as store:
        store.record_episode(episode)
        log = store.events()
        with pytest.raises(StoreError, match="another process"):
            store.record_ended([episode], {"train-0-v0": "{}"}, [("EpisodeEnded", {})])
        assert (store.pending(), store.events()) == ({}, log)


def test_words_that_no_database_takes_are_kept_readable(place: Place) -> None:
    """A NUL and half a surrogate pair in feedback and values do not lose an episode."""
    odd = "a\x00b\ud800c"
    episode = EpisodeRecord("train-0-v0", 0, "train", odd, 0, "done", 0.5, odd, odd)
    with ParameterStore(place, SPACE) as store:
        store.record_episode(episode)
        store.swap({"prompt": odd}, expected=0, reasoning=odd)
    with ParameterStore(place, SPACE) as store:
        assert (store.head.values["prompt"], store.episodes()[0].task) == (odd, odd)
        assert store.episodes()[0].feedback == store.head.reasoning == "a\\x00b\\ud800c"


def test_values_that_no_longer_fit_are_refused(place: Place) -> None:
    """A changed workflow does not silently run old values."""
    with ParameterStore(place, SPACE) as store:
        store.swap({"n": 8}, expected=0)
    narrow = Parameters([SPACE["prompt"], Parameter("n", 1, Number(0, 3))])
    with pytest.raises(StoreError, match="version 1 does not fit"):
        ParameterStore(place, narrow)


def test_a_transaction_keeps_all_or_nothing(place: Place) -> None:
    """A version is undone with what was recorded beside it."""
    with ParameterStore(place, SPACE) as store:
        with contextlib.suppress(RuntimeError), store.transaction():
            store.swap({"n": 2}, expected=0)
            raise RuntimeError
        assert len(store.versions()) == 1
        with pytest.raises(StoreError, match="no version 1"):
            store.get(1)


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    """The error names the file; that of a URL shows no password."""
    path = tmp_path / "notes.txt"
    path.write_text("this is text, and long enough to be read as a header of a database file")
    with pytest.raises(StoreError, match=r"notes\.txt"):
        ParameterStore(path, SPACE)
    with pytest.raises(StoreError, match="database URL") as caught:
        ParameterStore("pigeon://me:secret@loft/run", SPACE)
    assert "secret" not in str(caught.value)


def test_a_version_saves_its_values(place: Place, tmp_path: Path) -> None:
    """They come back by type; a diff shows what changed."""
    with ParameterStore(place, SPACE) as store:
        new = store.swap({"prompt": "Be kind.\nBe exact."}, expected=0)
        new.save(tmp_path / "best.json")
        assert read_values(tmp_path / "best.json", SPACE) == dict(new.values)
        assert "-Be brief.\n+Be exact." in diff(store.get(0), new)["prompt"]
        assert list(diff(store.get(0), new)) == ["prompt"]
    with pytest.raises(StoreError, match="cannot be read"):
        read_values(tmp_path / "none.json")


def test_the_database_of_an_earlier_release_is_taken_over(tmp_path: Path) -> None:
    """Its two runs are told apart, nothing is lost, and it is append-only as before."""
    path = tmp_path / "run.db"
    old = Path(__file__).with_name("run_schema_1.sql").read_text(encoding="utf-8")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(old)
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("episodes", "events", "versions", "proposals", "pending")
        }
    dial = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
    with ParameterStore(path, dial) as store:
        store.run = 2
        episodes, events = store.episodes(), store.events()
        assert (len(episodes), len(store.pending())) == (counts["episodes"], counts["pending"])
        assert (len(store.versions()), len(store.proposals())) == (
            counts["versions"],
            counts["proposals"],
        )
        assert len(events) == counts["events"] + counts["versions"]
        assert len(store.episodes(run=1)) + len(store.episodes(run=2)) == len(episodes)
        assert {record.run for record in store.proposals()} == {1, 2}
        assert {record.calls for record in store.proposals()} == {0}
        assert store.begin_run() == 3
        assert store.labels() == {"production": 1}
    with pytest.raises(IntegrityError, match="append-only"):
        sql(path, "UPDATE events SET run = 9")
    with ParameterStore(path, dial) as store:
        assert (store.events(), store.episodes()) == (events, episodes)


def test_the_database_of_a_later_release_is_refused(place: Place) -> None:
    """The sentence says what to do, and nothing is changed."""
    ParameterStore(place, SPACE).close()
    sql(place, "UPDATE store_schema SET version = 99")
    with pytest.raises(StoreError, match=r"form 99 of a later release.*upgrade"):
        ParameterStore(place, SPACE)
