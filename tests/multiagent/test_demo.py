"""The main job, end to end, in small: real agents learn, and everything about the run is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

import trace_agents as ta
from trace_agents.plugins import COMMANDS, load
from trace_agents.store import read_values
from trace_agents.training import TrainingEvent
from trace_agents_adapters.otel import read_spans
from trace_agents_multiagent.demo import Settings, run_experiment
from trace_agents_multiagent.demo.build import (
    build_team,
    guide_of,
    shuffled_judge,
    stand_ins,
    tasks_of,
)
from trace_agents_multiagent.demo.laboratory import Laboratory
from trace_agents_multiagent.demo.present import page, save
from trace_agents_multiagent.household import Finding, HouseholdResult, judge

COMMAND = [sys.executable, "-c", "from trace_agents.cli import app; app()", "demo"]
SMALL = ["--test-seeds", "4", "--gate-tasks", "4", "--batch-size", "4", "--proposals", "1"]


def small(folder: Path, **changes: object) -> Settings:
    """Return settings for a run of seconds."""
    values: dict[str, object] = {
        "run_dir": folder,
        "test_seeds": 4,
        "gate_tasks": 4,
        "batch_size": 8,
        "proposals": 2,
        "controls": False,
    }
    return Settings(**{**values, **changes})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def quiet(_arm: str, _event: TrainingEvent | None) -> None:
    """Show no progress."""


async def test_a_run_keeps_all_that_happened(tmp_path: Path) -> None:
    """Versions, spans, best prompts and a page lie in the run's folder, and can be read back."""
    outcome = await run_experiment(small(tmp_path), quiet, anyio.Event())
    save(outcome)
    assert outcome.peak >= 16
    assert not outcome.stopped
    parameters = build_team(outcome.settings).parameters()
    assert read_values(tmp_path / "best.json", parameters) == dict(outcome.trained.best.values)
    graphs = ta.load_traces(tmp_path / "spans.jsonl")
    assert len(graphs) == outcome.trained.episodes
    assert all(len(graph.outputs) == 1 for graph in graphs)
    assert "A household team learns" in (tmp_path / "report.html").read_text()


async def test_every_span_of_an_episode_carries_one_version(tmp_path: Path) -> None:
    """The version is stamped on each span when it starts, AutoGen's own spans included."""
    await run_experiment(small(tmp_path), quiet, anyio.Event())
    versions: dict[object, set[object]] = {}
    for span in read_spans(tmp_path / "spans.jsonl"):
        episode = span.attributes["trace_agents.episode.id"]
        versions.setdefault(episode, set()).add(span.attributes["trace_agents.version"])
    assert all(len(found) == 1 for found in versions.values())


async def test_feedback_reaches_the_prompts_of_both_agents(tmp_path: Path) -> None:
    """From the episode's one output there is a path back to either planning prompt."""
    outcome = await run_experiment(small(tmp_path, proposals=1), quiet, anyio.Event())
    assert outcome.path is not None
    reached = {node.name for node in outcome.path.parameters}
    assert {"alice.system_message", "bob.system_message"} <= reached
    assert "alice" in page(outcome).html()


@pytest.mark.parametrize("concurrency", [4, 16])
async def test_the_curve_does_not_depend_on_the_concurrency(
    tmp_path: Path, concurrency: int
) -> None:
    """The same seed gives the same learning curve one at a time and many at once."""
    curves = [
        (await Laboratory(small(tmp_path, concurrency=n), quiet, anyio.Event()).train("trained"))
        for n in (1, concurrency)
    ]
    assert curves[0].curve == curves[1].curve
    assert curves[0].best.values == curves[1].best.values


def test_json_is_one_object_with_the_documented_keys(tmp_path: Path) -> None:
    """`--json` prints nothing else on the standard output."""
    done = subprocess.run(
        [*COMMAND, *SMALL, "--json", "--run-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    shown = json.loads(done.stdout)
    keys = {"seeds", "before", "after", "gain", "gain_ci95"}
    assert set(shown["test"]) == keys
    assert {arm: set(found) for arm, found in shown["controls"].items()} == {
        "frozen": keys,
        "shuffled": keys,
        "random": keys,
    }
    assert shown["stand_ins"] == [
        "rule-following stand-in",
        "reflecting stand-in",
        "random stand-in",
    ]
    for key in ("versions", "episodes", "peak_concurrency", "seconds", "spent"):
        assert shown[key]
    assert shown["run_dir"] == str(tmp_path)


@pytest.mark.parametrize("moment", ["proposal 1", "testing: before"])
def test_an_interrupt_ends_cleanly_and_keeps_what_was_learnt(tmp_path: Path, moment: str) -> None:
    """Ctrl-C, which a terminal sends to all processes: the run ends, its best prompts are saved."""
    running = subprocess.Popen(
        [*COMMAND, "--run-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if moment in line:
                break
        os.killpg(running.pid, signal.SIGINT)
        said, _ = running.communicate(timeout=120)
    finally:
        running.kill()
        running.wait()
    assert "Traceback" not in said
    assert running.returncode == 0, said
    assert "Stopped." in said
    assert (tmp_path / "best.json").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "nonsense"], "nonsense"),
        (["--optimizer-model", "nonsense"], "nonsense"),
        (["--tasks", "{folder}/absent.json"], "absent.json"),
        (["--tasks", "{folder}/broken.json"], "line 1"),
        (["--tasks", "{folder}/wrong.json"], "family"),
        (["--run-dir", "{folder}/old"], "holds a run already"),
    ],
)
def test_a_users_mistake_ends_in_one_sentence(
    tmp_path: Path, options: list[str], said: str
) -> None:
    """What was wrong, where, what to do, and a non-zero exit; never a traceback."""
    (tmp_path / "broken.json").write_text('[{"family": "put_fridge"')
    (tmp_path / "wrong.json").write_text('[{"family": "fly", "split": "train", "seed": 1}]')
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "run.db").touch()
    given = [option.format(folder=tmp_path) for option in options]
    where = [] if "--run-dir" in given else ["--run-dir", str(tmp_path / "new")]
    done = subprocess.run(
        [*COMMAND, *SMALL, "--no-controls", *where, *given],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error:")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_extra_names_its_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without LangChain the sentence says which extra to install."""
    monkeypatch.setitem(sys.modules, "langchain.agents", None)
    with pytest.raises(ta.ExtraNotInstalled, match=r"pip install 'trace-agents\[langchain\]'"):
        build_team(small(tmp_path))


def test_the_demo_is_a_sub_command_by_entry_point() -> None:
    """The core finds it without importing the package."""
    assert callable(load(COMMANDS, "demo"))


def test_the_splits_do_not_share_a_task() -> None:
    """Train, gate and test tasks differ by name, and so do the tasks of other seeds."""
    tasks = [task for split in ("train", "gate", "test") for task in tasks_of(split, 50, 3)]
    tasks += tasks_of("test", 50, 4)
    assert len(set(tasks)) == 200


def test_shuffled_feedback_keeps_score_and_counts() -> None:
    """Only the places of the counts change: the control shows what the words are worth."""
    findings = (
        Finding("alice", "idle_chat", 6, 7, "bob"),
        Finding("bob", "one_hand", 3, 4, "alice"),
    )
    result = HouseholdResult(True, 40, 250, 4, 4, findings)
    (task,) = tasks_of("train", 1, 0)
    true, dealt = judge(task, result), shuffled_judge(task, result)
    assert dealt.score == true.score
    assert dealt.text != true.text
    assert guide_of("shuffled") is shuffled_judge
    assert guide_of("trained") is judge


def test_real_models_leave_no_stand_ins(tmp_path: Path) -> None:
    """With both models named, the list of stand-ins is empty."""
    named = small(tmp_path, model="openai/x", optimizer_model="openai/y")
    assert stand_ins(named) == ()


def test_the_team_gets_better_than_every_control(tmp_path: Path) -> None:
    """The demo as it ships: 100 test tasks, a gain that is no chance, and more than each control.

    Stand-ins take the models' places; the tasks, the agents, the spans and the gate are real.
    """
    done = subprocess.run(
        [*COMMAND, "--json", "--run-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    shown = json.loads(done.stdout)
    test = shown["test"]
    assert test["seeds"] >= 100
    assert test["gain_ci95"][0] > 0
    assert shown["peak_concurrency"] >= 16
    assert shown["failed_test_episodes"] == 0
    for arm, control in shown["controls"].items():
        assert test["gain"] > control["gain"], arm
