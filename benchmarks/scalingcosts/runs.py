"""Each measurement in a process of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.costs.runs import ROOT, Measured, measured

_SCRIPTS = ROOT / "benchmarks" / "scalingcosts"


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs programs, and says so on stderr where one fails or takes too long."""

    timeout: float
    """Seconds that one run may take."""

    def __call__(self, script: str, *arguments: object) -> Measured:
        """Return what a program measured."""
        return measured(sys.executable, _SCRIPTS / script, *arguments, timeout=self.timeout)
