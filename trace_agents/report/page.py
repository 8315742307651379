"""The report of a run: one HTML file without scripts or anything fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from trace_agents.graph import Graph, Kind
from trace_agents.propagate import TraceGraph
from trace_agents.report.svg import Point, episode_dag, learning_curve

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --accent: #d9480f; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; } td, th { padding: .25rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 1px solid var(--line); }
pre { background: var(--soft); padding: .8rem; overflow-x: auto; white-space: pre-wrap; }
.note { background: var(--soft); border-left: 4px solid var(--accent); padding: .6rem 1rem; }
.scroll { overflow-x: auto; } svg { max-width: none; }
.grid { stroke: var(--line); } .tick, .axis, .lane { font-size: 11px; fill: currentColor; }
.curve { fill: none; stroke: #1c7ed6; stroke-width: 2; }
.kept line, .live line { stroke: #1c7ed6; } .kept circle { fill: #1c7ed6; }
.live circle { fill: var(--accent); }
.edge { fill: none; stroke-width: 1.2; } .edge.off { stroke: var(--line); }
.edge.path { stroke: var(--accent); stroke-width: 1.8; opacity: .7; }
.edge.bound { stroke-width: .6; opacity: .15; }
.node circle { stroke: var(--line); stroke-width: 1.5; fill: #adb5bd; }
.node.path circle { stroke: var(--accent); stroke-width: 3; }
.parameter circle { fill: #fab005; } .llm_call circle { fill: #4dabf7; }
.tool_call circle { fill: #69db7c; } .output circle { fill: #e599f7; }
.input circle { fill: #ced4da; } .failed circle { fill: #ff6b6b; }
.key span { margin-right: 1.2rem; white-space: nowrap; }
.key i { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .3em; }
"""
_COLOURS = {
    Kind.PARAMETER: "#fab005",
    Kind.INPUT: "#ced4da",
    Kind.LLM_CALL: "#4dabf7",
    Kind.TOOL_CALL: "#69db7c",
    Kind.OUTPUT: "#e599f7",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version as the report shows it."""

    title: str
    evidence: str
    diff: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page shows."""

    title: str
    notes: tuple[str, ...] = ()
    """What a reader must know first, such as which models were stand-ins."""
    results: Table | None = None
    curve: Sequence[Point] = ()
    axis: str = "held-out score"
    versions: Sequence[VersionView] = ()
    episode: Graph | None = None
    path: TraceGraph | None = None
    """The minimal subgraph along which the episode's feedback flowed."""

    def html(self) -> str:
        """Return the page."""
        parts = [
            f"<h1>{escape(self.title)}</h1>",
            *(f'<p class="note">{escape(note)}</p>' for note in self.notes),
            *_section("Result", _table(self.results) if self.results else ""),
            *_section("Learning curve", learning_curve(self.curve, self.axis)),
            *_section("Versions", "".join(map(_version, self.versions))),
            *_section("One episode, and the path of its feedback", self._episode()),
        ]
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head>"
            f"<body>{''.join(parts)}</body></html>\n"
        )

    def save(self, path: str | Path) -> None:
        """Write the page to a file."""
        Path(path).write_text(self.html(), encoding="utf-8")

    def _episode(self) -> str:
        if self.episode is None:
            return ""
        key = "".join(
            f'<span><i style="background:{colour}"></i>{kind.replace("_", " ")}</span>'
            for kind, colour in _COLOURS.items()
        )
        said = (
            [text for texts in self.path.feedback.values() for text in texts] if self.path else []
        )
        return (
            f'<p class="key">{key}<span>orange: on a path from a parameter to the output</span></p>'
            f"{episode_dag(self.episode, self.path)}"
            + "".join(f"<p>Feedback at the output:</p><pre>{escape(text)}</pre>" for text in said)
        )


def _section(title: str, body: str) -> list[str]:
    return [f"<h2>{escape(title)}</h2>", body] if body else []


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _version(view: VersionView) -> str:
    diff = f"<pre>{escape(view.diff)}</pre>" if view.diff else ""
    return f"<h3>{escape(view.title)}</h3><p>{escape(view.evidence)}</p>{diff}"
