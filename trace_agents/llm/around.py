"""What the wrappers of models share: a model inside, whose name and settings they hand on."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import Self

from trace_agents.errors import InvalidValue
from trace_agents.llm.base import Identified, Message, Model, Reply, Schema, varied


class Around:
    """A model around another one; subclasses write `complete`."""

    def __init__(self, inside: Model) -> None:
        self.name = inside.name
        self._inside = structured(inside)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inside!r})"

    def identity(self) -> Mapping[str, object]:
        """Return all that the answers depend on, beside the prompt.

        Raises:
            InvalidValue: the model inside does not say it.
        """
        return identity_of(self._inside)

    def at(self, *, temperature: float | None = None, sample: int | None = None) -> Self:
        """Return the same wrapper, sharing its state, around the model inside at other settings."""
        clone = copy.copy(self)
        clone._inside = varied(self._inside, temperature=temperature, sample=sample)
        return clone


class Unstructured(Around):
    """A model whose `complete` takes messages only: a schema is ignored."""

    def __init__(self, inside: Model) -> None:
        self.name = inside.name
        self._inside = inside

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the reply."""
        return await self._inside.complete(messages)


def structured(model: Model) -> Model:
    """Return `model`, or where its `complete` takes no schema, one around it that ignores it."""
    taken = inspect.signature(model.complete).parameters.values()
    if any(p.name == "schema" or p.kind is p.VAR_KEYWORD for p in taken):
        return model
    return Unstructured(model)


def identity_of(model: Model) -> Mapping[str, object]:
    """Return all that the model's answers depend on, beside the prompt.

    Raises:
        InvalidValue: the model does not say it.
    """
    if isinstance(model, Identified):
        return model.identity()
    raise InvalidValue(
        f"the model {model.name!r} does not say what its answers depend on, so a cache could give "
        "another model's; give it an identity() method, or the cache identity="
    )
