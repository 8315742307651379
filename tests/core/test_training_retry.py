"""Episodes are tried again after faults of what they run on, and after nothing else."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from tests.core.training_toys import SPACE, Dial, closeness
from trace_agents.errors import InvalidValue, ModelUnavailable
from trace_agents.feedback import Guide
from trace_agents.store import Version
from trace_agents.tracing import Trace
from trace_agents.training import Budget, EpisodeRunner, Ledger, Retry, Rollout, evaluate
from trace_agents.training.runs.options import Options

V0 = Version(0, None, SPACE.defaults())
AT_ONCE = Retry(wait=0.0)


def wrapped(error: Exception) -> Exception:
    """As a framework passes on what its client raised."""
    outer = RuntimeError("the agent could not go on")
    outer.__cause__ = error
    return outer


class Breaks:
    """Raises these errors at its first runs."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __call__(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


async def rollout(
    tick: Callable[[], None],
    retry: Retry = AT_ONCE,
    *,
    guide: Guide = closeness,
    ledger: Ledger | None = None,
    traces: list[Trace] | None = None,
    deadline: float | None = None,
) -> Rollout:
    runner = EpisodeRunner(
        Dial(tick=tick),
        guide,
        concurrency=1,
        ledger=ledger or Ledger(),
        retry=retry,
        deadline=deadline,
        on_trace=None if traces is None else traces.append,
    )
    return await runner.run("t", V0, "train", 0)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("gone"),
        ModelUnavailable("busy"),
        wrapped(ModelUnavailable("busy")),
        ExceptionGroup("two", [BrokenPipeError(), wrapped(ModelUnavailable("busy"))]),
    ],
)
async def test_a_fault_is_tried_again(error: Exception) -> None:
    """Also where it was wrapped; the episode counts once, and all that it spent counts."""
    ledger, traces = Ledger(Budget(episodes=1)), list[Trace]()
    found = await rollout(Breaks(error), ledger=ledger, traces=traces)
    assert (found.status, found.score, found.attempts) == ("done", -42.0, 2)
    assert (ledger.spent.episodes, ledger.spent.tokens, found.tokens) == (1, 6, 6)
    assert [(trace.episode, trace.tokens) for trace in traces] == [("train-0-v0", 3)]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("wrong"),
        TimeoutError("of the workflow's own"),
        ExceptionGroup("two", [BrokenPipeError(), ValueError("wrong")]),
    ],
)
async def test_what_the_workflow_got_wrong_is_not_tried_again(error: Exception) -> None:
    """It is feedback."""
    found = await rollout(Breaks(error))
    assert (found.status, found.attempts) == ("failed", 1)


async def test_after_the_last_try_the_fault_is_the_outcome() -> None:
    """Three tries unless it is told otherwise; 1 is none."""
    faults = [ConnectionError(f"fault {number}") for number in range(9)]
    found = await rollout(Breaks(*faults))
    assert (found.status, found.attempts) == ("failed", 3)
    assert found.error == "the workflow raised ConnectionError: fault 2"
    assert (await rollout(Breaks(*faults), Retry(attempts=1))).attempts == 1


async def test_a_type_may_be_named_or_given() -> None:
    """Subclasses count, and nothing is imported for a name."""
    for on in ((LookupError,), ("builtins.LookupError", "nowhere.Nothing")):
        found = await rollout(Breaks(KeyError("k")), Retry(wait=0.0, on=on))
        assert (found.status, found.attempts) == ("done", 2)
        assert (await rollout(Breaks(ConnectionError()), Retry(on=on))).attempts == 1


async def test_a_guides_fault_is_tried_again() -> None:
    """With a new run of the workflow."""
    fail = Breaks(ConnectionError("the judge is away"))

    def guide(_task: object, _output: object) -> float:
        fail()
        return 1.0

    found = await rollout(lambda: None, guide=guide)
    assert (found.status, found.score, found.attempts) == ("done", 1.0, 2)


async def test_waiting_for_the_next_try_ends_with_the_deadline() -> None:
    """The fault is the outcome; nothing stays reserved."""
    ledger = Ledger()
    found = await rollout(
        Breaks(ConnectionError("gone")),
        Retry(wait=10**6, longest=10**6),
        deadline=0.01,
        ledger=ledger,
    )
    assert (found.status, found.error) == ("failed", "the workflow raised ConnectionError: gone")
    assert ledger.reserved.episodes == 0


async def test_cancellation_passes_through_the_wait() -> None:
    """Nothing stays reserved."""
    ledger = Ledger()
    with anyio.move_on_after(0.01) as scope:
        await rollout(Breaks(ConnectionError()), Retry(wait=10**6, longest=10**6), ledger=ledger)
    assert scope.cancelled_caught
    assert ledger.reserved.episodes == 0


def test_the_wait_grows_and_a_servers_wish_goes_first() -> None:
    """The episode's name fixes it, and it has an upper bound."""
    retry, error = Retry(wait=1.0, longest=5.0), ModelUnavailable("busy")
    waits = [retry.pause("e", tried, error) for tried in (1, 2, 3, 9)]
    assert waits == [retry.pause("e", tried, error) for tried in (1, 2, 3, 9)]
    assert all(low <= wait <= 2 * low for low, wait in zip((0.5, 1, 2, 2.5), waits, strict=True))
    error.retry_after = 3.0
    assert retry.pause("e", 1, wrapped(error)) == 3.0
    error.retry_after = 60.0
    assert retry.pause("e", 1, error) == 5.0


def test_the_policy_is_kept_with_the_run_and_checked() -> None:
    """A way through JSON changes nothing."""
    options = Options(retry=Retry(attempts=5, on=(LookupError,)))
    assert Options.from_json(options.to_json()) == options
    with pytest.raises(InvalidValue, match="attempts"):
        Retry(attempts=0)


async def test_an_evaluation_tries_faults_again() -> None:
    """As a run does; every task has a score."""
    fail = Breaks(ConnectionError("gone"))
    rollouts = await evaluate(Dial(tick=fail), range(3), {}, guide=closeness, retry=AT_ONCE)
    assert [rollout.status for rollout in rollouts] == ["done"] * 3
    assert sum(rollout.attempts for rollout in rollouts) == 4
