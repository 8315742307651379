"""What is to run, what it may ask of its host, and how it is stopped."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

NOTHING: Mapping[str, object] = {}


class Stop:
    """Ends a run from another thread: what was registered is called once, while the run lasts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kill: Callable[[], None] | None = None
        self._stopped = False

    def now(self) -> None:
        """End the run, or the one that has yet to begin."""
        with self._lock:  # a run that is over must not have the next one's worker killed
            self._stopped = True
            if self._kill is not None:
                self._kill()
            self._kill = None

    def by(self, kill: Callable[[], None]) -> None:
        """Say how the run ends; it is ended at once where that was asked for before."""
        with self._lock:
            if self._stopped:
                kill()
            else:
                self._kill = kill

    def over(self) -> None:
        """Say that there is nothing left to end."""
        with self._lock:
            self._kill = None


def _nothing() -> Mapping[str, Callable[..., object]]:
    return {}


@dataclass(frozen=True, slots=True)
class Job:
    """One call of one function whose source a model wrote."""

    source: str
    name: str
    args: Sequence[object] = ()
    kwargs: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    callees: Mapping[str, Callable[..., object]] = field(default_factory=_nothing)
    """The host's functions that the code may call, sync or async, by the names it calls."""
    seed: str = ""
    """What randomness starts from; the same seed gives the same numbers."""
    stop: Stop = field(default_factory=Stop)

    @property
    def waits(self) -> bool:
        """Whether the function is async."""
        return self.source.lstrip().startswith("async ")


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of a host's function, made by code in a sandbox."""

    name: str
    args: tuple[object, ...]
    kwargs: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host's function returned, or raised."""

    value: object = None
    error: Exception | None = None


Run: TypeAlias = Generator[Sequence[Asked], Sequence[Answer], object]
"""Runs code up to its next calls of the host, and after their answers further; at last returns."""


def is_async(function: Callable[..., object]) -> bool:
    """Return whether what the function returns is to be awaited."""
    return inspect.iscoroutinefunction(function) or bool(getattr(function, "is_async", False))


class Sandbox(Protocol):
    """Something that runs a function whose source a model wrote."""

    def run(self, job: Job) -> Run:
        """Return the run of `job`: a generator of what the code asks of its host.

        Each step may block its thread and may take place in a thread of its own. Closing the
        generator ends the run.

        Raises:
            SandboxError: the code raised, was refused or stopped; the sentence says why.
        """
        ...
