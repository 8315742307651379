"""The report is one page that a browser shows without fetching anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason
from trace_agents.propagate import backward
from trace_agents.report import Point, Report, Table, VersionView
from trace_agents.report.svg import MAX_NODES, episode_dag

GRAPH = Graph(
    (
        GraphNode("parameter:a", Kind.PARAMETER, "alice.system_message", "Work <together>."),
        GraphNode("in", Kind.INPUT, "task", "find it", "alice"),
        GraphNode("llm", Kind.LLM_CALL, "chat", "go", "alice"),
        GraphNode("tool", Kind.TOOL_CALL, "goexplore", {"room": "kitchen"}, "alice"),
        GraphNode("aside", Kind.TOOL_CALL, "unused", None, "bob", error="no such room"),
        GraphNode("out", Kind.OUTPUT, "result", "Solved in 40 steps."),
    ),
    (
        Edge("parameter:a", "llm", Reason.PARAMETER),
        Edge("in", "llm", Reason.CONTENT),
        Edge("llm", "tool", Reason.TOOL_CALL_ID),
        Edge("tool", "out", Reason.LINK),
    ),
    "e1",
)
REPORT = Report(
    title="Household <run>",
    notes=("The agents' model is a stand-in.",),
    results=Table(("arm", "gain"), (("trained", "9.1"),)),
    curve=(Point("0", -54.0, 1.0), Point("1", -50.0, 1.2, published=True)),
    axis="score (minus steps)",
    versions=(VersionView("Version 1", "+4.0 ± 1.0 on 24 pairs", "+Do not chat."),),
    episode=GRAPH,
    path=backward(GRAPH, "alice: sent 7 messages"),
)


def test_the_page_says_everything_and_fetches_nothing() -> None:
    """Result, curve, versions, DAG and feedback are there, escaped, with no outside address."""
    html = REPORT.html()
    for said in (
        "Household &lt;run&gt;",
        "is a stand-in",
        "trained",
        "+Do not chat.",
        "alice: sent 7 messages",
        "Work &lt;together&gt;.",
    ):
        assert said in html
    assert "http" not in html
    assert "<script" not in html


def test_the_path_of_the_feedback_is_marked() -> None:
    """Nodes on a path to the output are marked, a tool call that led nowhere is not."""
    html = REPORT.html()
    assert 'class="node llm_call path' in html
    assert 'class="node tool_call off failed"' in html


def test_a_large_episode_says_what_it_leaves_out() -> None:
    """A drawing stays readable; the count of what is missing is said."""
    nodes = tuple(GraphNode(str(i), Kind.OPERATION, "op") for i in range(MAX_NODES + 5))
    assert "5 more nodes are not drawn" in episode_dag(Graph(nodes))


def test_an_empty_run_still_makes_a_page() -> None:
    """A run that was stopped before its first decision has a page too."""
    assert "No decision was made" in Report("empty").html()


def test_a_browser_shows_the_page(tmp_path: Path) -> None:
    """Chromium renders it: the drawings have the size that they claim."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    page = tmp_path / "report.html"
    REPORT.save(page)
    probe = (
        "<script>document.title=[...document.querySelectorAll('svg')]"
        ".map(s=>Math.round(s.getBoundingClientRect().width)).join(',')</script>"
    )
    page.write_text(page.read_text().replace("</body>", probe + "</body>"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    options += ["--disable-background-networking", "--disable-component-update"]
    shown = subprocess.run(
        [browser, *options, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "<title>720,416</title>" in shown.stdout
