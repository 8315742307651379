"""Each measurement in a process of its own: ours here, the peer's in its own environment."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.costs.peer import Peer, reason, say

ROOT = Path(__file__).resolve().parents[2]
TRACE = Peer(
    "trace-opt==0.1.3.8", (("graphviz", "black"), ("--no-deps", "trace-opt==0.1.3.8")), 300
)
"""Installed with what `opto.trace` and its OptoPrime import besides the clients of models, which
nothing calls; all that the package asks for takes 1.3 GB."""
_SCRIPTS = ROOT / "benchmarks"


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs programs, and says so on stderr where one fails or takes too long."""

    peer: Path | None
    """The Python of the peer's environment, where there is one."""
    rounds: int
    """How often each side of a comparison runs, in turns; the median counts."""
    timeout: float
    """Seconds that one run may take."""

    def own(self, program: str, size: int, rounds: int = 0) -> Measured:
        """Return the medians of what one of our own programs measured."""
        script = _SCRIPTS / "costs" / "own_ops.py"
        command = [sys.executable, str(script), program, str(size)]
        found: list[Measured] = []
        for _ in range(rounds or self.rounds):
            found.append(self._run(command))
            if not found[-1]:
                return Measured()  # it would fail or last as long again
        return _medians(found)

    def both(
        self, program: str, size: int, rounds: int = 0
    ) -> Callable[[str], tuple[float, float | None]]:
        """Run a program that both have, in turns; return what gives ours and the peer's medians."""
        script = str(_SCRIPTS / "peers" / "trace_ops.py")
        ours: list[Measured] = []
        peers: list[Measured] = []
        for _ in range(rounds or self.rounds):
            ours.append(self._run([sys.executable, script, "trace_agents", program, str(size)]))
            if self.peer is not None:
                peers.append(self._run([str(self.peer), script, "trace", program, str(size)]))
        own, other = _medians(ours), _medians(peers) if peers else None
        return lambda key: (own[key], None if other is None else other[key])

    def _run(self, command: list[str]) -> Measured:
        python, script, *words = command
        return measured(python, Path(script), *words, timeout=self.timeout)


def measured(python: str, script: Path, *words: object, timeout: float) -> Measured:
    """Run a script and return the figures of its last line; none where it fails or is too slow.

    Args:
        python: ours, or a peer's, which sees nothing of ours.
        script: prints one JSON object.
        words: its arguments.
        timeout: seconds.
    """
    told = [str(word) for word in words]
    try:
        done = subprocess.run(
            [python, str(script), *told],
            env={**os.environ, "PYTHONPATH": str(ROOT) if python == sys.executable else ""},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
    except subprocess.TimeoutExpired:
        say(f"{script.name} {' '.join(told)}: stopped after {timeout:g} s")
    except subprocess.CalledProcessError as error:
        say(f"{script.name} {' '.join(told)}: {reason(error)}")
    else:
        return Measured(json.loads(done.stdout.splitlines()[-1]))
    return Measured()


class Measured(dict[str, float]):
    """What a program printed; what is missing is NaN."""

    def __missing__(self, key: str) -> float:
        return math.nan


def _medians(found: list[Measured]) -> Measured:
    if not all(found):
        return Measured()
    return Measured({key: statistics.median(each[key] for each in found) for key in found[0]})
