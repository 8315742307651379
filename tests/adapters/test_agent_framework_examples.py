"""The Agent Framework applications under examples/wrapped run offline, wrapped and as they are."""

from __future__ import annotations

import importlib
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trace_agents as ta

FOLDER = Path(__file__).parents[2] / "examples" / "wrapped"
MARK = "# added"

EXAMPLES: dict[str, tuple[dict[str, object], set[str], str]] = {
    "agent_framework_quickstart": (
        {"ferry.system_message": "Be short.", "ferry.tools.wind.description": "Measure it."},
        {"ferry.tools.wind.arguments.place.description"},
        "No, there is a gale over the strait.",
    ),
    "agent_framework_handoff": (
        {
            "triage.tools.handoff_to_refunds.description": "For lamps.",
            "refunds.system_message": "?",
        },
        {"triage.system_message", "refunds.tools.handoff_to_triage.description"},
        "We will send you a new lamp.",
    ),
}
each = pytest.mark.parametrize("name", EXAMPLES)


def test_every_example_is_listed() -> None:
    """No application in the folder goes untested."""
    assert {path.stem for path in FOLDER.glob("agent_framework_*.py")} == set(EXAMPLES)


@each
async def test_an_example_runs_wrapped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parameters are found, and a version of them is in the graph and gets feedback."""
    values, others, answer = EXAMPLES[name]
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    module: Any = importlib.import_module(name)
    workflow: ta.Workflow = module.workflow
    assert set(workflow.parameters()) == {*values, *others}
    async with ta.applied(workflow, values) as trace:
        assert await workflow.run(module.TASK) == answer
    reached = ta.backward(trace.graph(), "Say it better.")
    assert values.items() <= {node.name: node.value for node in reached.parameters}.items()


@each
async def test_an_example_runs_without_the_added_lines(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two lines are added, and without them it is the same application."""
    lines = (FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()
    added = [line for line in lines if line.endswith(MARK)]
    assert len(added) == 2
    plain = tmp_path / f"{name}.py"
    plain.write_text("\n".join(line for line in lines if line not in added), encoding="utf-8")
    assert "trace_agents" not in plain.read_text(encoding="utf-8")
    main: Callable[[], Any] = runpy.run_path(str(plain), run_name=name)["main"]
    await main()
    assert EXAMPLES[name][2] in capsys.readouterr().out
