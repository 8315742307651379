"""A process that has loaded the modules and forks one child for each call; it runs no such code.

It listens on a socket of its own, which no child inherits: `j` with the connection of a call
forks, and is answered with the child's number; `w` waits for that child. Between the two the
number stays the child's, so that it can be killed safely.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from trace_agents.sandbox.inside import lockdown
from trace_agents.sandbox.inside.calling import serve
from trace_agents.sandbox.inside.channel import Channel

NUMPY = ("numpy.fft", "numpy.linalg", "numpy.polynomial", "numpy.random")
"""What numpy loads at its first use, which would be too late."""


def main(number: int, text: str) -> None:
    """Answer on the socket of that number until it is closed."""
    settings = {**json.loads(text), "folders": lockdown.library_folders()}
    control = socket.socket(fileno=number)
    for name in sys.builtin_module_names:  # no child can make them any more
        _loaded(name)
    missing = [name for name in settings["imports"] if not _loaded(name)]
    for name in NUMPY if "numpy" in sys.modules else ():
        _loaded(name)
    channel = Channel(control, 1_000_000)
    channel.send(missing)
    gc.freeze()
    child = 0
    while True:
        word, connections, _, _ = socket.recv_fds(control, 1, 1)
        if word == b"j":
            child = _forked(connections[0], control, settings)
            channel.send(child)
        elif word == b"w":
            status = os.waitpid(child, 0)[1]
            child = 0
            channel.send(status)
        else:  # the host is gone
            if child:
                os.kill(child, signal.SIGKILL)
            return


def _forked(number: int, control: socket.socket, settings: Mapping[str, Any]) -> int:
    child = os.fork()
    if child:
        os.close(number)
        return child
    try:
        os.setsid()
        control.close()
        serve(socket.socket(fileno=number), settings)
    finally:
        os._exit(70)  # not one line further, whatever happened: this is a copy of the parent


def _loaded(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def start() -> None:
    """Begin with what the command line says."""
    main(int(sys.argv[1]), sys.argv[2])
