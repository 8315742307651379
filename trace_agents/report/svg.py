"""Drawings for the report, as SVG text: the learning curve, and the DAG of one episode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from trace_agents.graph import Graph, GraphNode, Kind, Reason, dump
from trace_agents.propagate import TraceGraph

MAX_NODES = 120
"""A drawing of more nodes is no longer read: the first ones are drawn, and the rest is counted."""


@dataclass(frozen=True, slots=True)
class Point:
    """The held-out score after one decision of the optimizer."""

    label: str
    mean: float
    se: float
    """Standard error of the mean; the bar spans one to each side."""
    published: bool = False
    """Whether a new version went live here."""


@dataclass(frozen=True, slots=True)
class _Frame:
    width: float = 720
    height: float = 260
    left: float = 56
    right: float = 16
    top: float = 16
    bottom: float = 34

    def x(self, share: float) -> float:
        return self.left + share * (self.width - self.left - self.right)

    def y(self, share: float) -> float:
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)


def learning_curve(points: Sequence[Point], axis: str) -> str:
    """Return the curve with error bars; `axis` names what is measured, with its unit."""
    if not points:
        return "<p>No decision was made.</p>"
    frame = _Frame()
    low = min(p.mean - p.se for p in points)
    high = max(p.mean + p.se for p in points)
    margin = (high - low or 1.0) * 0.08
    low, high = low - margin, high + margin

    def place(index: int, value: float) -> tuple[float, float]:
        across = index / max(len(points) - 1, 1)
        return frame.x(across), frame.y((value - low) / (high - low))

    line = " ".join("{:.1f},{:.1f}".format(*place(i, p.mean)) for i, p in enumerate(points))
    body = [
        *_grid(frame, low, high),
        f'<polyline class="curve" points="{line}"/>',
        *(
            _mark(place(i, p.mean - p.se), place(i, p.mean + p.se), place(i, p.mean), p)
            for i, p in enumerate(points)
        ),
        *_ticks(frame, points),
        f'<text class="axis" x="{frame.left}" y="{frame.top - 4}">{escape(axis)}</text>',
    ]
    return _svg(frame.width, frame.height, "Learning curve", body)


def _grid(frame: _Frame, low: float, high: float) -> Iterable[str]:
    for step in range(5):
        value, y = low + (high - low) * step / 4, frame.y(step / 4)
        yield f'<line class="grid" x1="{frame.x(0)}" x2="{frame.x(1)}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(frame.left - 6, y + 4, "end", f"{value:.1f}")


def _ticks(frame: _Frame, points: Sequence[Point]) -> Iterable[str]:
    every = max(1, len(points) // 12)
    for index in range(0, len(points), every):
        x = frame.x(index / max(len(points) - 1, 1))
        anchor = "end" if index and index == len(points) - 1 else "middle"
        yield _text(x, frame.height - 14, anchor, points[index].label)


def _text(x: float, y: float, anchor: str, text: str) -> str:
    at = f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text class="tick" {at} text-anchor="{anchor}">{escape(text)}</text>'


def _mark(
    low: tuple[float, float], high: tuple[float, float], at: tuple[float, float], point: Point
) -> str:
    sort = "live" if point.published else "kept"
    title = f"{point.label}: {point.mean:.2f} ± {point.se:.2f}" + (
        ", a new version went live" if point.published else ""
    )
    return (
        f'<g class="{sort}"><line x1="{low[0]:.1f}" x2="{high[0]:.1f}" y1="{low[1]:.1f}" '
        f'y2="{high[1]:.1f}"/><circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4"/>'
        f"<title>{escape(title)}</title></g>"
    )


def episode_dag(graph: Graph, path: TraceGraph | None = None) -> str:
    """Return the DAG: a lane for each agent, time to the right, the feedback's path marked."""
    shown = [n for n in graph.nodes if n.kind not in (Kind.AGENT, Kind.CHAIN)][:MAX_NODES]
    if not shown:
        return "<p>The episode recorded no nodes.</p>"
    lanes = _lanes(shown)
    marked = {n.id for n in path.graph.nodes} if path else set[str]()
    spots = {n.id: (70 + 46 * i, 40 + 74 * lanes[_lane(n)]) for i, n in enumerate(_ordered(shown))}
    width = 140 + 46 * len(shown)
    height = 40 + 74 * len(lanes)
    edges = [e for e in graph.edges if e.source in spots and e.target in spots]
    body = [
        *(
            f'<text class="lane" x="4" y="{40 + 74 * i - 18}">{escape(name)}</text>'
            for name, i in lanes.items()
        ),
        *(
            _edge(spots[e.source], spots[e.target], {e.source, e.target} <= marked, e.reason)
            for e in edges
        ),
        *(_dot(node, spots[node.id], node.id in marked) for node in shown),
    ]
    drawing = f'<div class="scroll">{_svg(width, height, "DAG of one episode", body)}</div>'
    left = len(graph.nodes) - len(shown)
    return drawing + (f"<p>{left} more nodes are not drawn.</p>" if left > 0 else "")


def _lane(node: GraphNode) -> str:
    if node.kind in (Kind.PARAMETER, Kind.TOOL_DEFINITION):
        return "parameters"
    return node.agent or "team"


def _lanes(nodes: Sequence[GraphNode]) -> dict[str, int]:
    names = dict.fromkeys(_lane(node) for node in nodes)
    first = [name for name in ("parameters",) if name in names]
    return {name: i for i, name in enumerate([*first, *(n for n in names if n not in first)])}


def _ordered(nodes: Sequence[GraphNode]) -> list[GraphNode]:
    """Return parameters first, outputs last, the rest in the order in which it happened."""
    rank = {Kind.PARAMETER: 0, Kind.TOOL_DEFINITION: 0, Kind.OUTPUT: 2}
    return sorted(nodes, key=lambda node: rank.get(node.kind, 1))


def _edge(start: tuple[int, int], end: tuple[int, int], marked: bool, reason: str) -> str:
    bend = (start[0] + end[0]) / 2
    curve = f"M{start[0]},{start[1]} C{bend},{start[1]} {bend},{end[1]} {end[0]},{end[1]}"
    # every call reads every bound parameter: drawn in full, those edges would hide the others
    sort = ("bound " if reason == Reason.PARAMETER else "") + ("path" if marked else "off")
    return f'<path class="edge {sort}" d="{curve}"><title>{escape(reason)}</title></path>'


def _dot(node: GraphNode, at: tuple[int, int], marked: bool) -> str:
    text = dump(node.value) if node.value is not None else ""
    lines = [f"{node.kind}: {node.name}", text[:600], f"error: {node.error}" if node.error else ""]
    title = escape("\n".join(line for line in lines if line))
    sort = f"{node.kind} {'path' if marked else 'off'} {'failed' if node.error else ''}"
    circle = f'<circle cx="{at[0]}" cy="{at[1]}" r="9"/>'
    return f'<g class="node {sort}">{circle}<title>{title}</title></g>'


def _svg(width: float, height: float, label: str, body: Iterable[str]) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}">{"".join(body)}</svg>'
    )
