"""The canary: a candidate that has passed the gate does a part of the train episodes first.

Of every batch the episodes at fixed indices wait until the decision before it has a candidate to
try out, or none. They run with the candidate, the others of the batch with the live version; if
the candidate does worse by two standard errors, it does not go live. All of them are feedback for
a later decision, as they would have been without a canary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import anyio

from trace_agents.errors import InvalidValue
from trace_agents.graph import Values
from trace_agents.store import CanaryEvidence, Version
from trace_agents.training.judging.gate import mean_and_error
from trace_agents.training.judging.service import Served

Z = 2.0
"""Standard errors by which a candidate must do worse to be turned down."""
WINDOW = 50
"""Episodes of the live version that a candidate is compared with at most."""


def share_of(traffic: Mapping[str, float]) -> float:
    """Return the candidate's part of the train episodes.

    Raises:
        InvalidValue: the parts are not those of head and candidate, or are not parts of 1.
    """
    share = traffic.get("candidate", 0.0)
    whole = math.isclose(sum(traffic.values()), 1.0)
    if set(traffic) != {"head", "candidate"} or not whole or not 0.0 < share < 1.0:
        raise InvalidValue(
            'traffic must be like {"head": 0.9, "candidate": 0.1}, two parts that make 1; '
            f"got {dict(traffic)}"
        )
    return share


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate that was tried out, for what comes of its episodes later."""

    base: int
    """Id of the version that it would replace."""
    changed: tuple[str, ...]
    values: Values
    version: int | None = None
    """Id of the version that it became."""


@dataclass(slots=True)
class Canary:
    """Decides which train episodes run with a candidate, and how it does there."""

    share: float
    size: int
    """Episodes of a batch."""
    admitted: Callable[[], int]
    """Batches so far."""
    first: int = 0
    """Index of the run's first train episode."""
    trials: dict[int, Trial] = field(default_factory=dict[int, Trial])
    """By the negative id that the candidates' episodes carry."""
    served: dict[int, Served] = field(default_factory=dict[int, Served])
    """Train episodes that are over, by index."""
    _running: dict[int, Version] = field(default_factory=dict[int, Version])
    """By batch: the candidate that is tried out in it."""
    _turns: dict[int, anyio.Event] = field(default_factory=dict[int, anyio.Event])
    _over: int = 0
    """Decisions that are over: the batches up to the next one wait for nothing."""
    _closed: bool = False
    _news: anyio.Event = field(default_factory=anyio.Event)

    def takes(self, index: int) -> bool:
        """Tell whether a candidate gets the episode with this index, if there is one."""
        place = index - self.first
        if place < self.size:  # no decision comes before the first batch
            return False
        return math.floor((place + 1) * self.share) > math.floor(place * self.share)

    async def trial(self, index: int) -> Version | None:
        """Return the candidate that an episode runs with; None: it runs as it would otherwise."""
        batch = self._batch(index)
        if not self.takes(index):
            return None
        if batch > self._over and not self._closed:
            await self._turns.setdefault(batch, anyio.Event()).wait()
        return None if self._closed else self._running.get(batch)

    def resume(self, decisions: int, trials: Mapping[int, Trial]) -> None:
        """Take up what was tried in the part of a run that was interrupted."""
        self._over = decisions
        self.trials.update(trials)

    def has_room(self, decision: int) -> bool:
        """Tell whether the batch after a decision has episodes for a candidate, and no other."""
        batch = decision + 1
        free = batch < self.admitted() and batch not in self._running
        return free and any(map(self.takes, self._indices(batch)))

    async def compare(self, candidate: Version, head: Version, decision: int) -> CanaryEvidence:
        """Try a candidate out in the batch after a decision, and return how it did."""
        batch = decision + 1
        indices = self._indices(batch)
        trial = Trial(head.id, candidate.changed, candidate.values)
        self.trials[candidate.id] = trial
        self._running[batch] = candidate
        self._turns.setdefault(batch, anyio.Event()).set()
        while not all(index in self.served for index in indices):
            self._news = anyio.Event()
            await self._news.wait()
        # also what an interrupted decision has tried of the same values
        same = {
            number
            for number, known in self.trials.items()
            if (known.base, dict(known.values)) == (trial.base, dict(trial.values))
        }
        tried = [self.served[i] for i in indices if self.takes(i) and self.served[i][0] in same]
        live = [
            self.served[index]
            for index in sorted(self.served)
            if index < indices.stop and self.served[index][0] == head.id
        ]
        return _evidence(tried, live[-WINDOW:])

    def went_live(self, candidate: int, version: int) -> None:
        """Note what a candidate became."""
        if candidate in self.trials:
            self.trials[candidate] = replace(self.trials[candidate], version=version)

    def ended(self, index: int, served: Served) -> None:
        """Note a train episode that is over."""
        self.served[index] = served
        old = index - WINDOW - 8 * self.size
        self.served.pop(old, None)
        self._news.set()

    def decided(self, decision: int) -> None:
        """Let the episodes go that have waited for a decision."""
        self._over = max(self._over, decision + 1)
        self._turns.setdefault(decision + 1, anyio.Event()).set()

    def close(self) -> None:
        """Let all episodes go: no decision is made any more."""
        self._closed = True
        for turn in self._turns.values():
            turn.set()

    def _batch(self, index: int) -> int:
        return (index - self.first) // self.size

    def _indices(self, batch: int) -> range:
        begin = self.first + batch * self.size
        return range(begin, begin + self.size)


def worse(evidence: CanaryEvidence) -> bool:
    """Tell whether a candidate did worse than the live version beside it."""
    if not evidence.n or not evidence.head_n:
        return False
    gap = evidence.head_mean - evidence.mean
    return gap > Z * evidence.se + 1e-12 * max(1.0, abs(evidence.head_mean))


def _evidence(tried: list[Served], live: list[Served]) -> CanaryEvidence:
    """Return the comparison; an episode that failed counts as the worst that was seen."""
    judged = [[s for s in side if s[2] not in ("unjudged", "stopped")] for side in (tried, live)]
    known = [score for side in judged for _, score, _ in side if score is not None]
    worst = min(known, default=0.0)
    failing = any(score is None for side in judged for _, score, _ in side)
    # below all that was seen, so that failing is worse than the worst answer
    floor = worst - (max(known, default=1.0) - worst or 1.0) if failing else worst
    ours, theirs = ([floor if s is None else s for _, s, _ in side] for side in judged)
    mean, reference = mean_and_error(ours)[0], mean_and_error(theirs)[0]
    return CanaryEvidence(len(ours), mean, len(theirs), reference, _error(ours, theirs))


def _error(ours: list[float], theirs: list[float]) -> float:
    """Return the standard error of the difference, with one spread for both sides.

    A few episodes have no spread of their own that could be relied on.
    """
    spare = len(ours) + len(theirs) - 2
    if not ours or not theirs or spare < 1:
        return 0.0
    squares = sum(
        math.fsum((score - math.fsum(side) / len(side)) ** 2 for score in side)
        for side in (ours, theirs)
    )
    return math.sqrt(squares / spare * (1 / len(ours) + 1 / len(theirs)))
