"""The applications under examples/wrapped run offline, with and without the wrapping."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trace_agents as ta
from tests.adapters.autogen_teams import PROMPTS
from trace_agents.graph import Kind

FOLDER = Path(__file__).parents[2] / "examples" / "wrapped"
MARK = "# added"

EXAMPLES: dict[str, tuple[dict[str, object], list[str], str]] = {
    "autogen_quickstart": (
        {"forecaster.tools.forecast.description": "Look at the sky."},
        ["forecaster.system_message", "forecaster.tools.forecast.description"],
        "Take one: it will rain in Bergen from noon.",
    ),
    "autogen_team": (
        {"editor.system_message": "Be strict."},
        ["writer.system_message", "editor.system_message", "termination.max_messages"],
        "ACCEPTED, print that.",
    ),
    "autogen_selector": (
        {
            "SelectorGroupChat.selector_prompt": "{roles} {history} {participants}?",
            "reckoner.system_message": "Reckon.",
        },
        [
            "planner.system_message",
            "clerk.system_message",
            "reckoner.system_message",
            "SelectorGroupChat.selector_prompt",
            "planner.description",
            "clerk.description",
            "reckoner.description",
            "termination.max_messages",
        ],
        "Together 21 boats left.",
    ),
    "autogen_swarm": (
        {"desk.handoffs.cashier.message": "The cashier takes over."},
        [
            "desk.system_message",
            "desk.tools.transfer_to_cashier.description",
            "desk.handoffs.cashier.message",
            "cashier.system_message",
            "cashier.tools.refund.description",
        ],
        "You have your money back for parcel 81. GOODBYE",
    ),
    "autogen_graph": (
        {"press.system_message": "Set it large."},
        [
            "drafter.system_message",
            "facts.system_message",
            "tone.system_message",
            "chief.system_message",
            "press.system_message",
            "termination.max_messages",
        ],
        "NOTICE: the pier is shut until Friday.",
    ),
    "autogen_agent_tool": (
        {"tides.system_message": "Know the moon."},
        ["tides.system_message", "captain.system_message", "captain.tools.tides.description"],
        "We sail at noon, with the tide.",
    ),
    "autogen_magentic": (
        {
            "MagenticOneGroupChat.task_ledger_facts_prompt": "What is known of this? {task}",
            "MagenticOneGroupChat.task_ledger_full_prompt": "{task} {team} {facts} {plan}",
        },
        ["archivist.system_message", "archivist.description", *PROMPTS],
        "The oldest lamp stands on the north mole.",
    ),
    "autogen_human": (
        {"poet.system_message": "You write long poems."},
        ["poet.system_message"],
        "APPROVE",
    ),
    "autogen_sequence": (
        {"copywriter.system_message": "Write it in verse."},
        ["analyst.system_message", "copywriter.system_message", "editor.system_message"],
        "Tea in a storm? It stands firm.",
    ),
}
each = pytest.mark.parametrize("name", EXAMPLES)


def test_every_example_is_listed() -> None:
    """No application in the folder goes untested."""
    assert {path.stem for path in FOLDER.glob("autogen_*.py")} == set(EXAMPLES)


@each
async def test_an_example_runs_wrapped(name: str) -> None:
    """Its parameters are found, and a version of one reaches the models and the graph."""
    values, parameters, answer = EXAMPLES[name]
    module = runpy.run_path(str(FOLDER / f"{name}.py"), run_name=name)
    workflow: ta.Workflow = module["workflow"]
    assert set(workflow.parameters()) == set(parameters)
    async with ta.applied(workflow, values) as trace:
        assert await workflow.run(module["TASK"]) == answer
    graph = trace.graph()
    for parameter, value in values.items():
        assert graph.by_id[f"parameter:{parameter}"].value == value
    reached = ta.backward(graph, "Say it better.")
    reaching = {name for name in values if not name.endswith("selector_prompt")}
    assert reaching <= {node.name for node in reached.parameters}
    assert any(node.kind is Kind.OUTPUT for node in graph.nodes)


@each
async def test_an_example_runs_without_the_added_lines(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """At most three lines are added, and without them it is the same application."""
    lines = (FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()
    added = [line for line in lines if line.endswith(MARK)]
    assert 1 <= len(added) <= 3
    plain = tmp_path / f"{name}.py"
    plain.write_text("\n".join(line for line in lines if line not in added), encoding="utf-8")
    assert "trace_agents" not in plain.read_text(encoding="utf-8")
    main: Callable[[], Any] = runpy.run_path(str(plain), run_name=name)["main"]
    await main()
    assert EXAMPLES[name][2] in capsys.readouterr().out
