"""A disk that fills: a small one of the soak's own, or a limit on what a process may write."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from benchmarks.costs.peer import say

MEGABYTE = 2**20


class Disk(Protocol):
    """Where a database or a run's folder is."""

    how: str
    """In which way it fills."""
    folder: Path

    def fill(self, process: int) -> None:
        """Leave no room, at least for this process."""
        ...

    def free(self) -> None:
        """Give the room back."""
        ...


class SmallDisk:
    """A file system in memory, which is full when it is."""

    how = "a small file system without room"

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "ballast"

    def fill(self, process: int) -> None:
        """Write until nothing more fits."""
        with contextlib.suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            for size in (MEGABYTE, 4096):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def free(self) -> None:
        """Remove what fills it."""
        self._ballast.unlink(missing_ok=True)


class LimitedFiles:
    """A folder on the machine's disk; the process may make no file larger than it is."""

    how = "a limit of the size of files (RLIMIT_FSIZE)"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, process: int) -> None:
        """Let no file of the process grow past the run's largest."""
        sizes = [path.stat().st_size for path in self.folder.rglob("*") if path.is_file()]
        with contextlib.suppress(OSError):  # it may have ended by itself
            _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (max(sizes, default=0), hard))

    def free(self) -> None:
        """Do nothing: the next process has no limit."""


@contextmanager
def disk(megabytes: int) -> Generator[Disk]:
    """Make a disk, and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="soak") as name:
        folder = Path(name)
        folder.chmod(0o755)  # a database server runs as another user
        if not _mounted(folder, megabytes):
            yield LimitedFiles(folder)
            return
        try:
            yield SmallDisk(folder)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def _mounted(folder: Path, megabytes: int) -> bool:
    if os.getuid() != 0:
        return False
    size = f"size={megabytes}m,mode=755"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"no small file system can be mounted: {done.stderr.strip()}")
    return done.returncode == 0
