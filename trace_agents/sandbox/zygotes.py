"""Processes that are ready to fork a child for a call; as many as calls run at once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from trace_agents.errors import SandboxError
from trace_agents.sandbox.inside.channel import Channel, Closed, Late
from trace_agents.sandbox.inside.wire import NotPlain

START = 60.0
"""Seconds that a process may take to load its modules."""
_HERE = Path(__file__).parent
# the packages above are stood in for: their own imports would slow every start
_BOOT = f"""
import sys, types
folders = {{"trace_agents": {str(_HERE.parent)!r}, "trace_agents.sandbox": {str(_HERE)!r}}}
for name, folder in folders.items():
    sys.modules[name] = package = types.ModuleType(name)
    package.__path__ = [folder]
from trace_agents.sandbox.inside.zygote import start
start()
"""
_COMMAND = (sys.executable, "-s", "-P", "-B", "-c", _BOOT)
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""All that such a process sees: sets in one order, and no threads that a fork would lose."""


class Zygote:
    """One process that has loaded the modules; it forks a child for one call at a time."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._control, theirs = socket.socketpair()
        # the folder is gone once the process is in it: nothing can be put there
        with theirs, tempfile.TemporaryDirectory() as folder:
            self._process = subprocess.Popen(
                [*_COMMAND, str(theirs.fileno()), json.dumps(settings)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd=folder,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._channel = Channel(self._control, 1_000_000)
        self._child = 0
        self._ended = 0
        self.broken = False
        """Whether it can fork no more."""
        self.missing = cast("list[str]", self._told(START))
        """Modules that could not be loaded."""

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def fork(self, connection: socket.socket) -> int:
        """Return the number of a new child that serves `connection`."""
        with suppress(OSError):  # then the answer is missing too, and that says it
            socket.send_fds(self._control, [b"j"], [connection.fileno()])
        self._child = cast(int, self._told(START))
        return self._child

    def reap(self) -> int:
        """Return how the child ended, once it has; until then its number stays its own."""
        if self._child and not self.broken:
            self._child = 0
            with suppress(OSError):
                self._control.sendall(b"w")
            self._ended = cast(int, self._told(START))
        return self._ended

    def close(self) -> None:
        """End the process."""
        self.broken = True
        self._control.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def _told(self, seconds: float) -> object:
        try:
            return self._channel.receive(seconds)
        except (Closed, Late, NotPlain) as error:
            self.close()
            raise SandboxError(
                f"the process of the sandbox broke down ({type(error).__name__}); call again"
            ) from None


class Zygotes:
    """Those processes, made when needed, kept for the next call, ended with this object."""

    def __init__(self, settings: Mapping[str, object], most: int, patience: float) -> None:
        self._settings = settings
        self._places = threading.BoundedSemaphore(most)
        self._patience = patience
        self._idle: list[Zygote] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def one(self) -> Generator[Zygote]:
        """Lend one that nobody else uses.

        Raises:
            TimeoutError: all were in use for too long.
            SandboxError: a new one could not start.
        """
        if not self._places.acquire(timeout=self._patience):
            raise TimeoutError
        try:
            zygote = self._taken()
            try:
                yield zygote
            finally:
                if not zygote.broken:
                    self._idle.append(zygote)
        finally:
            self._places.release()

    def _taken(self) -> Zygote:
        with self._lock:
            while self._idle:
                zygote = self._idle.pop()
                if zygote.alive:
                    return zygote
                zygote.close()
        return Zygote(self._settings)


def _close_all(idle: list[Zygote]) -> None:
    while idle:
        idle.pop().close()
