"""Each measurement in a process of its own: ours here, a peer's in its environment."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.costs.peer import Peer
from benchmarks.costs.runs import ROOT, Measured, measured

GEPA = Peer("gepa==0.1.4", (("gepa==0.1.4",),), 300)
PLAN = {"concurrency": 8, "train": 24, "gate": 12, "episodes": 150}
_SCRIPTS = ROOT / "benchmarks" / "trainingcosts"


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs programs, and says so on stderr where one fails or takes too long."""

    timeout: float
    """Seconds that one run may take."""

    def own(self, program: str, size: int) -> Measured:
        """Return what one of our own programs measured."""
        return self._run(sys.executable, "episodes.py", program, str(size))

    def rollouts(self, python: Path, count: int) -> Measured:
        """Return what rollouts by agentlightning's runner cost."""
        return self._run(str(python), "lightning.py", "rollouts", str(count))

    def trained(self, model_seconds: float, seed: int) -> Measured:
        """Return one training of ours."""
        plan = json.dumps(PLAN)
        return self._run(sys.executable, "rules_run.py", str(model_seconds), str(seed), plan)

    def gepa(
        self, python: Path, model_seconds: float, seed: int, minibatch: int, shape: str
    ) -> Measured:
        """Return one training by gepa with so many examples to a reflection."""
        plan = json.dumps({**PLAN, "minibatch": minibatch})
        return self._run(str(python), "gepa_run.py", str(model_seconds), str(seed), shape, plan)

    def _run(self, python: str, script: str, *words: object) -> Measured:
        return measured(python, _SCRIPTS / script, *words, timeout=self.timeout)


def means(found: list[Measured]) -> Measured:
    """Return the means of what several runs measured."""
    if not found or not all(found):
        return Measured()
    return Measured({key: statistics.mean(each[key] for each in found) for key in found[0]})
