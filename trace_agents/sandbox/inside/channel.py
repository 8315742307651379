"""Messages over a socket: one plain value a line, bounded."""

from __future__ import annotations

import socket
import time
from typing import Any

from trace_agents.sandbox.inside.wire import NotPlain, dumps, loads

ROOM = 65_536
"""Bytes of a message besides the values that it carries."""
SPREAD = 7
"""How many times its weight a value may take as JSON."""


class Closed(EOFError):
    """The other side is gone."""


class Late(TimeoutError):
    """The other side did not answer in time."""


class Channel:
    """One end of a connection that carries plain values; the other end is not trusted."""

    def __init__(self, connection: socket.socket, limit: int) -> None:
        self._connection = connection
        self._limit = limit + ROOM
        self._waiting = b""

    def send(self, message: Any) -> None:
        """Send a plain value.

        Raises:
            NotPlain: the value is not plain, or over the limit.
            Closed: nobody is there to take it.
        """
        line = dumps(message, self._limit).encode() + b"\n"
        try:
            self._connection.sendall(line)
        except OSError:
            raise Closed from None

    def receive(self, seconds: float | None = None) -> Any:
        """Return the next value.

        Raises:
            Late: nothing complete came in that time.
            Closed: nothing more can come.
            NotPlain: what came is no such value, or over the limit.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._waiting:
            if len(self._waiting) > self._limit * SPREAD:
                raise NotPlain(f"the message is larger than {self._limit:,} bytes")
            self._waiting += self._more(deadline)
        line, _, self._waiting = self._waiting.partition(b"\n")
        try:
            return loads(line.decode())
        except UnicodeDecodeError:
            raise NotPlain("the message is no text") from None

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _more(self, deadline: float | None) -> bytes:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise Late
        self._connection.settimeout(left)
        try:
            found = self._connection.recv(65_536)
        except TimeoutError:
            raise Late from None
        except OSError:
            found = b""
        finally:
            self._connection.settimeout(None)
        if not found:
            raise Closed
        return found
