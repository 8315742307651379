"""The one seam to language models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypedDict


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

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens


class Model(Protocol):
    """Something that completes a prompt: a real model behind litellm, or a stand-in."""

    name: str

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Return the reply.

        Raises:
            ModelError: the model could not answer; the sentence says why.
        """
        ...
