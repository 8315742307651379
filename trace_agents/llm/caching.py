"""A cache of answers on disk, by the content of the question."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import anyio
from anyio.lowlevel import RunVar

from trace_agents.errors import ModelError
from trace_agents.llm.answers import Answers
from trace_agents.llm.around import Around
from trace_agents.llm.base import Message, Model, Reply, Schema, varied
from trace_agents.llm.flights import Flights, Shared


class Cached(Around):
    """A model that is asked once for each question; later the answer comes from a file.

    A question is the model with all its settings, the messages and the schema. A reply from the
    file costs nothing and says `cached`. Callers that ask the same at the same time, in one event
    loop, share one request; a failure goes to all of them and is not kept. Several processes may
    use one file. `varied(model, sample=2)` asks for another answer to the same question.

    Args:
        inside: the model.
        path: the SQLite file; it is made where it is missing, and may be removed at any time. It
            holds answers and hashes of questions, no prompts.
        identity: all that the answers depend on, beside the question, as JSON values; for a model
            that does not say it.

    Raises:
        InvalidValue: the model does not say what its answers depend on, and nor does `identity`.
        StoreError: the file is no cache.
    """

    def __init__(
        self, inside: Model, path: str | Path, *, identity: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(inside)
        self._identity = identity
        self._variant: dict[str, object] = {}
        self._answers = Answers(path)
        self._flights: RunVar[Flights[Reply]] = RunVar("flights")
        self.identity()

    def identity(self) -> Mapping[str, object]:
        """Return all that the answers depend on, beside the question."""
        return super().identity() if self._identity is None else self._identity

    def at(self, *, temperature: float | None = None, sample: int | None = None) -> Self:
        """Return the same cache around the model at other settings."""
        clone = copy.copy(self)
        clone._inside = varied(self._inside, temperature=temperature, sample=sample)
        given = {"temperature": temperature, "sample": sample}
        changed = {name: value for name, value in given.items() if value is not None}
        clone._variant = {**self._variant, **changed}
        return clone

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the reply, from the file where it is known.

        Raises:
            ModelError: the model could not answer.
            StoreError: the file cannot be read or written.
        """
        key = self._key(messages, schema)

        async def work() -> Reply:
            known = await self._answers.get(key)
            if known is not None:
                return known
            reply = await self._inside.complete(messages, schema=schema)
            # it is paid for: a cancellation must not lose it
            with anyio.CancelScope(shield=True):
                await self._answers.put(key, reply)
            return reply

        try:
            reply, shared = await self._under_way().share(key, work)
        except Shared as failure:
            raise _without_cost(failure.error) from failure.error
        return _free(reply) if shared else reply

    def _under_way(self) -> Flights[Reply]:
        try:
            return self._flights.get()
        except LookupError:
            flights = Flights[Reply]()
            self._flights.set(flights)
            return flights

    def _key(self, messages: Sequence[Message], schema: Schema | None) -> str:
        question = {
            "model": self.identity(),
            "variant": self._variant,
            "messages": [dict(message) for message in messages],
            "schema": schema,
        }
        text = json.dumps(question, sort_keys=True, default=repr)
        return hashlib.sha256(text.encode()).hexdigest()


def _free(reply: Reply) -> Reply:
    return replace(reply, input_tokens=0, output_tokens=0, usd=0.0, cached=True)


def _without_cost(error: Exception) -> Exception:
    """Return the error for one more caller: who asked has paid."""
    return copy.copy(error).costing(0, 0.0, 0) if isinstance(error, ModelError) else error
