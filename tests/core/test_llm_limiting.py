"""The limits of a provider hold, in the order in which the calls came."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from tests.core.llm_http import HELLO
from trace_agents.errors import InvalidValue, ModelError, ModelUnavailable
from trace_agents.llm import Limited, Message, Reply, Schema, varied
from trace_agents.llm.limiting import MINUTE, Minute


class Clock:
    """A clock that goes on when the one task that there is sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        self.now += seconds


class Watched:
    """A model that notes when it was asked, and how many asked at once."""

    name = "watched"

    def __init__(
        self, clock: Callable[[], float], *, tokens: int = 10, error: ModelError | None = None
    ) -> None:
        self.clock, self.tokens, self.error = clock, tokens, error
        self.asked: list[tuple[float, str]] = []
        self.at_once = self.most = 0

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        self.asked.append((self.clock(), messages[-1]["content"]))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await anyio.lowlevel.checkpoint()
            if self.error is not None:
                raise self.error
            return Reply("hi", self.tokens, 0)
        finally:
            self.at_once -= 1


def said(text: str) -> list[Message]:
    return [{"role": "user", "content": text}]


async def ask_all(limited: Limited, count: int) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(limited.complete, said(str(number)))


async def test_no_more_calls_at_once_than_allowed() -> None:
    """The rest wait."""
    watched = Watched(Clock())
    await ask_all(Limited(watched, max_concurrency=3), 20)
    assert (watched.most, len(watched.asked)) == (3, 20)


def test_requests_a_minute() -> None:
    """Ten calls at once at three a minute: three at each full minute."""

    async def times() -> list[float]:
        began = anyio.current_time()
        watched = Watched(anyio.current_time)
        limited = Limited(watched, rpm=3, clock=anyio.current_time, sleep=anyio.sleep)
        await ask_all(limited, 10)
        return [round(time - began, 3) for time, _ in watched.asked]

    clock = trio.testing.MockClock(autojump_threshold=0)
    asked = anyio.run(times, backend="trio", backend_options={"clock": clock})
    assert asked == [60.0 * (number // 3) for number in range(10)]


async def test_tokens_a_minute() -> None:
    """What a call took is known when the next one comes."""
    clock = Clock()
    watched = Watched(clock, tokens=400)
    limited = Limited(watched, tpm=1000, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        await limited.complete(said("x" * 1600))
    assert [time for time, _ in watched.asked] == [0, 0, 60, 60, 120]


async def test_a_call_larger_than_the_limit_goes_alone() -> None:
    """It waits for an empty minute instead of for ever."""
    clock = Clock()
    watched = Watched(clock, tokens=50)
    limited = Limited(watched, tpm=100, clock=clock, sleep=clock.sleep)
    await limited.complete(HELLO)
    await limited.complete(said("x" * 4000))
    await limited.complete(HELLO)
    assert [time for time, _ in watched.asked] == [0, 60, 120]


async def test_a_failure_counts_as_a_request_and_not_as_tokens() -> None:
    """A provider counts calls that it refuses; what it did not write is not billed."""
    clock = Clock()
    watched = Watched(clock, error=ModelError("no"))
    limited = Limited(watched, rpm=2, tpm=1000, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        with pytest.raises(ModelError):
            await limited.complete(said("x" * 3000))
    assert [time for time, _ in watched.asked] == [0, 0, 60]


async def test_a_server_that_asks_for_time_is_left_alone_by_all() -> None:
    """Later calls wait as long as the first was told to."""
    clock = Clock()
    busy = ModelUnavailable("busy")
    busy.retry_after = 7.0
    watched = Watched(clock, error=busy)
    limited = Limited(watched, clock=clock, sleep=clock.sleep)
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            await limited.complete(HELLO)
    assert [time for time, _ in watched.asked] == [0, 7]


async def test_a_call_that_gives_up_leaves_its_place_to_others() -> None:
    """A cancelled wait takes nothing from the limit."""
    clock = Clock()
    watched = Watched(clock)
    limited = Limited(watched, rpm=1, clock=clock, sleep=clock.sleep)
    await limited.complete(said("first"))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await limited.complete(said("never"))
    await limited.complete(said("second"))
    assert watched.asked == [(0, "first"), (60, "second")]


async def test_a_variant_shares_the_limit() -> None:
    """Another temperature is the same account."""
    clock = Clock()
    watched = Watched(clock)
    limited = Limited(watched, rpm=1, clock=clock, sleep=clock.sleep)
    await limited.complete(HELLO)
    await varied(limited, temperature=1.0).complete(HELLO)
    assert [time for time, _ in watched.asked] == [0, 60]


def test_one_model_serves_one_event_loop_after_another() -> None:
    """As `step_sync` does; what the minute has seen stays."""
    clock = Clock()
    watched = Watched(clock)
    limited = Limited(watched, max_concurrency=1, rpm=1, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        anyio.run(limited.complete, HELLO)
    assert [time for time, _ in watched.asked] == [0, 60, 120]


def test_a_limit_of_nothing_is_refused() -> None:
    """Nothing could ever be asked."""
    with pytest.raises(InvalidValue, match="max_concurrency must be at least 1"):
        Limited(Watched(Clock()), max_concurrency=0)
    with pytest.raises(InvalidValue, match="rpm must be at least 1"):
        Limited(Watched(Clock()), rpm=0)
    with pytest.raises(InvalidValue, match="tpm must be at least 1"):
        Limited(Watched(Clock()), tpm=-1)


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 120)), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(1, 200),
)
def test_no_minute_holds_more_than_allowed(
    calls: list[tuple[float, int]], requests: int, tokens: int
) -> None:
    """Whatever comes whenever: every span of a minute keeps both limits, and the order stays."""
    minute, now, places = Minute(requests, tokens), 0.0, list[tuple[float, int]]()
    for later, wanted in calls:
        now += later
        place = minute.book(now, wanted)
        assert place.at >= now
        places.append((place.at, wanted))
    times = [time for time, _ in places]
    assert times == sorted(times)
    for end in times:
        within = [wanted for time, wanted in places if end - MINUTE + 1e-6 < time <= end]
        assert len(within) <= requests
        assert sum(within) <= tokens or len([wanted for wanted in within if wanted]) == 1
