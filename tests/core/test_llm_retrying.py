"""Asking again: when, how often, after which pauses, and at whose cost."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.lowlevel
import pytest

from tests.core.llm_http import HELLO, answer, failure, serving
from trace_agents.errors import ModelError, ModelUnavailable
from trace_agents.llm import Backoff, LiteLLM, Message, Reply, Retrying, Schema, as_model, varied


class Flaky:
    """A model that fails in given ways, then answers."""

    name = "flaky"

    def __init__(self, *failures: ModelError) -> None:
        self.failures = list(failures)
        self.calls = 0

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return Reply("hi", 9, 3, 0.5)


def busy(retry_after: float | None = None, tokens: int = 0, usd: float = 0.0) -> ModelError:
    error = ModelUnavailable("busy").costing(tokens, usd)
    error.retry_after = retry_after
    return error


class Naps:
    """A sleep that takes no time and remembers how long it was asked for."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await anyio.lowlevel.checkpoint()


async def test_what_may_pass_is_tried_again() -> None:
    """Two failures, and then the answer."""
    naps = Naps()
    flaky = Flaky(busy(), busy())
    reply = await Retrying(flaky, sleep=naps).complete(HELLO)
    assert (reply.text, flaky.calls, len(naps.taken)) == ("hi", 3, 2)


async def test_what_no_retry_can_mend_is_raised_at_once() -> None:
    """A wrong request costs one call and no time."""
    naps, flaky = Naps(), Flaky(ModelError("wrong"))
    with pytest.raises(ModelError, match="wrong"):
        await Retrying(flaky, sleep=naps).complete(HELLO)
    assert (flaky.calls, naps.taken) == (1, [])


async def test_retries_end() -> None:
    """The last failure is the one that is raised."""
    flaky = Flaky(busy(), busy(), ModelUnavailable("still busy"))
    with pytest.raises(ModelUnavailable, match="still busy"):
        await Retrying(flaky, Backoff(2), sleep=Naps()).complete(HELLO)
    assert flaky.calls == 3


@pytest.mark.parametrize(("draw", "pauses"), [(0.0, [1, 2, 4, 5]), (1.0, [2, 4, 8, 10])])
async def test_pauses_grow_and_differ(draw: float, pauses: list[float]) -> None:
    """Each is drawn from the upper half of a span that doubles, up to the longest."""
    naps = Naps()
    retrying = Retrying(
        Flaky(busy(), busy(), busy(), busy()),
        Backoff(4, first=2, longest=10),
        sleep=naps,
        draw=lambda: draw,
    )
    await retrying.complete(HELLO)
    assert naps.taken == pauses


async def test_a_server_is_given_the_time_that_it_asks_for() -> None:
    """And a little more, drawn, so that not all come back at the same moment."""
    naps = Naps()
    retrying = Retrying(Flaky(busy(7)), Backoff(first=2), sleep=naps, draw=lambda: 0.5)
    await retrying.complete(HELLO)
    assert naps.taken == [7.5]


async def test_a_server_that_asks_for_too_much_time_is_not_asked_again() -> None:
    """An hour's wait is the caller's decision."""
    flaky, naps = Flaky(busy(3600)), Naps()
    with pytest.raises(ModelUnavailable):
        await Retrying(flaky, sleep=naps).complete(HELLO)
    assert (flaky.calls, naps.taken) == (1, [])


async def test_failures_that_were_billed_are_in_the_reply() -> None:
    """What the failed tries cost is not lost."""
    retrying = Retrying(Flaky(busy(tokens=5, usd=0.25), busy(tokens=1)), sleep=Naps())
    reply = await retrying.complete(HELLO)
    assert (reply.tokens, reply.output_tokens, reply.usd, reply.calls) == (18, 3, 0.75, 3)


async def test_failures_that_were_billed_are_in_the_error() -> None:
    """The last error carries the cost of all tries."""
    retrying = Retrying(
        Flaky(busy(tokens=5, usd=0.25), ModelError("no").costing(2, 0.5)), sleep=Naps()
    )
    with pytest.raises(ModelError) as caught:
        await retrying.complete(HELLO)
    assert (caught.value.tokens, caught.value.usd, caught.value.calls) == (7, 0.75, 2)


async def test_a_cancelled_pause_ends() -> None:
    """Waiting for the next try does not outlive its scope."""
    flaky = Flaky(busy(30))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await Retrying(flaky).complete(HELLO)
    assert scope.cancelled_caught
    assert flaky.calls == 1


async def test_two_calls_retry_on_their_own() -> None:
    """One call's failures are not another's."""
    one, two = Flaky(busy(), busy()), Flaky(ModelError("no"))
    texts: list[str] = []

    async def first() -> None:
        texts.append((await Retrying(one, sleep=Naps()).complete(HELLO)).text)

    async def second() -> None:
        with pytest.raises(ModelError):
            await Retrying(two, sleep=Naps()).complete(HELLO)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        tasks.start_soon(second)
    assert (texts, one.calls, two.calls) == (["hi"], 3, 1)


async def test_litellm_itself_does_not_try_again() -> None:
    """One call is one request; who retries is said in one place."""
    with serving(*[failure(500)] * 3) as server:
        for retries, requests in ((0, 1), (1, 2)):
            server.requests.clear()
            inside = LiteLLM("openai/toy", base_url=server.url, api_key="none")
            with pytest.raises(ModelUnavailable):
                await Retrying(inside, Backoff(retries), sleep=Naps()).complete(HELLO)
            assert len(server.requests) == requests


async def test_a_name_is_tried_again_without_being_told() -> None:
    """`as_model` brings retries; here the server wants its caller back at once."""
    with serving(failure(429, retry_after="0"), answer("hi")) as server:
        mine = as_model("openai/toy", base_url=server.url, api_key="none")
        assert (await mine.complete(HELLO)).text == "hi"


async def test_a_variant_is_tried_again_too() -> None:
    """Another temperature keeps what is around the model."""
    with serving(failure(500), answer("hi")) as server:
        inside = LiteLLM("openai/toy", base_url=server.url, api_key="none")
        mine = varied(Retrying(inside, sleep=Naps()), temperature=1.5)
        await mine.complete(HELLO)
    assert [request["temperature"] for request in server.requests] == [1.5, 1.5]
