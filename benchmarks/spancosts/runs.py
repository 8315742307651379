"""Each measurement in a process of its own: ours here, agentlightning's in its environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.costs.peer import Peer, reason, say
from benchmarks.costs.runs import ROOT, Measured

LIGHTNING = Peer("agentlightning==0.3.0", (("agentlightning==0.3.0",),), 600)
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
            say(f"{script} {program} {size}: stopped after {self.timeout:g} s")
        except subprocess.CalledProcessError as error:
            say(f"{script} {program} {size}: {reason(error)}")
        else:
            return Measured(json.loads(done.stdout.splitlines()[-1]))
        return Measured()
