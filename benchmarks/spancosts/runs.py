"""Each measurement in a process of its own: ours here, agentlightning's in its environment."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.costs.peer import Peer
from benchmarks.costs.runs import ROOT, Measured, measured

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
        return measured(python, _SCRIPTS / script, program, size, timeout=self.timeout)
