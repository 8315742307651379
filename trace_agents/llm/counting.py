"""A model call whose cost counts for the episode that makes it."""

from __future__ import annotations

from collections.abc import Sequence

from trace_agents.errors import ModelError
from trace_agents.llm.base import Message, Model, Reply
from trace_agents.tracing.context import current_trace


async def counted(model: Model, messages: Sequence[Message]) -> Reply:
    """Return the reply; its tokens and dollars, or those of its failure, count for the episode.

    Outside an episode it is a plain call.

    Raises:
        ModelError: the model could not answer.
    """
    try:
        reply = await model.complete(messages)
    except ModelError as error:
        _spend(error.tokens, error.usd)
        raise
    _spend(reply.tokens, reply.usd)
    return reply


def _spend(tokens: int, usd: float) -> None:
    trace = current_trace()
    if trace is not None:
        trace.spend(tokens=tokens, usd=usd)
