"""Runs one function in a process that has given up everything else."""

from __future__ import annotations

import asyncio
import builtins
import inspect
import random
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any

from trace_agents.sandbox.inside import lockdown
from trace_agents.sandbox.inside.channel import Channel
from trace_agents.sandbox.inside.wire import NOT_AWAITED, NotPlain, copied

NOT_FOR_CODE = ("breakpoint", "copyright", "credits", "exit", "help", "input", "license", "open")
DEEPEST_SHOWN = 50
"""Frames of a traceback that cross."""
TAIL = 2_000
"""Characters of what was printed that an error shows."""


class Printed:
    """Stands for standard output and error: keeps the end, and bounds the whole."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.tail = ""

    def write(self, text: str) -> int:
        """Take what is printed."""
        self._left -= len(text)
        if self._left < 0:
            raise MemoryError("the code printed too much")
        self.tail = (self.tail + text)[-TAIL:]
        return len(text)

    def flush(self) -> None:
        """Do nothing: there is nothing to write to."""


def serve(connection: socket.socket, settings: Mapping[str, Any]) -> None:
    """Take one job from the connection, lock this process down, and answer."""
    channel = Channel(connection, settings["output"])
    job = Channel(connection, settings["memory"]).receive()
    printed = _printed(settings)
    loop = asyncio.new_event_loop() if job["waits"] else None
    stubs = {
        name: _stub(name, channel, waits=waits, within=job["waits"])
        for name, waits in job["callees"].items()
    }
    scope = {**_scope(settings["imports"]), **stubs}
    lockdown.limit(settings["seconds"], settings["memory"])
    lockdown.drop_rights()
    lockdown.forget()
    lockdown.guard(settings["folders"], connection.fileno())
    channel.send(_outcome(job, scope, loop, printed, settings["output"]))


def alone(job: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a job, in a process that something else locks up."""
    loop = asyncio.new_event_loop() if job["waits"] else None
    scope = {"__name__": "__main__"}
    return _outcome(job, scope, loop, _printed(settings), settings["output"])


def _printed(settings: Mapping[str, Any]) -> Printed:
    printed = Printed(settings["output"])
    sys.stdout = sys.stderr = printed
    return printed


def _outcome(
    job: Mapping[str, Any],
    scope: dict[str, Any],
    loop: asyncio.AbstractEventLoop | None,
    printed: Printed,
    limit: int,
) -> dict[str, Any]:
    try:
        _seed(job["seed"])
        exec(compile(job["source"], f"<{job['name']}>", "exec"), scope)
        result = scope[job["name"]](*job["args"], **job["kwargs"])
        if loop is not None and inspect.iscoroutine(result):
            result = loop.run_until_complete(result)
        return {"result": copied(result, limit)}
    except NotPlain as error:
        return {"unfit": str(error), "printed": printed.tail}
    except BaseException as error:  # noqa: BLE001 - the last thing that this process does
        return _raised(error, job, printed)


def _raised(error: BaseException, job: Mapping[str, Any], printed: Printed) -> dict[str, Any]:
    try:
        said = "".join(traceback.format_exception_only(error)).strip()
    except Exception as worse:  # noqa: BLE001 - its own text may raise
        said = f"{type(error).__name__} whose text cannot be shown ({type(worse).__name__})"
    return {"error": said[:10_000], "places": _places(error, job), "printed": printed.tail}


def _places(error: BaseException, job: Mapping[str, Any]) -> list[tuple[int, int, int, str, str]]:
    lines = job["source"].splitlines()
    found: list[tuple[int, int, int, str, str]] = []
    for step in _steps(error)[-DEEPEST_SHOWN:]:
        code = step.tb_frame.f_code
        if code.co_filename == f"<{job['name']}>" and 0 < step.tb_lineno <= len(lines):
            text = lines[step.tb_lineno - 1][:500]
            start, end = _columns(step, text)
            found.append((step.tb_lineno, start, end, code.co_name[:200], text))
    return found


def _steps(error: BaseException) -> list[TracebackType]:
    steps: list[TracebackType] = []
    step = error.__traceback__
    while step is not None:
        steps.append(step)
        step = step.tb_next
    return steps


def _columns(step: TracebackType, text: str) -> tuple[int, int]:
    """Return where on its line a frame was, counted from 1; zeros where that is not known.

    Not by the traceback module, which would read the sources of all frames.
    """
    positions = step.tb_frame.f_code.co_positions()
    line, last, start, end = next(islice(positions, step.tb_lasti // 2, None))
    if line != last or start is None or end is None or not text.isascii():
        return 0, 0
    return start + 1, end + 1


def _scope(imports: Sequence[str]) -> dict[str, Any]:
    known = {name: value for name, value in vars(builtins).items() if name not in NOT_FOR_CODE}
    known["__import__"] = _importing(frozenset(imports))
    return {"__builtins__": known, "__name__": "__main__"}


def _importing(allowed: frozenset[str]) -> Callable[..., Any]:
    real = builtins.__import__

    def guarded(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        if level or name.partition(".")[0] not in allowed:
            raise ImportError(f"the module {name!r} may not be imported here")
        return real(name, globals, locals, fromlist, level)

    return guarded


def _stub(name: str, channel: Channel, *, waits: bool, within: bool) -> Callable[..., Any]:
    def ask(*args: Any, **kwargs: Any) -> Any:
        if waits and not within:
            raise RuntimeError(NOT_AWAITED.format(name))
        channel.send({"call": name, "args": args, "kwargs": kwargs})
        answer = channel.receive()
        if "error" in answer:
            kind = getattr(builtins, answer["kind"], RuntimeError)
            raise kind(answer["error"])
        return answer["value"]

    async def ask_later(*args: Any, **kwargs: Any) -> Any:
        return ask(*args, **kwargs)

    return ask_later if waits and within else ask


def _seed(seed: str) -> None:
    random.seed(seed)
    numbers = sys.modules.get("numpy.random")
    if numbers is not None:
        numbers.seed(random.Random(seed).randrange(2**32))
