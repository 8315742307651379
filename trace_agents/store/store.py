"""The store: one head, moved by compare-and-set, and everything that happened beside it."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, cast

from sqlalchemy import Connection, Row, Select, Table, func, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from trace_agents.errors import InvalidValue, StoreError, UnknownParameter, VersionConflict
from trace_agents.graph import Parameters, Values
from trace_agents.store.records import (
    EpisodeRecord,
    Event,
    Evidence,
    Origin,
    ProposalRecord,
    Version,
    canonical,
    evidence_from,
)
from trace_agents.store.rows import (
    episode_from,
    episode_row,
    proposal_from,
    proposal_row,
    version_row,
)
from trace_agents.store.schema import episodes, events, open_engine, prepare, proposals, versions


class ParameterStore:
    """Versions of `parameters` and the history around them; open it with `with`.

    A new database begins with version 0, the parameters' first values; an existing one goes on
    from its head. `url_or_path` is a database URL, a file, a folder (its `run.db`), or
    `":memory:"`. Every method is synchronous and atomic.

    Raises:
        StoreError: the database cannot be used, or holds values that no longer fit.
    """

    def __init__(self, url_or_path: str | Path, parameters: Parameters) -> None:
        self._where = str(url_or_path)
        self._parameters = parameters
        self._known: dict[int, Version] = {}
        with _translated(self._where):
            self._engine = open_engine(_url(url_or_path))
            self._connection: Connection = self._engine.connect()
            try:
                self._begin_history()
            except BaseException:
                self.close()
                raise

    def _begin_history(self) -> None:
        with self.transaction():
            prepare(self._connection)
            if self._newest() is None:
                self._insert(Version(0, None, self._parameters.defaults()))
        self.versions()

    def __enter__(self) -> ParameterStore:
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
            with _translated(self._where), self._connection.begin():
                yield
        except BaseException:
            self._known.clear()  # it may hold a version that was just undone
            raise

    @property
    def head(self) -> Version:
        """The live version."""
        with self._reading():
            newest = self._newest()
        if newest is None:
            raise StoreError(f"{self._where}: the database lost its versions; use another one")
        return self.get(newest)

    def versions(self) -> tuple[Version, ...]:
        """Return every version, oldest first."""
        with self._reading():
            ids = self._connection.scalars(select(versions.c.id).order_by(versions.c.id)).all()
        return tuple(self.get(number) for number in ids)

    def get(self, version: int) -> Version:
        """Return one version.

        Raises:
            StoreError: there is no such version.
        """
        if version not in self._known:
            with self._reading():
                row = self._connection.execute(
                    select(versions).where(versions.c.id == version)
                ).one_or_none()
            if row is None:
                raise StoreError(f"{self._where}: there is no version {version}")
            self._known[version] = self._version(row)
        return self._known[version]

    def swap(
        self,
        values: Values,
        *,
        expected: int,
        evidence: Evidence | None = None,
        reasoning: str = "",
        origin: Origin = "proposal",
    ) -> Version:
        """Make `values` the new head if the head is still `expected`, and return it.

        Raises:
            VersionConflict: the head is another one by now; nothing was stored.
            InvalidValue: a value does not fit its parameter.
            UnknownParameter: a name that no parameter has.
        """
        base = self.get(expected)
        checked = typed(self._parameters, {**base.values, **values})
        changed = tuple(name for name in checked if checked[name] != base.values.get(name))
        version = Version(
            expected + 1, expected, checked, changed, evidence, reasoning or "", origin
        )
        try:
            with self.transaction():
                self._insert(version)
        except _Taken:
            raise VersionConflict(
                f"version {expected} is no longer the head; judge the change against the new "
                "head and swap again"
            ) from None
        return self.get(version.id)

    def rollback(self, to: int, reason: str) -> Version:
        """Make the values of version `to` live again, as a new version, and return it."""
        return self.swap(
            self.get(to).values, expected=self.head.id, reasoning=reason, origin="rollback"
        )

    def append(self, kind: str, data: Mapping[str, object]) -> None:
        """Add an event to the log."""
        self._add(events, {"kind": kind, "data": canonical(data)})

    def events(self) -> tuple[Event, ...]:
        """Return the log, oldest first."""
        return tuple(
            Event(row.seq, row.kind, json.loads(row.data))
            for row in self._rows(select(events).order_by(events.c.seq))
        )

    def record_episode(self, record: EpisodeRecord) -> None:
        """Keep a finished episode."""
        self._add(episodes, episode_row(record))

    def episodes(self, split: str | None = None) -> tuple[EpisodeRecord, ...]:
        """Return the finished episodes of one split, or of all, in the order of their ends."""
        query = select(episodes).order_by(episodes.c.ended, episodes.c.number)
        if split is not None:
            query = query.where(episodes.c.split == split)
        return tuple(episode_from(row) for row in self._rows(query))

    def next_index(self, *splits: str) -> int:
        """Return the first index that no episode of these splits has."""
        query = select(func.max(episodes.c.number)).where(episodes.c.split.in_(splits))
        with self._reading():
            highest = self._connection.scalar(query)
        return 0 if highest is None else int(highest) + 1

    def record_proposal(self, record: ProposalRecord) -> None:
        """Keep what became of a proposal."""
        self._add(proposals, proposal_row(record))

    def proposals(self) -> tuple[ProposalRecord, ...]:
        """Return every proposal, oldest first."""
        rows = self._rows(select(proposals).order_by(proposals.c.number))
        return tuple(proposal_from(row) for row in rows)

    def _insert(self, version: Version) -> None:
        # the primary key is the compare-and-set: two swaps of one head want the same id
        try:
            self._connection.execute(insert(versions), version_row(version))
        except IntegrityError:
            raise _Taken from None

    def _newest(self) -> int | None:
        newest: int | None = self._connection.scalar(select(func.max(versions.c.id)))
        return newest

    def _version(self, row: Row[Any]) -> Version:
        try:
            values = typed(self._parameters, json.loads(row.values_json))
        except (InvalidValue, UnknownParameter) as error:
            raise StoreError(
                f"{self._where}: version {row.id} does not fit the workflow: {error}; "
                "train in another folder, or undo the change of the workflow"
            ) from None
        return Version(
            row.id,
            row.parent,
            MappingProxyType(values),
            tuple(json.loads(row.changed)),
            evidence_from(row.evidence),
            row.reasoning,
            cast("Origin", row.origin),
        )

    def _add(self, table: Table, row: Mapping[str, object]) -> None:
        with self.transaction(), _translated(self._where):
            self._connection.execute(insert(table), row)

    def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        with self._reading():
            return list(self._connection.execute(query))

    @contextmanager
    def _reading(self) -> Generator[None, None, None]:
        # a read opens a transaction; left open it would hide what other connections commit
        with self.transaction():
            yield


class _Taken(Exception):
    """The id of a new version is in use: somebody else moved the head."""


def typed(parameters: Parameters, values: Values) -> dict[str, object]:
    """Return `values` checked by type and completed; frozen parameters keep what they had.

    Raises:
        InvalidValue: a value does not fit.
        UnknownParameter: a name that no parameter has.
    """
    checked = parameters.defaults()
    for name, value in values.items():
        try:
            checked[name] = parameters[name].type.check(value)
        except InvalidValue as error:
            raise InvalidValue(f"parameter {name!r}: {error}") from None
    return checked


def _url(url_or_path: str | Path) -> str:
    text = str(url_or_path)
    if "://" in text:
        return text
    if text == ":memory:":
        return "sqlite://"
    path = Path(text)
    return f"sqlite:///{path / 'run.db' if path.is_dir() else path}"


@contextmanager
def _translated(where: str) -> Generator[None, None, None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"{where}: the run's database cannot be used: {reason}") from error
    except OSError as error:
        raise StoreError(f"{where}: the run's database cannot be opened: {error}") from error
