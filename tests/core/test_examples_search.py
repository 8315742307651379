"""The examples that learn without a model: what they learn holds on tasks that they never saw."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import trace_agents as ta
from examples import battleship, bbh_extractor, code_mapper, numerical, traffic
from trace_agents.testing import FunctionModel

ROOT = Path(__file__).parents[2]
ENDINGS = ("So the answer is {}.", "Hence, So the answer is {}.")


async def test_battleship_is_learned() -> None:
    """A few games are enough to follow up the hits, also on boards that nobody has seen."""
    nodes = [battleship.opening, battleship.spacing, battleship.after_hit]
    result = await battleship.learn(ta.Search(nodes, seed=1), proposals=10, games=12)
    assert result.report is not None
    assert result.report.after > result.report.before + 0.1


async def test_the_mapper_is_learned() -> None:
    """The mapping that was found is much faster on other grids too."""
    result = await code_mapper.learn(ta.Search(code_mapper.PARAMETERS, seed=1), proposals=20)
    assert result.report is not None
    assert result.report.after > 2 * result.report.before


async def test_numbers_are_fitted_by_words() -> None:
    """The stand-in reads the gaps in the prompt, and the line holds far outside of the tasks."""
    nodes = [numerical.slope, numerical.offset]
    optimizer = ta.OptoPrime(nodes, llm=FunctionModel(numerical.standin))
    result = await numerical.learn(optimizer, proposals=4)
    assert result.report is not None
    assert result.report.before < 0.1
    assert result.report.after > 0.9


def completions(count: int) -> list[dict[str, str]]:
    """Return texts of the form that the recorded ones have."""
    numbers = [(number, 3 * number) for number in Random(0).sample(range(100), count)]
    return [
        {
            "question": f"{a} + {b}?",
            "prediction": f"We add {a}, {b}. {ENDINGS[a % 2].format(a + b)}",
            "target": str(a + b),
        }
        for a, b in numbers
    ]


async def test_an_extractor_is_learned() -> None:
    """The extractor reads the held-out half as well as its own."""
    result = await bbh_extractor.learn(
        completions(60), ta.Search(bbh_extractor.PARAMETERS, seed=2), proposals=15
    )
    assert result.report is not None
    assert result.report.n == 30
    assert result.report.after > result.report.before + 0.3


@pytest.mark.skipif(not bbh_extractor.DATA.is_dir(), reason="the recorded completions are not here")
async def test_an_extractor_is_learned_on_recorded_completions() -> None:
    """Real text: more than half of the held-out answers are read right, none before."""
    records = bbh_extractor.recorded(bbh_extractor.DATA)[:200]
    optimizer = ta.Search(bbh_extractor.PARAMETERS, seed=2)
    result = await bbh_extractor.learn(records, optimizer, proposals=15)
    assert result.report is not None
    assert result.report.before < 0.05
    assert result.report.after > 0.5


def test_missing_completions_are_named(tmp_path: Path) -> None:
    """A folder without completions is an error with the option that names another."""
    with pytest.raises(SystemExit, match="--data"):
        bbh_extractor.recorded(tmp_path)


def test_traffic_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setitem(sys.modules, "uxsim", None)
    with pytest.raises(ta.ExtraNotInstalled, match=r"trace-agents\[traffic\]"):
        traffic.simulator()


async def test_green_times_are_learned() -> None:
    """Less time is lost, also on days that were not simulated before."""
    pytest.importorskip("uxsim")
    result = await traffic.learn(ta.Search(traffic.PARAMETERS, seed=1), proposals=5)
    assert result.report is not None
    assert result.report.after > result.report.before


def test_an_example_runs_as_a_program() -> None:
    """The command prints a curve beside that of chance, and what holds on unseen tasks."""
    done = subprocess.run(
        [sys.executable, "examples/numerical.py"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "by chance" in done.stdout
    assert "on tasks that no training saw" in done.stdout
