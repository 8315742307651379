"""A run in a folder leaves the traces of all its episodes there."""

from __future__ import annotations

from pathlib import Path

import pytest

import trace_agents as ta
from trace_agents.errors import StoreError
from trace_agents.testing import ScriptedModel


async def test_every_episode_of_a_run_is_in_its_trace_file(tmp_path: Path) -> None:
    """Plain Python's graphs are written as JSON lines, and `load_traces` reads them back."""
    greeting = ta.node("Hello", "greeting", trainable=True)

    def greet(name: ta.Node) -> ta.Node:
        return greeting + ", " + name

    workflow = ta.wrap(greet, parameters=[greeting])
    result = await ta.train(
        workflow,
        ["Ada", "Alan"],
        gate_tasks=["Grace", "Edsger"],
        guide=lambda _task, output: float("Hi" in str(output)),
        optimizer=ta.OptoPrime(
            workflow.parameters(),
            llm=ScriptedModel(["<variable><name>greeting</name><value>Hi</value></variable>"] * 2),
        ),
        batch_size=2,
        proposals=1,
        run_dir=tmp_path,
    )
    graphs = ta.load_traces(tmp_path / "graphs.jsonl")
    assert result.best.values == {"greeting": "Hi"}
    assert len(graphs) == result.episodes
    assert {output.value for graph in graphs for output in graph.outputs} >= {
        "Hello, Ada",
        "Hi, Grace",
    }


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
async def test_a_disk_without_room_for_traces_ends_the_run_with_one_sentence(
    tmp_path: Path,
) -> None:
    """It is no exception group, and what was acknowledged is there when the run goes on."""
    greeting = ta.node("Hello", "greeting", trainable=True)

    def greet(name: ta.Node) -> ta.Node:
        return greeting + ", " + name

    workflow = ta.wrap(greet, parameters=[greeting])
    full = tmp_path / "graphs.jsonl"
    full.symlink_to("/dev/full")
    with pytest.raises(StoreError, match=r"cannot be written.*resume"):
        await ta.train(
            workflow,
            ["Ada", "Alan", "Grace", "Edsger"],
            guide=lambda _task, _output: 1.0,
            optimizer=ta.OptoPrime(workflow.parameters(), llm=ScriptedModel(["no"] * 2)),
            batch_size=2,
            proposals=1,
            run_dir=tmp_path,
        )
    full.unlink()
    result = await ta.resume(
        tmp_path,
        workflow,
        guide=lambda _task, _output: 1.0,
        optimizer=ta.OptoPrime(workflow.parameters(), llm=ScriptedModel(["no"] * 2)),
    )
    assert len(result.curve) == 2
