"""Models for tests: answers written beforehand, or by a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from trace_agents.errors import ModelError
from trace_agents.llm.base import Message, Reply


class ScriptedModel:
    """A `Model` that gives the `replies` in order and keeps the prompts in `prompts`."""

    def __init__(self, replies: Iterable[str | Reply], *, name: str = "scripted") -> None:
        self.name = name
        self.prompts: list[tuple[Message, ...]] = []
        self._replies = iter(tuple(replies))

    async def complete(self, messages: Sequence[Message]) -> Reply:
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

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Return the function's reply."""
        return _as_reply(self._function(messages))


def _as_reply(reply: str | Reply) -> Reply:
    return Reply(reply) if isinstance(reply, str) else reply
