"""One run from its beginning to its end, through as many lives as it takes."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.costs.peer import say
from benchmarks.costs.runs import ROOT
from benchmarks.soaking.checking import Checked, checked, same_curve, whole
from benchmarks.soaking.ground import Ground
from benchmarks.soaking.plan import BROKEN, COMPLETE, Plan

DECISIONS = 60
STUCK = 180.0
"""Seconds of one life after which it is taken to hang; none lasts a tenth of that."""
DEADLY = 1 / 150
HARMLESS = {"trainers killed", "locks held", "locks not to be had"}
"""What ends no trainer by an error of its own."""


@dataclass(slots=True)
class Figures:
    """What all runs went through, and what they lacked."""

    counted: Counter[str] = field(default_factory=Counter[str])
    problems: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By kind: one sentence for each."""

    def problem(self, kind: str, sentence: str) -> None:
        """Note a problem, and say it."""
        self.problems.setdefault(kind, []).append(sentence)
        say(f"{kind}: {sentence}")


@dataclass(slots=True)
class Campaign:
    """A run that is disturbed until the time is over, and then goes on in peace."""

    ground: Ground
    seed: int
    figures: Figures
    time_left: Callable[[], bool]
    draw: random.Random

    def fight(self, deterministic: bool) -> None:
        """Take a new run to its end, and check it after every life."""
        with (
            tempfile.TemporaryDirectory(dir=self.ground.disk.folder) as folder,
            tempfile.TemporaryDirectory(prefix="soaknotes") as notes,
        ):
            url, cluster = self.ground.url(), self.ground.cluster
            plan = Plan(folder, notes, url, self.seed, deterministic, DECISIONS, cluster=cluster)
            plan = replace(plan, deadly=DEADLY)
            found = self._live(plan)
            while found is None:
                plan = self._risen(plan)
                found = self._live(plan)
            self._finish(plan, found)

    def _live(self, plan: Plan) -> Checked | None:
        """Live once; return what there is if the run is complete by then."""
        counted = self.figures.counted
        counted["lives"] += 1
        counted["resumed"] += plan.begun
        command = [sys.executable, "-c", _START, plan.dumped()]
        child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        with child:
            happened = self._disturb(child, Path(plan.run_dir))
            _, said = child.communicate()
        self.ground.disk.free()
        self.ground.mend()
        self._judge(child.returncode, said, happened)
        found = self._look(plan)
        return found if child.returncode == COMPLETE else None

    def _disturb(self, child: subprocess.Popen[str], run_dir: Path) -> Counter[str]:
        """Let things happen to a trainer until it ends."""
        happened: Counter[str] = Counter()
        began = time.monotonic()
        # to reach a cluster takes seconds, in which nothing is at stake
        longest = 4.0 if self.ground.cluster is None else 10.0
        while not _ended(child, self.draw.uniform(0.3, longest)):
            if time.monotonic() - began > STUCK:
                self.figures.problem("hung", f"a life of {STUCK:g} s on {self.ground.name}")
                child.kill()
            if self.time_left():
                happened[self._one(child, run_dir)] += 1
        self.figures.counted += happened
        return happened

    def _one(self, child: subprocess.Popen[str], run_dir: Path) -> str:
        luck = self.draw.random()
        if luck < 0.4:
            child.kill()
            return "trainers killed"
        if luck < 0.75:
            return self.ground.disturb(run_dir, self.draw)
        self.ground.disk.fill(child.pid)
        _ended(child, self.draw.uniform(0.5, 4.0))
        self.ground.disk.free()
        self.ground.mend()
        return "disks filled"

    def _judge(self, status: int, said: str, happened: Counter[str]) -> None:
        """Note how a life ended, and whether what happened to it explains that."""
        reasons = happened.keys() - HARMLESS
        if status == BROKEN and reasons:
            self.figures.counted["ended by a StoreError"] += 1
        elif status not in (COMPLETE, -9) or (status == -9 and not happened["trainers killed"]):
            self.figures.problem("unexplained ends", f"status {status}: {said[-2000:]}")

    def _look(self, plan: Plan) -> Checked:
        found = checked(plan)
        for sentence in found.problems:
            self.figures.problem("fold(log) is not the store", sentence)
        for sentence in found.lost:
            self.figures.problem("acknowledged and lost", sentence)
        self.figures.counted["comparisons of log and store"] += 1
        return found

    def _risen(self, plan: Plan) -> Plan:
        if len(self.figures.problems.get("unexplained ends", ())) > 10:
            raise RuntimeError("trainers end by themselves again and again; see above")
        return replace(plan, life=plan.life + 1, begun=checked(plan).begun)

    def _finish(self, plan: Plan, found: Checked) -> None:
        counted = self.figures.counted
        counted["runs"] += 1
        counted["episodes"] += found.episodes
        counted["versions"] += found.versions - 1
        counted["decisions"] += found.decisions
        counted["acknowledged"] += found.acknowledged
        for sentence in found.failed:
            self.figures.problem("episodes that failed", sentence)
        toll = plan.toll.read_text(encoding="utf-8").splitlines() if plan.toll.exists() else []
        counted["workers killed"] += toll.count("worker")
        counted["clock jumps"] += toll.count("clock")
        for sentence in whole(plan):
            self.figures.problem("incomplete runs", f"{sentence} ({self.ground.name})")
        if plan.deterministic:
            counted["curves compared"] += 1
            if not same_curve(plan):
                self.figures.problem("other curves", f"seed {plan.seed} on {self.ground.name}")


# started so, the process has no main module that its workers would have to load
_START = "from benchmarks.soaking.trainer import main; main()"


def _ended(child: subprocess.Popen[str], seconds: float) -> bool:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
