"""Models for tests: answers written beforehand, or by a function; and a test for your own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import anyio

from trace_agents.errors import InvalidValue, ModelError
from trace_agents.llm.base import Message, Model, Reply, Schema


class ScriptedModel:
    """A `Model` that gives the `replies` in order and keeps the prompts in `prompts`."""

    def __init__(self, replies: Iterable[str | Reply], *, name: str = "scripted") -> None:
        self.name = name
        self.prompts: list[tuple[Message, ...]] = []
        self._replies = iter(tuple(replies))

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the next reply.

        Raises:
            ModelError: all replies were given.
        """
        self.prompts.append(tuple(messages))
        reply = next(self._replies, None)
        if reply is None:
            raise ModelError(
                f"the scripted model has no reply left for prompt {len(self.prompts)}; add one"
            )
        return _as_reply(reply)


class FunctionModel:
    """A `Model` that answers what `function` makes of the messages."""

    def __init__(
        self, function: Callable[[Sequence[Message]], str | Reply], *, name: str = "function"
    ) -> None:
        self.name = name
        self._function = function

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the function's reply."""
        return _as_reply(self._function(messages))


async def check_conformance(model: Model) -> None:
    """Make sure that a model keeps to the protocol, by four calls: alone, two at once, by a schema.

    Raises:
        InvalidValue: it does not; the sentence says in what.
        ModelError: it could not answer.
    """
    if not isinstance(cast("object", model.name), str):
        raise InvalidValue(f"the name of a model is text, not {model.name!r}")
    prompt: list[Message] = [{"role": "user", "content": "Say hello."}]
    asked = copy.deepcopy(prompt)
    _check_reply(await model.complete(asked))
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(model.complete, asked)
    _check_reply(await model.complete(asked, schema={"type": "object"}))
    if asked != prompt:
        raise InvalidValue(f"the model {model.name!r} changed the messages that it was given")


def _check_reply(reply: Reply) -> None:
    if not isinstance(cast("object", reply), Reply) or not isinstance(
        cast("object", reply.text), str
    ):
        raise InvalidValue(f"a model returns a Reply with a text, not {reply!r}")
    if min(reply.input_tokens, reply.output_tokens, reply.usd) < 0:
        raise InvalidValue(f"a reply cannot cost less than nothing: {reply!r}")
    if reply.cached and (reply.tokens or reply.usd):
        raise InvalidValue(f"a reply from a cache costs nothing: {reply!r}")


def _as_reply(reply: str | Reply) -> Reply:
    return Reply(reply) if isinstance(reply, str) else reply
