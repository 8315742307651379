"""Where an optimizer that runs a loop of its own gets its scores, within a budget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from trace_agents.errors import BudgetExhausted, ModelError
from trace_agents.feedback import Guide
from trace_agents.graph import Values
from trace_agents.propagate import TraceGraph, backward
from trace_agents.store import Version
from trace_agents.training.budgets.budget import Ledger, Spent
from trace_agents.training.episodes.evaluation import evaluate
from trace_agents.training.episodes.mistakes import GuideFailed
from trace_agents.training.episodes.runner import Rollout
from trace_agents.training.proposals.proposing import words
from trace_agents.workflow import Workflow


class Billed(Protocol):
    """What a call of a model ended with."""

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        ...

    @property
    def usd(self) -> float:
        """US dollars."""
        ...

    @property
    def calls(self) -> int:
        """Requests that were made."""
        ...


T = TypeVar("T", bound=Billed)


@dataclass(frozen=True, slots=True)
class Entrant:
    """Values that entered the pool."""

    values: Values
    score: float
    """Their mean score on the validation tasks."""
    parents: tuple[int, ...] = ()
    """Places in the pool of those that they were made from: two for a merge."""


@dataclass(frozen=True, slots=True)
class Evolved:
    """What an evolution ended with."""

    best: Version
    """The candidate with the best mean on the validation tasks; `best.save(path)` keeps it."""
    score: float
    """Its mean score on the validation tasks."""
    start: float
    """The mean score of the values that it began with."""
    candidates: tuple[Entrant, ...]
    """All that entered the pool, in order."""
    spent: Spent
    stopped: str
    """Why it ended."""
    problems: tuple[str, ...] = ()
    """What was dropped on the way, each once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One episode: its score, and the subgraph of its feedback where it was recorded."""

    score: float
    part: TraceGraph | None
    output: object
    words: str


@dataclass(slots=True)
class Arena:
    """Where candidates are run, and what that cost."""

    workflow: Workflow
    guide: Guide
    ledger: Ledger
    concurrency: int
    failure_score: float
    problems: dict[str, None] = field(default_factory=dict[str, None])

    async def run(self, values: Values, tasks: Sequence[object], split: str) -> list[Outcome]:
        """Return one outcome for each task; a failed episode has the failure's score.

        Raises:
            BudgetExhausted: the budget has not an episode for each; none was run.
            GuideFailed: the guide raised for every episode.
        """
        rollouts = await evaluate(
            self.workflow,
            tasks,
            values,
            guide=self.guide,
            concurrency=self.concurrency,
            ledger=self.ledger,
            keep_graphs=split == "train",
            split=split,
        )
        stopped = [rollout.error for rollout in rollouts if rollout.status == "stopped"]
        if stopped:
            raise BudgetExhausted(str(stopped[0]))
        # they are given back to the budget: nothing else would end the loop
        if rollouts and all(rollout.status == "unjudged" for rollout in rollouts):
            raise GuideFailed(f"the guide judged no episode: {rollouts[0].error}; mend the guide")
        return [self._outcome(rollout) for rollout in rollouts]

    def _outcome(self, rollout: Rollout) -> Outcome:
        said, part = words(rollout), None
        if rollout.graph is not None:
            names = self.workflow.parameters().trainable
            part = backward(rollout.graph, said, parameters=names)
        score = self.failure_score if rollout.score is None else rollout.score
        return Outcome(score, part, rollout.output, said)

    async def spend(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what a call of a model gives; it may cost what is left, and is counted.

        Raises:
            BudgetExhausted: nothing of the budget is left for it.
            ModelError: the model could not answer; what it was billed all the same is counted.
        """
        held = self.ledger.reserve_rest(0)
        try:
            made = await call()
        except ModelError as error:
            held.settle(tokens=error.tokens, usd=error.usd, calls=error.calls)
            raise
        else:
            held.settle(tokens=made.tokens, usd=made.usd, calls=made.calls)
            return made
        finally:
            held.release()

    def note(self, *problems: str) -> None:
        """Keep what went wrong, each sentence once."""
        self.problems.update(dict.fromkeys(problems))


def evolved(pool: Sequence[Entrant], arena: Arena, stopped: str) -> Evolved:
    """Return the result of a pool; of equally good ones the earlier is the best."""
    place = max(range(len(pool)), key=lambda i: (pool[i].score, -i))
    return Evolved(
        Version(place, None, dict(pool[place].values)),
        pool[place].score,
        pool[0].score,
        tuple(pool),
        arena.ledger.spent,
        stopped,
        tuple(arena.problems),
    )
