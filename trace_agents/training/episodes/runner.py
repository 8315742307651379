"""Episodes: one run of the workflow on one task, pinned to one version, with its verdict."""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import anyio

from trace_agents.feedback import Feedback, Guide, as_feedback
from trace_agents.graph import Graph
from trace_agents.store import EpisodeRecord, Version
from trace_agents.tracing.context import Trace, recording
from trace_agents.training.budgets.budget import Ledger, Reservation
from trace_agents.training.budgets.meter import Meter, MeteredTrace
from trace_agents.training.episodes.places import Places
from trace_agents.training.episodes.retrying import Retry
from trace_agents.workflow import Workflow

Status: TypeAlias = Literal["done", "failed", "unjudged", "stopped", "cancelled", "timeout"]


@dataclass(frozen=True, slots=True)
class Rollout:
    """One finished episode, with all that was learned from it."""

    episode: str
    index: int
    task: object
    split: str
    version: int
    status: Status
    """`unjudged`: the guide raised. `stopped`: its model calls passed the budget's limit.
    `cancelled` means that the workflow cancelled itself; a cancelled run leaves no rollout."""
    output: object = None
    feedback: Feedback | None = None
    """None unless the status is `done`."""
    graph: Graph | None = None
    error: str | None = None
    """One sentence, unless the status is `done`."""
    seconds: float = 0.0
    tokens: int = 0
    usd: float = 0.0
    read: frozenset[str] = field(default_factory=frozenset[str])
    """Names of the parameters that the episode read."""
    attempts: int = 1
    """How often it was tried; more than once only after faults of what it runs on."""
    calls: int = 0
    """Model calls that it and its guide have made."""

    @property
    def score(self) -> float | None:
        """The score, if there is one."""
        return None if self.feedback is None else self.feedback.score

    def record(self) -> EpisodeRecord:
        """Return the episode as the store keeps it."""
        ended = time.time()
        return EpisodeRecord(
            self.episode,
            self.index,
            self.split,
            self.task,
            self.version,
            self.status,
            self.score,
            "" if self.feedback is None else self.feedback.text,
            self.error,
            {
                "seconds": self.seconds,
                "tokens": self.tokens,
                "usd": self.usd,
                "calls": self.calls,
            },
            ended - self.seconds,
            ended,
        )


@dataclass(slots=True)
class _Attempt:
    """What is known of one try of an episode while it runs."""

    trace: MeteredTrace
    number: int = 1
    status: Status = "timeout"
    error: str | None = None
    output: object = None
    feedback: Feedback | None = None

    def failed(self, error: str, status: Status = "failed") -> None:
        self.status, self.error = status, error


class EpisodeRunner:
    """Runs episodes side by side, at most `concurrency` at once.

    An episode that raises, runs out of time or budget, or whose guide raises becomes a rollout
    that says so. After a fault of what it runs on it is tried again, recorded anew, within the
    same deadline and reservation. Cancellation of the caller passes through: nothing is recorded,
    nothing stays reserved. `prefix` is put before the episodes' names.
    """

    def __init__(  # noqa: PLR0913 - the options of one public class, all named
        self,
        workflow: Workflow,
        guide: Guide,
        *,
        concurrency: int,
        ledger: Ledger,
        deadline: float | None = None,
        on_trace: Callable[[Trace], None] | None = None,
        keep_graphs: bool = True,
        retry: Retry | None = None,
        prefix: str = "",
    ) -> None:
        self._workflow = workflow
        self._guide = guide
        self._deadline = deadline
        self._ledger = ledger
        self._on_trace = on_trace
        self._keep_graphs = keep_graphs
        self._retry = retry or Retry()
        self._prefix = prefix
        self.limiter = Places(concurrency)
        self.running = 0
        self.peak = 0
        """The most episodes that ran at the same time."""

    async def run(self, task: object, version: Version, split: str, index: int) -> Rollout:
        """Run one episode when there is room for it.

        Raises:
            BudgetExhausted: the ledger has no episode left.
        """
        async with self.limiter:
            (reservation,) = self._ledger.reserve_episodes(1)
            return await self.run_now(task, version, split, index, reservation)

    async def run_now(
        self,
        task: object,
        version: Version,
        split: str,
        index: int,
        reservation: Reservation,
        *,
        keep_graph: bool | None = None,
    ) -> Rollout:
        """Run one episode in a place of the limiter and a reservation that the caller holds."""
        keep = self._keep_graphs if keep_graph is None else keep_graph
        name = f"{self._prefix}{split}-{index}-v{version.id}"
        meter = Meter(reservation)
        kept = keep or self._on_trace is not None

        def record() -> MeteredTrace:
            return MeteredTrace(name, version.id, version.values, kept=kept, on_spend=meter.spend)

        attempt = _Attempt(record())
        began = time.monotonic()
        self.running += 1
        self.peak = max(self.peak, self.running)
        finished = False
        try:
            meter.over = self._ledger.over
            if not meter.over:
                meter.scope.deadline = self._latest()
                with meter.scope:
                    while await self._attempt(attempt, task, meter):
                        attempt = _Attempt(record(), attempt.number + 1)
            finished = True
        finally:
            self.running -= 1
            # an episode without a verdict is given back; what its model calls cost is not
            if meter.over and attempt.status == "timeout":
                attempt.failed("the budget ended during the episode; raise its limit", "stopped")
            counts = finished and attempt.status != "unjudged"
            reservation.settle(
                episodes=int(counts), tokens=meter.tokens, usd=meter.usd, calls=meter.calls
            )
        if attempt.status == "timeout":
            attempt.error = f"the episode did not end within {self._describe_deadline()}"
        graph = self._graph(attempt, keep)
        if self._on_trace is not None:
            self._on_trace(attempt.trace)
        return Rollout(
            name,
            index,
            task,
            split,
            version.id,
            attempt.status,
            attempt.output,
            attempt.feedback if attempt.status == "done" else None,
            graph,
            attempt.error,
            time.monotonic() - began,
            meter.tokens,
            meter.usd,
            frozenset(attempt.trace.read),
            attempt.number,
            meter.calls,
        )

    async def _attempt(self, attempt: _Attempt, task: object, meter: Meter) -> bool:
        """Try the episode once; tell whether to try it again."""
        try:
            with recording(attempt.trace):
                attempt.output = await self._workflow.run(task)
        except anyio.get_cancelled_exc_class():
            if _cancelled_from_outside():
                raise
            attempt.failed("the workflow cancelled itself", "cancelled")
            return False
        except Exception as error:  # noqa: BLE001 - the boundary: a failed episode is data
            attempt.failed(_sentence("the workflow raised", error))
            return await self._again(attempt, error)
        # a judge's own model calls are counted, and stay out of the episode's graph
        judging = MeteredTrace(attempt.trace.episode, on_spend=meter.spend)
        try:
            with recording(judging):
                attempt.feedback = await self._judge(task, attempt.output)
            attempt.status = "done"
        except Exception as error:  # noqa: BLE001 - the boundary: a failed guide is data
            attempt.failed(_sentence("the guide raised", error), "unjudged")
            return await self._again(attempt, error)
        return False

    async def _again(self, attempt: _Attempt, error: Exception) -> bool:
        """Wait and tell that the episode is to be tried again, if a retry may mend the error."""
        if attempt.number >= self._retry.attempts or not self._retry.covers(error):
            return False
        await anyio.sleep(self._retry.pause(attempt.trace.episode, attempt.number, error))
        return True

    async def _judge(self, task: object, output: object) -> Feedback:
        verdict = self._guide(task, output)
        given = await verdict if inspect.isawaitable(verdict) else verdict
        try:
            feedback = as_feedback(given)
        except (TypeError, ValueError, IndexError):
            raise TypeError(
                f"a guide must return a score or (score, text), not {given!r:.100}"
            ) from None
        if not math.isfinite(feedback.score):
            raise ValueError(f"a score must be a finite number, not {feedback.score}")
        return feedback

    def _graph(self, attempt: _Attempt, keep: bool) -> Graph | None:
        if not keep:
            return None
        try:
            return attempt.trace.graph()
        except Exception as error:  # noqa: BLE001 - the boundary: a recorder's failure is data
            attempt.failed(_sentence("the recording could not be read", error))
            return None

    def _latest(self) -> float:
        """Return the time, by the event loop's clock, at which an episode is cancelled."""
        limits = [s for s in (self._deadline, self._ledger.seconds_left) if s is not None]
        return anyio.current_time() + min(limits) if limits else math.inf

    def _describe_deadline(self) -> str:
        if self._deadline is not None:
            return f"its deadline of {self._deadline:g} seconds or the run's budget of seconds"
        return "the run's budget of seconds"


def _cancelled_from_outside() -> bool:
    """Tell a cancellation of this task from one that the workflow made up and let escape.

    Passed on, the latter would end the task without a result, and whoever waits for the episode
    would wait forever.
    """
    if anyio.current_effective_deadline() == -math.inf:
        return True
    try:
        task = asyncio.current_task()
    except RuntimeError:  # trio, where nothing can make up a cancellation
        return True
    return task is None or task.cancelling() > 0


def _sentence(what: str, error: BaseException) -> str:
    message = " ".join(str(error).split())
    return f"{what} {type(error).__name__}: {message}"[:500].rstrip(": ")
