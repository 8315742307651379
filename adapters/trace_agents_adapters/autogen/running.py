"""Runs of AutoGen that end when they are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import anyio
from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_core import CancellationToken

from trace_agents_adapters.autogen.runtimes import Mail, mailing

T = TypeVar("T")

_GRACE = 5.0
"""Seconds that a cancelled run has to put its things in order."""


async def run_to_end(thing: ChatAgent | Team, task: str) -> TaskResult:
    """Return the result of a run; when this is cancelled, nothing of the run is left."""
    token = CancellationToken()
    with mailing() as mail:
        run = thing.run(task=task, cancellation_token=token)
        return await _ended(run, mail, lambda: _cancel(token))


def _cancel(token: CancellationToken) -> None:
    # AutoGen's MCP workbench hands the token a coroutine, which has no cancel(); what waits for
    # it is cancelled with its handler
    with suppress(AttributeError):
        token.cancel()


async def run_app(app: Callable[[object], Awaitable[object]], task: object) -> object:
    """Return what an application gives; when this is cancelled, its handlers are too."""

    async def run() -> object:
        return await app(task)

    with mailing() as mail:
        return await _ended(run(), mail, lambda: None)


async def _ended(run: Coroutine[object, object, T], mail: Mail, stop: Callable[[], None]) -> T:
    running = asyncio.ensure_future(run)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # AutoGen waits for its handlers before it lets go, and a handler may wait for a tool
        # that the token has ended: so all three are told
        stop()
        with anyio.CancelScope(shield=True):
            await _settled(running, mail)
        raise


async def _settled(running: asyncio.Future[T], mail: Mail) -> None:
    for _ in range(2):
        running.cancel()
        mail.cancel()
        parts: list[asyncio.Future[Any]] = [running, *mail.tasks]
        _, left = await asyncio.wait(parts, timeout=_GRACE)
        if not left:
            break
    if running.done() and not running.cancelled():
        running.exception()  # seen, so that nobody is told that it was not
