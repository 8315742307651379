"""A peer's own environment, made once and kept in the user's cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A published package that we compare ourselves with."""

    package: str
    """With its version, as pip takes it."""
    installs: tuple[tuple[str, ...], ...]
    """What pip is asked to install, one call after the other."""
    seconds: float
    """Seconds that one of these calls may take."""

    @property
    def cache(self) -> Path:
        """The folder that keeps the environment; it may be removed at any time."""
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return Path(base, "trace-agents", f"{self.package.replace('==', '-')}-python{version}")

    def python(self) -> Path | None:
        """Return the environment's Python, made at the first call; None where that fails."""
        folder = self.cache
        python = folder / "bin" / "python"
        if (folder / "ready").exists():
            return python
        shutil.rmtree(folder, ignore_errors=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--retries", "1"]
        try:
            self._call([sys.executable, "-m", "venv", str(folder)])
            for wanted in self.installs:
                self._call([*pip, "install", *wanted])
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            say(
                f"{self.package} could not be installed, so nothing is compared with it: "
                f"{reason(error)}"
            )
            return None
        (folder / "ready").touch()
        return python

    def forget(self) -> None:
        """Remove the environment."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def _call(self, command: list[str]) -> None:
        subprocess.run(command, check=True, timeout=self.seconds, capture_output=True, text=True)


def reason(error: Exception) -> str:
    """Return the last line of what a failed program said."""
    printed = error.stderr if isinstance(error, subprocess.CalledProcessError) else None
    return str(printed or error).strip().splitlines()[-1]


def say(line: str) -> None:
    """Tell the user beside the table."""
    print(line, file=sys.stderr, flush=True)
