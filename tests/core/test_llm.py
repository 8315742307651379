"""litellm behind the seam, against a real server on the loopback that speaks OpenAI's protocol."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import ModuleType

import anyio
import anyio.to_thread
import pytest

from tests.core.llm_http import BROKEN, HELD, HELLO, RESET, Answer, Server, answer, failure, serving
from trace_agents.errors import ExtraNotInstalled, ModelError, ModelUnavailable, UnknownModel
from trace_agents.llm import LiteLLM, Reply, check_model, varied
from trace_agents.testing import ScriptedModel


def model(server: Server, *, name: str = "openai/gpt-4o-mini", timeout: float = 20) -> LiteLLM:
    return LiteLLM(
        name,
        base_url=server.url,
        api_key="none",
        timeout=timeout,
        temperature=0.5,
        max_tokens=50,
    )


async def test_a_reply_brings_text_tokens_and_price() -> None:
    """The server receives the messages and settings; the price is litellm's."""
    with serving(answer("hi")) as server:
        reply = await model(server).complete(HELLO)
    assert (reply.text, reply.tokens) == ("hi", 12)
    assert reply.usd > 0
    assert server.requests[0]["messages"] == HELLO
    assert (server.requests[0]["temperature"], server.requests[0]["max_tokens"]) == (0.5, 50)


async def test_a_model_without_a_known_price_costs_nothing() -> None:
    """An unknown price is 0, not an error."""
    with serving(answer("hi", "of-my-own")) as server:
        reply = await model(server, name="openai/of-my-own").complete(HELLO)
    assert reply == Reply("hi", 9, 3, 0.0)


@pytest.mark.parametrize(
    "fault", [failure(408), failure(429), failure(500), failure(503), BROKEN, RESET]
)
async def test_what_may_pass_is_told_from_what_may_not(fault: Answer) -> None:
    """A rate limit, a server error, a broken body or a broken connection may be gone next time."""
    with serving(fault) as server, pytest.raises(ModelUnavailable, match="openai/gpt-4o-mini"):
        await model(server).complete(HELLO)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "said"), [(400, "could not answer"), (401, "api_key"), (404, "does not know")]
)
async def test_what_no_retry_can_mend_says_so(status: int, said: str) -> None:
    """A wrong request, key or name is no matter of waiting."""
    with serving(failure(status)) as server, pytest.raises(ModelError, match=said) as caught:
        await model(server).complete(HELLO)
    assert not isinstance(caught.value, ModelUnavailable)


@pytest.mark.parametrize("name", ["openai/gpt-4o-mini", "gemini/gemini-2.0-flash", "azure/mine"])
async def test_a_missing_key_is_no_matter_of_waiting(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status is that of a server's failure, though nothing was sent."""
    for variable in [each for each in os.environ if "API_KEY" in each]:
        monkeypatch.delenv(variable)
    with pytest.raises(ModelError, match=f"'{name}' has no key; set api_key=") as caught:
        await LiteLLM(name, base_url="http://127.0.0.1:9").complete(HELLO)
    assert not isinstance(caught.value, ModelUnavailable)
    assert "Traceback" not in str(caught.value)


async def test_an_account_without_money_is_no_rate_limit() -> None:
    """Both have the status 429; only one passes."""
    broke = failure(429, "insufficient_quota")
    with serving(broke) as server, pytest.raises(ModelError, match="no money") as caught:
        await model(server).complete(HELLO)
    assert not isinstance(caught.value, ModelUnavailable)


LATER = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        (failure(429, retry_after="7"), 7, 7),
        (failure(503, retry_after="7"), 7, 7),
        (failure(429, retry_after_ms="250", retry_after="1"), 0.25, 0.25),
        (failure(429, retry_after=LATER), 80_000, 86_400),
        (failure(429, retry_after="Thu, 01 Jan 1970 00:00:00 GMT"), 0, 0),
    ],
)
async def test_how_long_to_wait_is_read(fault: Answer, least: float, most: float) -> None:
    """Seconds, milliseconds and dates are understood."""
    with serving(fault) as server, pytest.raises(ModelUnavailable) as caught:
        await model(server).complete(HELLO)
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most


@pytest.mark.parametrize("said", [None, "soon"])
async def test_a_server_that_does_not_say_how_long(said: str | None) -> None:
    """No header, or one that nobody understands, is no number."""
    fault = failure(429) if said is None else failure(429, retry_after=said)
    with serving(fault) as server, pytest.raises(ModelUnavailable) as caught:
        await model(server).complete(HELLO)
    assert caught.value.retry_after is None


SCHEMA = {
    "type": "object",
    "properties": {"word": {"type": "string", "maxLength": 9}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("name", "structured", "sent"),
    [
        ("openai/gpt-4o-mini", None, True),
        ("openai/of-my-own", None, False),
        ("openai/of-my-own", True, True),
        ("openai/gpt-4o-mini", False, False),
    ],
)
async def test_a_schema_is_sent_where_the_model_can_hold_to_it(
    name: str, structured: bool | None, sent: bool
) -> None:
    """By what litellm knows, or as the user says; else it is left out."""
    with serving(answer('{"word": "hi"}')) as server:
        mine = LiteLLM(name, base_url=server.url, api_key="none", structured=structured)
        await mine.complete(HELLO, schema=SCHEMA)
    (request,) = server.requests
    assert ("response_format" in request) is sent
    if sent:
        assert request["response_format"]["type"] == "json_schema"
        assert request["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_streaming_is_off() -> None:
    """An answer comes whole, with its usage."""
    with serving(answer("hi")) as server:
        await model(server).complete(HELLO)
    assert not server.requests[0].get("stream")


async def test_options_go_to_the_provider() -> None:
    """What the seam has no word for can be said in litellm's."""
    with serving(answer("hi")) as server:
        mine = LiteLLM("openai/gpt-4o-mini", base_url=server.url, api_key="n", top_p=0.5, seed=7)
        await mine.complete(HELLO)
    assert (server.requests[0]["top_p"], server.requests[0]["seed"]) == (0.5, 7)


async def test_a_model_at_another_temperature_is_another_one() -> None:
    """The first keeps its own."""
    with serving(answer("hi"), answer("hi")) as server:
        mine = model(server)
        await varied(mine, temperature=1.25).complete(HELLO)
        await mine.complete(HELLO)
    assert [request["temperature"] for request in server.requests] == [1.25, 0.5]


async def test_a_model_that_cannot_be_varied_is_left_alone() -> None:
    """A stand-in has no temperature."""
    scripted = ScriptedModel([])
    assert varied(scripted, temperature=1.0, sample=3) is scripted


async def test_an_answer_without_text_is_an_error_with_a_price() -> None:
    """No content is not an empty string, and it was billed."""
    with (
        serving(answer(None)) as server,
        pytest.raises(ModelError, match="without text") as caught,
    ):
        await model(server).complete(HELLO)
    assert caught.value.tokens == server.billed == 12
    assert caught.value.usd > 0


async def test_a_slow_answer_is_given_up() -> None:
    """The timeout bounds one request, and the next may be faster."""
    with serving(HELD) as server, pytest.raises(ModelUnavailable, match="in time"):
        await model(server, timeout=0.3).complete(HELLO)


async def test_a_cancelled_call_ends_at_once() -> None:
    """Cancellation passes through and is not taken for an error of the model."""
    with serving(HELD) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(model(server).complete, HELLO)
            await anyio.to_thread.run_sync(server.asked.wait, 30)
            tasks.cancel_scope.cancel()
    assert len(server.requests) == 1


async def test_two_models_answer_at_once() -> None:
    """Concurrent calls keep to their own servers."""
    texts: dict[str, str] = {}

    async def ask(server: Server, key: str) -> None:
        texts[key] = (await model(server).complete(HELLO)).text

    with serving(answer("one")) as first, serving(answer("two")) as second:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, first, "a")
            tasks.start_soon(ask, second, "b")
    assert texts == {"a": "one", "b": "two"}


def test_one_model_serves_one_event_loop_after_another() -> None:
    """As `step_sync` does; the connection of a loop that is gone is not used again."""
    with serving(*[answer("hi")] * 3) as server:
        mine = model(server)
        assert [anyio.run(mine.complete, HELLO).text for _ in range(3)] == ["hi"] * 3


async def test_an_unknown_provider_is_said_before_any_call() -> None:
    """The sentence names the model and what to write."""
    with pytest.raises(UnknownModel, match=r"'nobody/nothing'.*provider/model"):
        check_model("nobody/nothing")
    with pytest.raises(UnknownModel):
        await LiteLLM("nobody/nothing").complete(HELLO)


def test_without_litellm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package tells the command that installs it."""
    original: Callable[..., ModuleType] = importlib.import_module

    def missing(name: str, package: str | None = None) -> ModuleType:
        if name == "litellm":
            raise ModuleNotFoundError(name)
        return original(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ExtraNotInstalled, match=r"trace-agents\[llm\]"):
        check_model("openai/gpt-4o")


def test_importing_the_seam_does_not_import_litellm() -> None:
    """The package that takes seconds to load is loaded at the first call."""
    code = "import sys, trace_agents.llm; sys.exit('litellm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_scripted_model_gives_its_replies_in_order() -> None:
    """Prompts are kept, and an exhausted script says so."""
    scripted = ScriptedModel(["one", Reply("two", 1, 2)])
    assert [(await scripted.complete(HELLO)).text for _ in range(2)] == ["one", "two"]
    assert scripted.prompts == [tuple(HELLO)] * 2
    with pytest.raises(ModelError, match="prompt 3"):
        await scripted.complete(HELLO)
