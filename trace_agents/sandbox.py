"""Where model-written code runs: never in this process, unless asked for by the word `unsafe`."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, cast

from trace_agents.errors import ExtraNotInstalled, SandboxError

if TYPE_CHECKING:
    from pydantic_monty import Monty

SandboxName = Literal["monty", "unsafe"]


class Sandbox(Protocol):
    """Something that runs one function whose source a model wrote."""

    def call(
        self, source: str, name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> object:
        """Return what the function returned; blocks the calling thread.

        Raises:
            SandboxError: the code raised, was refused or stopped; the sentence says why.
        """
        ...


@dataclass
class MontySandbox:
    """pydantic-monty: an interpreter of its own in worker processes, with limits always set.

    No files, no network, no imports beyond monty's own few modules. Arguments and result are
    JSON-like values. The synchronous pool is used on purpose: the asynchronous one aborted the
    host at interpreter exit in some runs on Python 3.11.
    """

    seconds: float = 5.0
    """Time one call may take."""
    memory: int = 100_000_000
    """Bytes one call may hold."""
    _pool: list[Monty] = field(default_factory=list["Monty"], repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def call(
        self, source: str, name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> object:
        """Return what the function returned; see `Sandbox.call`."""
        try:
            from pydantic_monty import CollectString, MontyError
        except ImportError:
            raise ExtraNotInstalled("pydantic-monty", "sandbox") from None
        limits = {"max_feed_duration_secs": self.seconds, "max_memory": self.memory}
        wait = "await " if source.lstrip().startswith("async ") else ""
        inputs = {"call_args": _plain(list(args)), "call_kwargs": _plain(dict(kwargs))}
        printed = CollectString()
        try:
            with self._workers().checkout(limits=limits) as session:  # type: ignore[arg-type]
                session.feed_run(source, print_callback=printed)
                return cast(
                    object,
                    session.feed_run(
                        f"{wait}{name}(*call_args, **call_kwargs)",
                        inputs=inputs,
                        print_callback=printed,
                    ),
                )
        except MontyError as error:
            raise SandboxError(f"{name} failed in the sandbox: {error}") from None

    def _workers(self) -> Monty:
        from pydantic_monty import Monty

        with self._lock:  # two threads may make the first call at once
            if not self._pool:
                stack = ExitStack()
                self._pool.append(stack.enter_context(Monty(max_processes=2)))
                weakref.finalize(self, stack.close)
            return self._pool[0]


class UnsafeSandbox:
    """No sandbox: the code runs in this process with all its rights. Compiled once a version."""

    def __init__(self, namespace: Mapping[str, object]) -> None:
        self._namespace = namespace
        self._compiled: dict[str, Callable[..., object]] = {}

    def call(
        self, source: str, name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> object:
        """Return what the function returned; its errors pass through as they are."""
        return self.compiled(source, name)(*args, **kwargs)

    def compiled(self, source: str, name: str) -> Callable[..., object]:
        """Return the function of that source, compiled at the first call."""
        if source not in self._compiled:
            scope = dict(self._namespace)
            exec(compile(source, f"<{name}>", "exec"), scope)
            self._compiled[source] = cast("Callable[..., object]", scope[name])
        return self._compiled[source]


def _plain(value: object) -> object:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise SandboxError(
            f"only JSON-like values can enter the sandbox ({error}); "
            "pass plain data, or choose sandbox='unsafe'"
        ) from None
