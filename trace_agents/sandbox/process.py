"""A locked-down child process of the same Python: hardening, not a boundary."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from trace_agents.errors import SandboxError
from trace_agents.sandbox.inside.channel import Channel, Closed, Late
from trace_agents.sandbox.inside.wire import NotPlain, copied
from trace_agents.sandbox.job import Answer, Asked, Job, Run, is_async
from trace_agents.sandbox.said import Said
from trace_agents.sandbox.traces import busy, failed, not_plain, told
from trace_agents.sandbox.zygotes import Zygote, Zygotes

IMPORTS = (
    "abc", "array", "base64", "binascii", "bisect", "calendar", "cmath", "collections",
    "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum",
    "fractions", "functools", "hashlib", "heapq", "html", "io", "itertools", "json", "keyword",
    "math", "numbers", "operator", "pprint", "random", "re", "statistics", "string", "struct",
    "textwrap", "time", "types", "typing", "unicodedata", "zlib", "asyncio", "_strptime",
)  # fmt: skip
"""Modules that code may import in any case."""


@dataclass(eq=False)
class ProcessSandbox:
    """A child process of the same Python for each call, locked down: hardening, not a boundary.

    For numpy and what monty lacks. The child is forked, with the modules loaded, from a process
    that was started afresh and never runs such code. It has limits on CPU time, memory, files
    and processes, no environment, no terminal, an empty folder, the rights of nobody where the
    host is the superuser, and an audit hook that ends it at the first event that is not
    harmless. Wall-clock time is up to the host, which kills the whole group. A bug in the
    interpreter or in an imported extension can get around all but the limits.
    """

    imports: Sequence[str] = ()
    """Modules that the code may import besides `IMPORTS`, such as numpy; loaded beforehand."""
    seconds: float = 5.0
    """Time that one call may take; waiting for the host's functions does not count."""
    memory: int = 512_000_000
    """Bytes that one call may map besides the modules, and that its arguments may weigh."""
    output: int = 1_000_000
    """Bytes that one call may print, and that its result, or what it asks the host, may weigh."""
    host_calls: int = 1_000
    """Calls of the host's functions in one call."""
    workers: int = 2
    """Calls at once; further ones wait."""
    patience: float = 60.0
    """Seconds to wait for a worker."""
    _pool: list[Zygotes] = field(default_factory=list[Zygotes], repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, job: Job) -> Run:
        """Return the run of `job`; see `Sandbox.run`."""
        if os.name != "posix":
            raise SandboxError(
                "the sandbox 'process' needs a POSIX system; choose 'monty' or 'docker'"
            )
        message = self._message(job)
        with self._zygote(job) as zygote, self._child(zygote, job) as connection:
            try:
                Channel(connection, self.memory).send(message)
                return (yield from self._talk(Channel(connection, self.output), job))
            except Late:
                said = f"TimeoutError: it did not end within {self.seconds:g} s"
            except Closed:
                said = _ending(zygote.reap())
            except NotPlain as error:
                said = f"what came out of it was refused: {error}"
        raise failed(job.name, said)

    def _talk(self, channel: Channel, job: Job) -> Run:
        left = self.seconds
        for number in range(self.host_calls + 1):
            began = time.monotonic()
            said = Said.of(channel.receive(left))
            left -= time.monotonic() - began
            if said.name is None:
                return self._result(said, job)
            if number == self.host_calls:
                break
            if said.name not in job.callees:
                raise NotPlain(f"it asked for {said.name!r}, which it was not given")
            (answer,) = yield [Asked(said.name, said.args, said.kwargs)]
            self._reply(answer, channel)
        raise failed(job.name, f"RuntimeError: it called the host over {self.host_calls:,} times")

    def _result(self, said: Said, job: Job) -> object:
        if said.unfit:
            raise not_plain(job.name, "its result", NotPlain(said.unfit))
        if said.error:
            raise failed(job.name, said.error, said.places, said.printed)
        return copied(said.value, self.output)

    def _reply(self, answer: Answer, channel: Channel) -> None:
        error = answer.error
        if error is None:
            try:
                return channel.send({"value": copied(answer.value, self.memory)})
            except NotPlain as unfit:
                error = TypeError(str(unfit))
        error = told(error)
        text = error.args[0] if len(error.args) == 1 else error
        channel.send({"error": str(text)[: self.output], "kind": type(error).__name__})
        return None

    def _message(self, job: Job) -> dict[str, object]:
        try:
            args, kwargs = copied((list(job.args), dict(job.kwargs)), self.memory)
        except NotPlain as error:
            raise not_plain(job.name, "its arguments", error) from None
        return {
            "source": job.source,
            "name": job.name,
            "args": args,
            "kwargs": kwargs,
            "callees": {name: is_async(function) for name, function in job.callees.items()},
            "waits": job.waits,
            "seed": job.seed,
        }

    @contextmanager
    def _zygote(self, job: Job) -> Generator[Zygote]:
        with ExitStack() as stack:
            try:
                zygote = stack.enter_context(self._zygotes().one())
            except TimeoutError:
                raise busy(job.name, self.workers, self.patience) from None
            lacking = sorted(set(zygote.missing) & set(self.imports))
            if lacking:
                raise SandboxError(f"{job.name} may import {lacking}, which is not installed")
            yield zygote

    @contextmanager
    def _child(self, zygote: Zygote, job: Job) -> Generator[socket.socket]:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                child = zygote.fork(theirs)
            try:
                job.stop.by(partial(_kill, child))
                yield ours
            finally:
                job.stop.over()
                _kill(child)
                zygote.reap()

    def _zygotes(self) -> Zygotes:
        with self._lock:
            if not self._pool:
                settings = {
                    "imports": [*IMPORTS, *self.imports],
                    "seconds": self.seconds,
                    "memory": self.memory,
                    "output": self.output,
                }
                self._pool.append(Zygotes(settings, self.workers, self.patience))
            return self._pool[0]


def _kill(child: int) -> None:
    """End a child and what it may have started; the number is its own until it is reaped."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ProcessLookupError):  # where it had not yet become a group
        os.kill(child, signal.SIGKILL)


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"its process was ended by {signal.Signals(number).name}"
    return f"its process left with status {os.waitstatus_to_exitcode(status)} and no answer"
