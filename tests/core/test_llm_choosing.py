"""One model from a name or an object, with what goes around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import anyio
import pytest

from tests.core.llm_http import HELLO, answer, failure, serving
from trace_agents.errors import InvalidValue, ModelError, ModelUnavailable, UnknownModel
from trace_agents.llm import Cached, Message, Model, Reply, Schema, Settings, as_model, counted
from trace_agents.testing import FunctionModel
from trace_agents.tracing.context import Trace, recording


async def test_a_model_object_is_taken_as_it_is() -> None:
    """Without settings there is nothing to add."""
    mine = FunctionModel(lambda messages: messages[-1]["content"].upper())
    assert as_model(mine) is mine
    assert as_model(mine, base_url=None, cache=None) is mine
    assert (await mine.complete(HELLO)).text == "HELLO"


async def test_limits_and_retries_go_around_an_object_too(tmp_path: Path) -> None:
    """What is about calls fits any model."""
    calls: list[str] = []

    def busy_once(_messages: Sequence[Message]) -> str:
        calls.append("")
        if len(calls) == 1:
            error = ModelUnavailable("busy")
            error.retry_after = 0.0
            raise error
        return "hi"

    mine = as_model(FunctionModel(busy_once), retries=1, max_concurrency=2)
    assert (await mine.complete(HELLO)).text == "hi"
    assert mine.name == "function"
    with pytest.raises(InvalidValue, match="identity"):
        as_model(FunctionModel(busy_once), cache=tmp_path / "c.db")


def test_an_object_has_its_own_request_settings() -> None:
    """A temperature for a model that is already made would be ignored: it is refused."""
    with pytest.raises(InvalidValue, match=r"temperature, base_url.*'function'"):
        as_model(FunctionModel(lambda _: "hi"), temperature=0.5, base_url="http://127.0.0.1:9")


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o-mini", FunctionModel(lambda _: "hi")], ids=["name", "object"]
)
def test_an_unknown_setting_is_refused(model: str | Model) -> None:
    """A slip of the pen would be a setting that nobody sees missing."""
    for slip, meant in (("temprature", "temperature"), ("retrys", "retries")):
        with pytest.raises(InvalidValue, match=f"'{slip}' is no setting.*did you mean {meant}="):
            as_model(model, **cast("Settings", {slip: 1}))
    with pytest.raises(InvalidValue, match=r"'zzz' is no setting of a model; There are.*options="):
        as_model(model, **cast("Settings", {"zzz": 1}))


async def test_a_model_that_does_not_say_its_settings_is_cached_by_a_given_identity(
    tmp_path: Path,
) -> None:
    """Equal identities share answers, other ones do not; a cache is needed."""
    calls: list[str] = []

    def said(_messages: Sequence[Message]) -> str:
        calls.append("")
        return f"{len(calls)}"

    def mine(version: int) -> Model:
        return as_model(FunctionModel(said), cache=tmp_path / "c.db", identity={"v": version})

    texts = [(await mine(version).complete(HELLO)).text for version in (1, 1, 2)]
    assert texts == ["1", "1", "2"]
    with pytest.raises(InvalidValue, match="give cache= too"):
        as_model(FunctionModel(said), identity={"v": 1})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(None, "None is no model"), (3, "3 is no model"), (FunctionModel, "the class FunctionModel")],
)
def test_what_is_no_model_gets_a_sentence(wrong: object, said: str) -> None:
    """It says what to give."""
    with pytest.raises(InvalidValue, match=f"{said}.*'openai/gpt-4o-mini'.*complete"):
        as_model(cast("Model", wrong))


def test_an_unknown_provider_is_said_before_any_call() -> None:
    """The sentence names the model and what to write."""
    with pytest.raises(UnknownModel, match=r"'nobody/nothing'.*provider/model"):
        as_model("nobody/nothing")


async def test_settings_reach_the_server() -> None:
    """Those with a name of their own, and options for the rest."""
    with serving(answer("hi")) as server:
        mine = as_model(
            "openai/toy",
            base_url=server.url,
            api_key="none",
            temperature=0.5,
            max_tokens=50,
            seed=3,
            timeout=10,
            structured=True,
            options={"top_p": 0.25},
        )
        await mine.complete(HELLO, schema={"type": "object"})
    request = server.requests[0]
    sent = [request[key] for key in ("temperature", "max_tokens", "seed", "top_p")]
    assert sent == [0.5, 50, 3, 0.25]
    assert request["response_format"]["json_schema"]["schema"] == {"type": "object"}


async def test_retries_can_be_turned_off() -> None:
    """Then a failure is told at once."""
    with serving(failure(500), answer("hi")) as server:
        mine = as_model("openai/toy", base_url=server.url, api_key="none", retries=0)
        with pytest.raises(ModelUnavailable):
            await mine.complete(HELLO)
    assert len(server.requests) == 1


class Old:
    """A model of somebody else's that knows no schemas."""

    name = "old"

    async def complete(self, messages: Sequence[Message]) -> Reply:
        return Reply(f"{len(messages)} read")


async def test_a_model_without_schemas_can_be_used() -> None:
    """It is asked as it can be asked."""
    mine = as_model(cast("Model", Old()))
    assert (await mine.complete(HELLO, schema={"type": "object"})).text == "1 read"
    assert mine.name == "old"


async def test_a_counted_call_is_spent_by_its_episode() -> None:
    """A reply and a failure that was billed count, where an episode runs."""

    def answered(_messages: Sequence[Message]) -> Reply:
        return Reply("hi", 9, 3, 0.5)

    def failed(_messages: Sequence[Message]) -> Reply:
        raise ModelError("no").costing(5, 0.25)

    trace = Trace("e")
    with recording(trace):
        await counted(FunctionModel(answered), HELLO)
        with pytest.raises(ModelError):
            await counted(FunctionModel(failed), HELLO)
    assert (trace.tokens, trace.usd, trace.calls) == (17, 0.75, 2)
    assert (await counted(FunctionModel(answered), HELLO)).text == "hi"


async def test_a_reply_from_a_cache_is_no_call(tmp_path: Path) -> None:
    """The same question counts once, however often it is asked."""
    model = Cached(FunctionModel(lambda _: "hi"), tmp_path / "c.db", identity={"name": "it"})
    trace = Trace("e")
    with recording(trace):
        for _ in range(3):
            await counted(model, HELLO)
    assert trace.calls == 1


async def test_a_call_that_is_cancelled_counts() -> None:
    """It was made; what it cost is not known."""

    class Endless:
        name = "endless"

        async def complete(
            self, messages: Sequence[Message], *, schema: Schema | None = None
        ) -> Reply:
            scope.cancel()
            await anyio.sleep_forever()
            raise NotImplementedError

    trace = Trace("e")
    with recording(trace), anyio.CancelScope() as scope:
        await counted(Endless(), HELLO)
    assert scope.cancelled_caught
    assert (trace.calls, trace.tokens) == (1, 0)
