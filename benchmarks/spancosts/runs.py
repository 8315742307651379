"""Each measurement in a process of its own: ours here, agentlightning's in its environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.costs.runs import ROOT, Measured

PEER = "agentlightning==0.3.0"
INSTALL_SECONDS = 600
_SCRIPTS = ROOT / "benchmarks" / "spancosts"


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs programs, and says so on stderr where one fails or takes too long."""

    peer: Path | None
    """The Python of agentlightning's environment, where there is one."""
    timeout: float
    """Seconds that one run may take."""

    def own(self, program: str, size: int) -> Measured:
        """Return what one of our own programs measured."""
        return self._run(sys.executable, "own.py", program, size)

    def other(self, shape: str, size: int) -> Measured:
        """Return what agentlightning's adapter took for a shape."""
        return self._run(str(self.peer), "lightning.py", shape, size)

    def _run(self, python: str, script: str, program: str, size: int) -> Measured:
        path = str(ROOT) if python == sys.executable else ""
        try:
            done = subprocess.run(
                [python, str(_SCRIPTS / script), program, str(size)],
                env={**os.environ, "PYTHONPATH": path},
                capture_output=True,
                text=True,
                timeout=self.timeout,
                check=True,
            )
        except subprocess.TimeoutExpired:
            _say(f"{script} {program} {size}: stopped after {self.timeout:g} s")
        except subprocess.CalledProcessError as error:
            _say(f"{script} {program} {size}: {reason(error)}")
        else:
            return Measured(json.loads(done.stdout.splitlines()[-1]))
        return Measured()


def cache() -> Path:
    """Return the folder that keeps the peer's environment; it may be removed at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Path(base, "trace-agents", f"{PEER.replace('==', '-')}-python{version}")


def peer_python() -> Path | None:
    """Return the Python of the peer's environment, made at the first call; None without it."""
    folder = cache()
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--retries", "1"]
    try:
        _call([sys.executable, "-m", "venv", str(folder)])
        _call([*pip, "install", PEER])
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        _say(f"{PEER} could not be installed, so nothing is compared with it: {reason(error)}")
        return None
    (folder / "ready").touch()
    return python


def reason(error: Exception) -> str:
    """Return the last line of what a failed program said."""
    printed = error.stderr if isinstance(error, subprocess.CalledProcessError) else None
    return str(printed or error).strip().splitlines()[-1]


def _call(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_SECONDS, capture_output=True, text=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
