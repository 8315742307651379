"""The command line: what it prints for programs, and what it says to people."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import trace_agents as ta
from trace_agents.cli.app import episodes_json
from trace_agents.serialize import dump_graph

COMMAND = [sys.executable, "-c", "from trace_agents.cli import app; app()"]


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, check=False, timeout=60
    )


def test_import_prints_episodes_for_programs(tmp_path: Path) -> None:
    """One object: each episode with its nodes and its edges with reasons, and the problems."""
    graph = (ta.node(1, "x", trainable=True) + 1).graph()
    file = tmp_path / "graphs.jsonl"
    file.write_text(dump_graph(graph) + "\n", encoding="utf-8")
    done = run("import", str(file), "--json")
    shown = json.loads(done.stdout)
    assert shown == json.loads(json.dumps(episodes_json([graph])))
    (episode,) = shown["episodes"]
    assert episode["edges"] == [{"from": "parameter:x", "to": "add", "reason": "parameter"}]
    assert shown["problems"] == []


def test_import_says_what_it_found(tmp_path: Path) -> None:
    """Without `--json`, a line for each episode."""
    file = tmp_path / "graphs.jsonl"
    file.write_text(dump_graph((ta.node(1, "x") + 1).graph()) + "\n", encoding="utf-8")
    assert "2 nodes, 1 edges" in run("import", str(file)).stdout


def test_a_file_that_is_no_trace_ends_in_one_sentence(tmp_path: Path) -> None:
    """The sentence names the file and what each reader said of it."""
    file = tmp_path / "notes.txt"
    file.write_text("nothing of the sort\n", encoding="utf-8")
    done = run("import", str(file))
    assert done.returncode == 2
    assert "notes.txt" in done.stderr
    assert "line 1" in done.stderr
    assert "Traceback" not in done.stderr
