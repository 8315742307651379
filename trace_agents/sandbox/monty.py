"""pydantic-monty: an interpreter of its own in worker processes, with limits always set."""

from __future__ import annotations

import os
import signal
import threading
import weakref
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trace_agents.errors import ExtraNotInstalled, SandboxError
from trace_agents.sandbox.inside.wire import NOT_AWAITED, NotPlain, copied
from trace_agents.sandbox.job import Answer, Asked, Job, Run, is_async
from trace_agents.sandbox.traces import Place, busy, failed, not_plain, told

if TYPE_CHECKING:
    from pydantic_monty import (
        CollectString,
        ExternalSettledResult,
        Frame,
        FunctionSnapshot,
        Monty,
        MontyError,
        MontySession,
        OSPolicy,
        ResourceLimits,
        SyncSnapshot,
    )

CLOCK = datetime(2025, 1, 1, tzinfo=UTC)
"""What code in a sandbox takes for the present: a repeated call must give the same."""
_CALL = "{source}\n{wait}{name}(*call_args, **call_kwargs)"


@dataclass(eq=False)
class MontySandbox:
    """pydantic-monty: an interpreter of its own in worker processes, with limits always set.

    No files, no network, no environment, no imports beyond monty's own few modules; the clock
    stands still, sleeping takes no time, and randomness starts from the job's seed. Plain data
    goes in and out. The workers start at the first call and are shared by all calls of this
    object. The synchronous pool is used on purpose: the asynchronous one aborted the host at
    interpreter exit in some runs on Python 3.11.
    """

    seconds: float = 5.0
    """Time that one call may compute; waiting for the host's functions does not count."""
    memory: int = 100_000_000
    """Bytes that one call may hold, and that its arguments may weigh."""
    output: int = 1_000_000
    """Bytes that one call may print, and that its result, or what it asks the host, may weigh."""
    recursion: int = 500
    """Calls inside one another."""
    host_calls: int = 1_000
    """Calls of the host's functions in one call, with the names that are looked up for them."""
    workers: int = 4
    """Processes at most; further calls wait for one."""
    patience: float = 60.0
    """Seconds to wait for a worker."""
    clock: datetime = CLOCK
    """What the code takes for the present."""
    _pool: list[Monty] = field(default_factory=list["Monty"], repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, job: Job) -> Run:
        """Return the run of `job`; see `Sandbox.run`."""
        try:
            from pydantic_monty import CollectString, MontyError
        except ImportError:
            raise ExtraNotInstalled("pydantic-monty", "sandbox") from None
        inputs = {
            "call_args": self._plain(list(job.args), job, "its arguments", self.memory),
            "call_kwargs": self._plain(dict(job.kwargs), job, "its arguments", self.memory),
        }
        printed = CollectString(max_bytes=self.output)
        try:
            with self._session(job) as session:
                result = yield from self._turns(session, job, inputs, printed)
        except MontyError as error:
            raise _failure(error, job, printed.output) from None
        return self._plain(result, job, "its result", self.output)

    def _turns(
        self, session: MontySession, job: Job, inputs: dict[str, object], printed: CollectString
    ) -> Run:
        from pydantic_monty import FunctionSnapshot, FutureSnapshot, MontyComplete

        wait = "await " if job.waits else ""
        code = _CALL.format(source=job.source, wait=wait, name=job.name)
        turn: SyncSnapshot = session.feed_start(code, inputs=inputs, print_callback=printed)
        begun: dict[int, Asked] = {}
        while not isinstance(turn, MontyComplete):
            if isinstance(turn, FutureSnapshot):
                pending = sorted(turn.pending_call_ids)
                answers = yield [begun.pop(number) for number in pending]
                settled = [self._answer(answer) for answer in answers]
                turn = turn.resume(dict(zip(pending, settled, strict=True)))
            elif isinstance(turn, FunctionSnapshot) and not turn.is_os_function:
                turn = yield from self._called(turn, job, begun)
            else:
                turn = _unasked(turn, job)
        return turn.output

    def _called(
        self, turn: FunctionSnapshot, job: Job, begun: dict[int, Asked]
    ) -> Generator[Sequence[Asked], Sequence[Answer], SyncSnapshot]:
        name = str(turn.function_name)
        function = job.callees.get(name)
        if function is None:
            return turn.resume({"exception": NameError(f"name {name!r} is not defined")})
        try:
            asked = Asked(name, copied(turn.args, self.output), copied(turn.kwargs, self.output))
        except NotPlain as error:
            return turn.resume({"exception": TypeError(f"{name}: {error}")})
        if is_async(function):
            if not job.waits:
                return turn.resume({"exception": RuntimeError(NOT_AWAITED.format(name))})
            begun[turn.call_id] = asked  # called once the code awaits it
            return turn.resume({"future": ...})
        (answer,) = yield [asked]
        return turn.resume(self._answer(answer))

    def _answer(self, answer: Answer) -> ExternalSettledResult:
        if answer.error is not None:
            return {"exception": told(answer.error)}
        try:
            return {"return_value": copied(answer.value, self.memory)}
        except NotPlain as error:
            return {"exception": TypeError(str(error))}

    def _plain(self, value: Any, job: Job, what: str, limit: int) -> Any:
        try:
            return copied(value, limit)
        except NotPlain as error:
            raise not_plain(job.name, what, error) from None

    @contextmanager
    def _session(self, job: Job) -> Generator[MontySession]:
        checkout = self._workers().checkout(limits=self._limits(), os_policy=self._policy(job))
        with ExitStack() as stack:
            try:
                session = stack.enter_context(checkout)
            except TimeoutError:
                raise busy(job.name, self.workers, self.patience) from None
            stack.callback(job.stop.over)
            worker = session.worker_pid
            if worker is not None:
                job.stop.by(lambda: _kill(worker))
            yield session

    def _limits(self) -> ResourceLimits:
        return {
            "max_feed_duration_secs": self.seconds,
            "max_memory": self.memory,
            "max_recursion_depth": self.recursion,
            "max_suspensions": self.host_calls,
            "max_total_sleep_secs": 0.0,
        }

    def _policy(self, job: Job) -> OSPolicy:
        return {
            "datetime": self.clock,
            "sleep": "zero",
            "random_start": {"seed": job.seed},
        }

    def _workers(self) -> Monty:
        from pydantic_monty import Monty

        with self._lock:  # two threads may make the first call at once
            if not self._pool:
                stack = ExitStack()
                pool = Monty(max_processes=self.workers, checkout_timeout=self.patience)
                self._pool.append(stack.enter_context(pool))
                weakref.finalize(self, stack.close)
            return self._pool[0]


def _kill(worker: int) -> None:
    """End a worker; its pool starts another."""
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)


def _unasked(turn: SyncSnapshot, job: Job) -> SyncSnapshot:
    """Return the next turn after one that is not for the host: a name, or the system."""
    from pydantic_monty import FunctionSnapshot, NameLookupSnapshot

    if isinstance(turn, FunctionSnapshot):
        return turn.resume_not_handled()
    if not isinstance(turn, NameLookupSnapshot):
        raise SandboxError(f"{job.name} failed in the sandbox: {turn!r} cannot be answered")
    found = job.callees.get(turn.variable_name)
    return turn.resume() if found is None else turn.resume(value=_Named(turn.variable_name))


class _Named:
    """Stands for a function of the host where the code uses it as a value."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self) -> None:
        """Never called: a call becomes a turn."""


def _failure(error: MontyError, job: Job, printed: str) -> SandboxError:
    from pydantic_monty import MontyCrashedError, MontyRuntimeError, MontySyntaxError

    if isinstance(error, MontyCrashedError):
        return failed(job.name, "its worker was stopped or broke down", printed=printed)
    if not isinstance(error, MontyRuntimeError | MontySyntaxError):
        return failed(job.name, str(error), printed=printed)
    last = job.source.count("\n") + 1  # the call stands below it
    places = [
        Place(frame.line, frame.column, frame.end_column, _where(frame), frame.source_line or "")
        for frame in error.traceback()
        if frame.line <= last
    ]
    return failed(job.name, error.display("type-msg"), places, printed)


def _where(frame: Frame) -> str:
    return frame.function_name or "<module>"
