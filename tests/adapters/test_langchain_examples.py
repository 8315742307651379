"""The LangChain applications under examples/wrapped run offline, with and without the wrapping."""

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

EXAMPLES: dict[str, tuple[dict[str, object], list[str], str]] = {
    "langchain_quickstart": (
        {"guide.system_message": "Be short."},
        [
            "guide.system_message",
            "guide.tools.line_to.description",
            "guide.tools.line_to.arguments.stop.description",
        ],
        "Take line 7 to the harbour.",
    ),
    "langchain_chain": (
        {"translator.system_message": "Say it in {language}, politely."},
        ["translator.system_message", "translator.user_message"],
        "Il mare è calmo.",
    ),
    "langchain_rag": (
        {"notes.user_message": "{question} See:\n{context}"},
        ["notes.user_message"],
        "It closes at six.",
    ),
    "langchain_agentic_rag": (
        {
            "retrieve.user_message": "Does {last_of_messages} answer {first_of_messages}",
            "rewrite.user_message": "What is {first_of_messages}",
        },
        [
            "query_or_respond.tools.search_notes.description",
            "retrieve.user_message",
            "retrieve.tools.Grade.description",
            "rewrite.user_message",
            "generate.user_message",
        ],
        "You may see it until six.",
    ),
    "langchain_loop": (
        {"assess.system_message": "Be strict."},
        ["write.user_message", "assess.system_message", "assess.user_message"],
        "Fog walks on small grey feet.",
    ),
    "langchain_supervisor": (
        {"calendar.system_message": "Book early.", "post.system_message": "Be formal."},
        [
            "assistant.system_message",
            "assistant.tools.schedule.description",
            "assistant.tools.write_to.description",
            "calendar.system_message",
            "post.system_message",
        ],
        "Dinner is on Friday at eight, and all are invited.",
    ),
    "langchain_map_reduce": (
        {"advertise.user_message": "Praise {stall}."},
        ["plan.user_message", "advertise.user_message", "choose.user_message"],
        "Hang up: Taste the whole orchard.",
    ),
}
each = pytest.mark.parametrize("name", EXAMPLES)


def answer_of(output: object) -> object:
    """Return the text that a graph's state was made for."""
    if isinstance(output, dict):
        return output.get("chosen") or output.get("verse")  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
    return output


def test_every_example_is_listed() -> None:
    """No application in the folder goes untested."""
    assert {path.stem for path in FOLDER.glob("langchain_*.py")} == set(EXAMPLES)


@each
async def test_an_example_runs_wrapped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parameters are found, and a version of them is in the graph and gets feedback."""
    values, parameters, answer = EXAMPLES[name]
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    module: Any = importlib.import_module(name)
    workflow: ta.Workflow = module.workflow
    assert set(workflow.parameters()) == set(parameters)
    async with ta.applied(workflow, values) as trace:
        assert answer_of(await workflow.run(module.TASK)) == answer
    graph = trace.graph()
    for parameter, value in values.items():
        assert graph.by_id[f"parameter:{parameter}"].value == value
    reached = ta.backward(graph, "Say it better.")
    assert set(values) <= {node.name for node in reached.parameters}


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
