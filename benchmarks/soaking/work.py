"""What a worker process does for an episode; now and then it dies in the middle of it."""

from __future__ import annotations

import os
import random
import signal
import time
import zlib
from pathlib import Path


def number(words: str) -> int:
    """Return a number that these words always have."""
    return zlib.crc32(words.encode())


def worked(task: str, dial: int, tone: str, deadly: float, toll: str) -> str:
    """Return the answer to a task, unless this process is killed first.

    Args:
        task: the task.
        dial: the first parameter.
        tone: the second one.
        deadly: how probable it is that the process kills itself.
        toll: the file that gets a line before it does.
    """
    time.sleep(0.005 + number(task) % 40 / 1000)
    if random.random() < deadly:
        tell(Path(toll), "worker")
        os.kill(os.getpid(), signal.SIGKILL)
    return answer(task, dial, tone)


def answer(task: str, dial: int, tone: str) -> str:
    """Return the answer to a task."""
    return f"{task}: {tone}, {dial}"


def tell(path: Path, line: str) -> None:
    """Add a line to a file in one call of the system: whole, or not at all."""
    with path.open("ab", buffering=0) as file:
        file.write(f"{line}\n".encode())
