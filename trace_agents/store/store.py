"""The store: one head, moved by compare-and-set, and everything that happened beside it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from trace_agents.errors import InvalidValue, StoreError, UnknownParameter, VersionConflict
from trace_agents.graph import Parameters, Values
from trace_agents.store.history import History
from trace_agents.store.migrations import prepare
from trace_agents.store.records import Evidence, Origin, Version, diff, evidence_from
from trace_agents.store.rows import version_row
from trace_agents.store.schema import labels, versions


class ParameterStore(History):
    """Versions of `parameters` and the history around them; open it with `with`.

    A new database begins with version 0, the parameters' first values; an existing one goes on
    from its head. `url_or_path` is a database URL, a file, a folder (its `run.db`), or
    `":memory:"`. Every method is synchronous and atomic.

    Raises:
        StoreError: the database cannot be used, or holds values that no longer fit.
    """

    def __init__(self, url_or_path: str | Path, parameters: Parameters) -> None:
        super().__init__(url_or_path)
        self._parameters = parameters
        self._known: dict[int, Version] = {}
        try:
            self._begin_history()
        except BaseException:
            self.close()
            raise

    def _begin_history(self) -> None:
        with self.transaction():
            prepare(self._connection, self.where)
            if self._newest() is None:
                self._insert(Version(0, None, self._parameters.defaults()))
        self.versions()

    def _undone(self) -> None:
        self._known.clear()  # it may hold a version that was just undone

    @property
    def head(self) -> Version:
        """The live version."""
        newest = self._newest()
        if newest is None:
            raise StoreError(f"{self.where}: the database lost its versions; use another one")
        return self.get(newest)

    @property
    def latest(self) -> Version:
        """The newest version that this object has seen, without asking the database."""
        return self._known[max(self._known)] if self._known else self.head

    def versions(self) -> tuple[Version, ...]:
        """Return every version, oldest first."""
        count = (self._newest() or 0) + 1  # ids have no gaps
        if len(self._known) < count:
            for row in self._rows(select(versions)):
                if row.id not in self._known:
                    self._known[row.id] = self._version(row)
        return tuple(self._known[number] for number in sorted(self._known))

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
                raise StoreError(f"{self.where}: there is no version {version}")
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

    def rollback(self, to: int, reason: str = "rolled back by hand") -> Version:
        """Make the values of version `to` live again, as a new version, and return it.

        Raises:
            StoreError: there is no such version.
            VersionConflict: somebody else moved the head at the same time.
        """
        values, head = self.get(to).values, self.head.id
        with self.transaction():
            version = self.swap(values, expected=head, reasoning=reason, origin="rollback")
            self.append("RolledBack", {"version": version.id, "to": to, "reason": reason})
        return version

    def lineage(self, version: int | None = None) -> tuple[Version, ...]:
        """Return the versions that made a version (the head without it), oldest first.

        What was rolled back is left out: a rollback stands for the version whose values it has.
        """
        found: list[Version] = []
        current: Version | None = self.head if version is None else self.get(version)
        while current is not None:
            found.append(current)
            current = self._maker(current)
        return tuple(reversed(found))

    def diff(self, before: int, after: int) -> dict[str, str]:
        """Return a unified diff of every parameter that differs between two versions, by name."""
        return diff(self.get(before), self.get(after))

    def label(self, name: str, version: int | None = None) -> None:
        """Let a name, such as `production`, point to a version (the head without one).

        A label is for people and for deployments: training neither reads nor moves it.

        Raises:
            StoreError: there is no such version.
        """
        target = self.head.id if version is None else self.get(version).id
        moved = update(labels).where(labels.c.name == name).values(version=target)
        with self.transaction(), self._translated():
            while not self._connection.execute(moved).rowcount:
                try:
                    with self._connection.begin_nested():
                        self._add(labels, {"name": name, "version": target})
                except StoreError as error:
                    if not isinstance(error.__cause__, IntegrityError):
                        raise  # else: somebody else set the same label first
                else:
                    break
            # after the row is ours: the order of the log is that of the label's moves
            self.append("Labelled", {"label": name, "version": target})

    def labels(self) -> dict[str, int]:
        """Return the version ids by label."""
        return {row.name: row.version for row in self._rows(select(labels).order_by("name"))}

    def labelled(self, name: str) -> Version:
        """Return the version that a label points to.

        Raises:
            StoreError: there is no such label; the sentence names those there are.
        """
        known = self.labels()
        if name not in known:
            raise StoreError(
                f"{self.where}: no version is labelled {name!r}; "
                f"the labels are: {', '.join(known) or 'none'}"
            )
        return self.get(known[name])

    def _insert(self, version: Version) -> None:
        # the primary key is the compare-and-set: two swaps of one head want the same id
        try:
            with self._translated(), self._connection.begin_nested():
                self._connection.execute(insert(versions), version_row(version))
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise _Taken from None
            raise
        self.append("VersionAdded", _added(version))

    def _maker(self, version: Version) -> Version | None:
        """Return the version that `version` was made from."""
        if version.parent is None:
            return None
        if version.origin != "rollback":
            return self.get(version.parent)
        earlier = (self.get(number) for number in range(version.id - 1, -1, -1))
        return next(old for old in earlier if old.values == version.values)

    def _newest(self) -> int | None:
        if not self._remote:
            # asked for every episode: past SQLAlchemy it takes microseconds
            raw: Any = self._connection.connection.driver_connection
            return cast("int | None", raw.execute("SELECT max(id) FROM versions").fetchone()[0])
        with self._reading():
            newest: int | None = self._connection.scalar(select(func.max(versions.c.id)))
        return newest

    def _version(self, row: Row[Any]) -> Version:
        try:
            values = typed(self._parameters, json.loads(row.values_json))
        except (InvalidValue, UnknownParameter) as error:
            raise StoreError(
                f"{self.where}: version {row.id} does not fit the workflow: {error}; "
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


class _Taken(Exception):
    """The id of a new version is in use: somebody else moved the head."""


def _added(version: Version) -> dict[str, object]:
    """Return the event of a version: all that its row says but the words of its reasoning."""
    return {
        "version": version.id,
        "parent": version.parent,
        "values": dict(version.values),
        "changed": version.changed,
        "evidence": None if version.evidence is None else asdict(version.evidence),
        "origin": version.origin,
    }


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
