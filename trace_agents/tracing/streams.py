"""Bundled generators: every item is a node that came from what the call was given.

The body of a stream runs in a context of its own, and its items belong to the recording in which
it was called, wherever and by whomever it is consumed. So it may stay suspended, hold a block
open, or be closed by another task, and the consumer's context never has anything of it.
"""

from __future__ import annotations

import types
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextvars import Context, copy_context
from typing import Any, TypeVar, cast

from trace_agents.tracing.execution import PlainBody
from trace_agents.tracing.nodes import Node

T = TypeVar("T")
_END = object()


def stream(items: Generator[object], body: PlainBody) -> Generator[Node]:
    """Return the nodes of a generator's items, one at a time."""
    return _stream(items, body, _inside(body), copy_context())


def async_stream(items: AsyncGenerator[object], body: PlainBody) -> AsyncGenerator[Node]:
    """Return the nodes of an async generator's items, one at a time."""
    return _async_stream(items, body, _inside(body), copy_context())


def _inside(body: PlainBody) -> Context:
    """Return the context of a stream's body: the caller's, with the body running in it."""
    context = copy_context()
    context.run(body.settle)
    return context


def _stream(
    items: Generator[object], body: PlainBody, inside: Context, outside: Context
) -> Generator[Node]:
    try:
        while True:
            try:
                item = inside.run(next, items, _END)
            except Exception as error:
                outside.run(body.fail, error)
                raise
            if item is _END:
                return
            yield outside.run(body.node, item)
    finally:
        inside.run(items.close)


async def _async_stream(
    items: AsyncGenerator[object], body: PlainBody, inside: Context, outside: Context
) -> AsyncGenerator[Node]:
    try:
        while True:
            try:
                item = await _within(inside, anext(items, _END))
            except Exception as error:
                outside.run(body.fail, error)
                raise
            if item is _END:
                return
            yield outside.run(body.node, item)
    finally:
        await _within(inside, items.aclose())


@types.coroutine
def _within(context: Context, awaitable: Awaitable[T]) -> Generator[Any, Any, T]:
    """Await something with each of its steps run in `context`; cancellation passes through."""
    steps = awaitable.__await__()
    advance, argument = steps.send, None
    while True:
        try:
            waiting = context.run(advance, argument)
        except StopIteration as end:
            return cast(T, end.value)
        try:
            argument = yield waiting
            advance = steps.send
        except BaseException as error:  # noqa: BLE001 - whatever is thrown in goes to the body
            argument, advance = error, steps.throw
