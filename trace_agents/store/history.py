"""What a store records beside the versions: events, episodes, proposals, and what is pending."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import delete, func, select

from trace_agents.store.database import Database
from trace_agents.store.records import EpisodeRecord, Event, ProposalRecord, canonical
from trace_agents.store.rows import episode_from, episode_row, proposal_from, proposal_row
from trace_agents.store.schema import episodes, events, pending, proposals


class History(Database):
    """The log and the records of a run; every method is synchronous and atomic."""

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

    def next_proposal(self) -> int:
        """Return the first number that no proposal has."""
        with self._reading():
            highest = self._connection.scalar(select(func.max(proposals.c.number)))
        return 1 if highest is None else int(highest) + 1

    def proposals(self) -> tuple[ProposalRecord, ...]:
        """Return every proposal, oldest first."""
        rows = self._rows(select(proposals).order_by(proposals.c.number))
        return tuple(proposal_from(row) for row in rows)

    def keep_pending(self, episode: str, body: str) -> None:
        """Keep what a decision needs of a finished episode that none has used yet."""
        self._add(pending, {"episode": episode, "body": body})

    def pending(self) -> dict[str, str]:
        """Return what `keep_pending` was given and no decision has used, by episode."""
        return {row.episode: row.body for row in self._rows(select(pending))}

    def consume(self, episodes: Iterable[str] | None = None) -> None:
        """Forget what is pending of these episodes, or of all: a decision has used them."""
        query = delete(pending)
        if episodes is not None:
            query = query.where(pending.c.episode.in_(tuple(episodes)))
        with self.transaction():
            self._connection.execute(query)
