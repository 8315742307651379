"""The one seam to language models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypedDict, runtime_checkable

Schema: TypeAlias = Mapping[str, object]
"""A JSON Schema."""


class Message(TypedDict):
    """One message of a prompt, in the shape that every provider knows."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered, and what that cost."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    """US dollars; 0 where the price is not known."""
    cached: bool = False
    """Whether it came from a cache; then it cost nothing."""
    retries: int = 0
    """Requests that failed before the one that it answers."""

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    @property
    def calls(self) -> int:
        """Requests that were made for it; none where it came from a cache."""
        return 0 if self.cached else 1 + self.retries


class Model(Protocol):
    """Something that completes a prompt: a real model behind litellm, or a stand-in."""

    name: str

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the reply; with a schema, as JSON of that form where the model can hold to one.

        A model that cannot ignores the schema: say the form in the prompt too, and read the
        answer as if nobody had held to it.

        Raises:
            ModelError: the model could not answer; the sentence says why.
        """
        ...


@runtime_checkable
class Variable(Protocol):
    """A model that can be asked in other ways; see `varied`."""

    def at(self, *, temperature: float | None = None, sample: int | None = None) -> Model:
        """Return the model at another temperature, or for another sample of the same prompt."""
        ...


@runtime_checkable
class Identified(Protocol):
    """A model that can say all that its answers depend on, beside the prompt; a cache needs it."""

    def identity(self) -> Mapping[str, object]:
        """Return the name and every setting that may change an answer, as JSON values."""
        ...


def varied(model: Model, *, temperature: float | None = None, sample: int | None = None) -> Model:
    """Return the model at another temperature, or for another sample of the same prompt.

    A sample's number is not sent. It keeps several answers to one prompt apart in a cache, which
    would give the first again. A model that cannot be varied is returned as it is.
    """
    return (
        model.at(temperature=temperature, sample=sample) if isinstance(model, Variable) else model
    )
