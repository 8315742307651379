"""What a store records beside the versions: runs, events, episodes, and what is pending."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Select, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from trace_agents.errors import StoreError
from trace_agents.store.database import Database
from trace_agents.store.records import EpisodeRecord, Event, ProposalRecord, canonical
from trace_agents.store.rows import (
    episode_from,
    episode_row,
    proposal_from,
    proposal_row,
    storable,
)
from trace_agents.store.schema import episodes, events, pending, proposals, runs


class History(Database):
    """The log and the records of all runs; every method is synchronous and atomic.

    What is written belongs to the run whose number `run` is; 0 is none, for what is done by hand.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        super().__init__(url_or_path)
        self.run = 0

    def begin_run(self) -> int:
        """Return the number of a new run, which no other run in this database has."""
        self.run = self._numbered(runs, {"started": time.time()})
        return self.run

    def append(self, kind: str, data: Mapping[str, object]) -> None:
        """Add an event to the log."""
        self._add(events, self._event(kind, data))

    def events(
        self, after: int = 0, run: int | None = None, kinds: Iterable[str] | None = None
    ) -> tuple[Event, ...]:
        """Return the log from an event on, of one run and some kinds, or all, oldest first."""
        query = select(events).where(events.c.seq > after).order_by(events.c.seq)
        if run is not None:
            query = query.where(events.c.run == run)
        if kinds is not None:
            query = query.where(events.c.kind.in_(tuple(kinds)))
        return tuple(
            Event(row.seq, row.kind, json.loads(row.data), row.run) for row in self._rows(query)
        )

    def record_episode(self, record: EpisodeRecord) -> None:
        """Keep a finished episode."""
        self.record_ended([record], {}, ())

    def record_ended(
        self,
        records: Sequence[EpisodeRecord],
        bodies: Mapping[str, str],
        log: Sequence[tuple[str, Mapping[str, object]]],
    ) -> None:
        """Keep finished episodes, what decisions need of them, and their events, in one step.

        Raises:
            StoreError: an episode is recorded already, or the database cannot be used.
        """
        with self.transaction():
            self._add_episodes([self._owned(record) for record in records])
            kept = [
                {"episode": episode, "body": storable(body), "run": self.run}
                for episode, body in bodies.items()
            ]
            self._add_all(pending, kept)
            self._add_all(events, [self._event(kind, data) for kind, data in log])

    def episodes(
        self, split: str | None = None, run: int | None = None
    ) -> tuple[EpisodeRecord, ...]:
        """Return the finished episodes of a split and a run, in the order of their ends."""
        query = select(episodes).order_by(episodes.c.ended, episodes.c.number)
        if split is not None:
            query = query.where(episodes.c.split == split)
        if run is not None:
            query = query.where(episodes.c.run == run)
        return tuple(episode_from(row) for row in self._rows(query))

    def next_index(self, *splits: str) -> int:
        """Return the first index that no episode of these splits has."""
        query = select(func.max(episodes.c.number)).where(episodes.c.split.in_(splits))
        return self._after(query, 0)

    def open_proposal(self, base: int, **data: object) -> int:
        """Return the number of a new proposal, which no other one in this database has.

        It is `open` until `record_proposal` says what became of it.
        """
        record = ProposalRecord(0, base, "open", run=self.run)
        with self.transaction():
            number = self._numbered(proposals, proposal_row(record))
            self.append("ProposalOpened", {"number": number, "base": base, **data})
        return number

    def record_proposal(self, record: ProposalRecord) -> None:
        """Keep what became of a proposal."""
        row = proposal_row(record if record.run else replace(record, run=self.run))
        with self.transaction(), self._translated():
            known = update(proposals).where(proposals.c.number == record.number).values(row)
            if not self._connection.execute(known).rowcount:
                self._add(proposals, row)

    def next_proposal(self) -> int:
        """Return the first number that no proposal has."""
        return self._after(select(func.max(proposals.c.number)), 1)

    def proposals(self, run: int | None = None) -> tuple[ProposalRecord, ...]:
        """Return every proposal, of one run or of all, oldest first."""
        query = select(proposals).order_by(proposals.c.number)
        if run is not None:
            query = query.where(proposals.c.run == run)
        return tuple(proposal_from(row) for row in self._rows(query))

    def keep_pending(self, episode: str, body: str) -> None:
        """Keep what a decision needs of a finished episode that none has used yet."""
        self.record_ended((), {episode: body}, ())

    def pending(self) -> dict[str, str]:
        """Return what this run was to keep for decisions and none has used, by episode."""
        query = select(pending).where(pending.c.run == self.run)
        return {row.episode: row.body for row in self._rows(query)}

    def consume(self, episodes: Iterable[str] | None = None) -> None:
        """Forget what is pending of these episodes, or of the run: a decision has used them."""
        query = delete(pending).where(pending.c.run == self.run)
        if episodes is not None:
            query = query.where(pending.c.episode.in_(tuple(episodes)))
        with self.transaction(), self._translated():
            self._connection.execute(query)

    def _event(self, kind: str, data: Mapping[str, object]) -> dict[str, object]:
        return {"kind": kind, "data": storable(canonical(data)), "run": self.run}

    def _owned(self, record: EpisodeRecord) -> dict[str, object]:
        row = episode_row(record)
        row["run"] = record.run or self.run
        return row

    def _add_episodes(self, rows: Sequence[Mapping[str, object]]) -> None:
        try:
            self._add_all(episodes, rows)
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise StoreError(
                    f"{self.where}: an episode of run {self.run} is recorded already "
                    f"({error.__cause__.orig}); is another process going on with the same run?"
                ) from error
            raise

    def _numbered(self, table: Table, row: Mapping[str, object]) -> int:
        """Add a row under the next number, whoever adds others at the same time."""
        with self.transaction(), self._translated():
            while True:
                number = self._after(select(func.max(table.c.number)), 1)
                try:
                    with self._connection.begin_nested():
                        self._connection.execute(insert(table), {**row, "number": number})
                except IntegrityError:
                    if self._after(select(func.max(table.c.number)), 1) == number:
                        raise  # nobody else took it: the row itself is wrong
                else:
                    return number

    def _after(self, highest: Select[Any], first: int) -> int:
        with self._reading():
            found = self._connection.scalar(highest)
        return first if found is None else int(found) + 1
