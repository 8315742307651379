"""A model call whose cost counts for the episode that makes it."""

from __future__ import annotations

from collections.abc import Sequence

from trace_agents.errors import ModelError
from trace_agents.llm.base import Message, Model, Reply
from trace_agents.tracing.context import current_trace


async def counted(model: Model, messages: Sequence[Message]) -> Reply:
    """Return the reply; what it or its failure took counts for the episode.

    That is tokens, dollars and requests; a call that is cancelled counts as one request. Outside
    an episode it is a plain call.

    Raises:
        ModelError: the model could not answer.
    """
    try:
        reply = await model.complete(messages)
    except ModelError as error:
        _spend(error.tokens, error.usd, error.calls)
        raise
    except BaseException:
        _spend(0, 0.0, 1)
        raise
    _spend(reply.tokens, reply.usd, reply.calls)
    return reply


def _spend(tokens: int, usd: float, calls: int) -> None:
    trace = current_trace()
    if trace is not None:
        trace.spend(tokens=tokens, usd=usd, calls=calls)
