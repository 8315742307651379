"""Mistakes of users: one arrives alone, not inside the group of the tasks that ran beside it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import cast

from trace_agents.errors import EpisodeFailed, TraceAgentsError


class GuideFailed(EpisodeFailed):
    """The guide raised for every episode of a batch, so that nothing could be learnt."""


@contextmanager
def alone() -> Generator[None]:
    """Raise the mistake that an exception group is about; a group with a bug in it stays whole.

    Several mistakes at once are raised as the first of them, with the others in its notes.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        first, others = errors[0], errors[1:]
        if not all(isinstance(error, TraceAgentsError) for error in errors):
            raise
        for other in dict.fromkeys(map(str, others)):
            if other != str(first):
                first.add_note(f"at the same time: {other}")
        raise first from first.__cause__


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
        yield from _leaves(inner)
