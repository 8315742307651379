"""Every model keeps to the protocol, and one that does not is told in what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import pytest

from tests.core.llm_http import Server, answer, serving_by
from trace_agents.errors import InvalidValue
from trace_agents.llm import Cached, Limited, LiteLLM, Message, Model, Reply, Retrying, as_model
from trace_agents.testing import FunctionModel, ScriptedModel, check_conformance
from trace_agents_multiagent.standin.reflect import RandomModel, ReflectingModel

Make: TypeAlias = Callable[[Server, Path], Model]


class Old:
    name = "old"

    async def complete(self, messages: Sequence[Message]) -> Reply:
        return Reply("hello")


def litellm(server: Server) -> LiteLLM:
    return LiteLLM("openai/toy", base_url=server.url, api_key="none", structured=True)


MODELS: dict[str, Make] = {
    "scripted": lambda _server, _path: ScriptedModel(["hello"] * 4),
    "function": lambda _server, _path: FunctionModel(lambda _: Reply("hello", 1, 1)),
    "litellm": lambda server, _path: litellm(server),
    "retrying": lambda server, _path: Retrying(litellm(server)),
    "limited": lambda server, _path: Limited(litellm(server), max_concurrency=1, rpm=1000),
    "cached": lambda server, path: Cached(litellm(server), path / "c.db"),
    "without schemas": lambda _server, _path: as_model(cast("Model", Old())),
    "reflecting": lambda _server, _path: ReflectingModel(),
    "random": lambda _server, _path: RandomModel(),
    "all": lambda server, path: as_model(
        "openai/toy", base_url=server.url, api_key="none", tpm=10_000, cache=path / "c.db"
    ),
}


@pytest.mark.parametrize("name", MODELS)
async def test_every_model_keeps_to_the_protocol(name: str, tmp_path: Path) -> None:
    """Ours, what goes around them, and somebody else's."""
    with serving_by(lambda _request, _number: answer("hello")) as server:
        await check_conformance(MODELS[name](server, tmp_path))


class Rude:
    """A model that breaks the protocol in a given way."""

    def __init__(self, reply: object, *, name: object = "rude", writes: bool = False) -> None:
        self.name = cast("str", name)
        self._reply, self._writes = reply, writes

    async def complete(self, messages: list[Message], *, schema: object = None) -> Reply:
        if self._writes:
            messages.append({"role": "assistant", "content": "mine"})
        return cast("Reply", self._reply)


@pytest.mark.parametrize(
    ("rude", "said"),
    [
        (Rude("hello"), "returns a Reply"),
        (Rude(Reply(cast("str", None))), "with a text"),
        (Rude(Reply("hello", -1)), "less than nothing"),
        (Rude(Reply("hello", 1, cached=True)), "from a cache"),
        (Rude(Reply("hello"), name=7), "name of a model"),
        (Rude(Reply("hello"), writes=True), "changed the messages"),
    ],
)
async def test_a_model_that_breaks_the_protocol_is_told_in_what(rude: Rude, said: str) -> None:
    """A sentence for each way."""
    with pytest.raises(InvalidValue, match=said):
        await check_conformance(cast("Model", rude))
