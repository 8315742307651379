"""Drives a run to its end: in this thread, or beside an event loop that must not wait."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from anyio import to_thread

from trace_agents.errors import SandboxError
from trace_agents.sandbox.job import Answer, Asked, Job, Run, Sandbox


def call(sandbox: Sandbox, job: Job) -> object:
    """Return what the function returned; blocks the calling thread.

    Raises:
        SandboxError: the code raised, was refused or stopped; or it called an async function.
    """
    run = sandbox.run(job)
    answers: Sequence[Answer] | None = None
    try:
        while True:
            asked = next(run) if answers is None else run.send(answers)
            answers = [_answered(each, job) for each in asked]
    except StopIteration as end:
        return end.value
    finally:
        run.close()


async def call_async(sandbox: Sandbox, job: Job) -> object:
    """Return what the function returned; the code runs beside the event loop.

    The host's functions that it calls run in this task, several at once where the code awaits
    several. Cancelling this task stops the code.

    Raises:
        SandboxError: the code raised, was refused or stopped.
    """
    from anyio import CapacityLimiter  # what it imports would slow every start of the package

    run = sandbox.run(job)
    # of its own: runs that wait for a worker must not keep those that have one from going on
    limiter = CapacityLimiter(1)
    answers: Sequence[Answer] | None = None
    stepping = False
    try:
        while True:
            stepping = True
            asked, result = await to_thread.run_sync(
                _step, run, answers, limiter=limiter, abandon_on_cancel=True
            )
            stepping = False
            if asked is None:  # only unsafe code can return what is to be awaited
                return await result if inspect.isawaitable(result) else result
            answers = await _all_answered(asked, job)
    finally:
        job.stop.now()  # after the end it does nothing; before it, the thread comes back at once
        if not stepping:
            run.close()


def _step(run: Run, answers: Sequence[Answer] | None) -> tuple[Sequence[Asked] | None, object]:
    try:
        return (next(run) if answers is None else run.send(answers)), None
    except StopIteration as end:  # which no coroutine may raise
        return None, end.value


def _answered(asked: Asked, job: Job) -> Answer:
    value, error = _called(asked, job)
    if error is None and inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise SandboxError(
            f"{job.name!r} awaits {asked.name!r}, which needs an event loop; use `call_async`"
        )
    return Answer(value, error)


async def _all_answered(asked: Sequence[Asked], job: Job) -> list[Answer]:
    from anyio import create_task_group  # as above

    if len(asked) == 1:
        return [await _awaited(asked[0], job)]
    answers = [Answer()] * len(asked)

    async def put(place: int, each: Asked) -> None:
        answers[place] = await _awaited(each, job)

    async with create_task_group() as group:
        for place, each in enumerate(asked):
            group.start_soon(put, place, each)
    return answers


async def _awaited(asked: Asked, job: Job) -> Answer:
    value, error = _called(asked, job)
    if error is None and inspect.isawaitable(value):
        try:
            return Answer(await cast("Awaitable[object]", value))
        except Exception as raised:  # noqa: BLE001 - the code's to handle, like a return value
            return Answer(error=raised)
    return Answer(value, error)


def _called(asked: Asked, job: Job) -> tuple[object, Exception | None]:
    function: Callable[..., object] | None = job.callees.get(asked.name)
    if function is None:
        return None, NameError(f"name {asked.name!r} is not defined")
    try:
        return function(*asked.args, **asked.kwargs), None
    except Exception as error:  # noqa: BLE001 - the code's to handle, like a return value
        return None, error
