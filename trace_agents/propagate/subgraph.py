"""A subgraph with the feedback at its outputs: what an optimizer reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeAlias, cast

import trace_agents.drawing as drawing  # its names are imported when something is drawn
from trace_agents.errors import TraceFileError, UnknownParameter
from trace_agents.graph import Edge, Graph, GraphNode, Kind, topological
from trace_agents.propagate.minimal import minimal
from trace_agents.serialize import graph_from_json, graph_to_json

Received: TypeAlias = Mapping[str, tuple[str, ...]]
"""Feedback by node id."""


class TraceGraph:
    """A subgraph with the feedback at its outputs. A plain, immutable value.

    It is built at the first look into it: sending feedback costs one marking pass, and who never
    reads the subgraph never pays for it.
    """

    def __init__(self, graph: Graph | None = None, feedback: Received | None = None) -> None:
        self._build: Callable[[], tuple[Graph, Received]] | None = None
        self._parts = (graph or Graph(), feedback or {})

    @classmethod
    def later(cls, build: Callable[[], tuple[Graph, Received]]) -> TraceGraph:
        """Return a subgraph whose content `build` makes when somebody asks for it."""
        made = cls()
        made._build = build
        return made

    @property
    def graph(self) -> Graph:
        """The nodes and edges."""
        return self._content()[0]

    @property
    def feedback(self) -> Received:
        """The feedback of each output, by node id."""
        return self._content()[1]

    @property
    def parameters(self) -> tuple[GraphNode, ...]:
        """The parameter nodes, in order."""
        return tuple(self.graph.of_kind(Kind.PARAMETER))

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Node ids, every node after its inputs."""
        return tuple(topological(self.graph))

    def for_parameter(self, name: str) -> TraceGraph:
        """Return what one parameter receives.

        Raises:
            UnknownParameter: no parameter of that name leads to an output here.
        """
        return self.prune(parameters=[name])

    def prune(
        self, *, parameters: Iterable[str] | None = None, outputs: Iterable[str] | None = None
    ) -> TraceGraph:
        """Return the part between some parameters (by name) and some outputs (by node id).

        Raises:
            UnknownParameter: no parameter of that name leads to an output here.
            KeyError: an output that has no feedback here.
        """
        names = {node.name for node in self.parameters}
        wanted = names if parameters is None else set(parameters)
        for name in sorted(wanted - names):
            raise UnknownParameter(name, names)
        ends = self.feedback if outputs is None else {end: self.feedback[end] for end in outputs}
        sources = [node.id for node in self.parameters if node.name in wanted]
        graph, on_path = minimal(self.graph, ends, sources)
        return TraceGraph(graph, {end: said for end, said in ends.items() if end in on_path})

    def merge(self, *others: TraceGraph) -> TraceGraph:
        """Return one subgraph of several episodes.

        Parameters are one node each; every other node keeps its episode apart by an id that
        begins with the episode's. The order of the arguments does not change which nodes,
        edges and feedback there are.
        """
        nodes: dict[str, GraphNode] = {}
        edges: dict[Edge, None] = {}
        feedback: dict[str, tuple[str, ...]] = {}
        for part in (self, *others):
            names = {node.id: _qualified(node, part.graph.episode) for node in part.graph.nodes}
            for node in part.graph.nodes:
                nodes.setdefault(names[node.id], replace(node, id=names[node.id]))
            for edge in part.graph.edges:
                moved = replace(edge, source=names[edge.source], target=names[edge.target])
                edges[moved] = None
            for output, texts in part.feedback.items():
                known = feedback.get(names[output], ())
                feedback[names[output]] = known + tuple(t for t in texts if t not in known)
        return TraceGraph(Graph(tuple(nodes.values()), tuple(edges)), feedback)

    def __add__(self, other: TraceGraph) -> TraceGraph:
        return self.merge(other)

    def to_code(self, *, limit: int = 200) -> str:
        """Return the subgraph as lines of pseudo-code, with the feedback at the outputs."""
        return drawing.to_code(self.graph, self.feedback, limit=limit)

    def to_mermaid(self, *, limit: int = 200) -> str:
        """Return the subgraph as a Mermaid flow chart."""
        return drawing.to_mermaid(self.graph, self.feedback, limit=limit)

    def to_dot(self, *, limit: int = 200) -> str:
        """Return the subgraph in graphviz's language."""
        return drawing.to_dot(self.graph, self.feedback, limit=limit)

    def visualize(self, *, limit: int = 200) -> drawing.Drawing:
        """Return the subgraph drawn; notebooks show it where graphviz is installed."""
        return drawing.draw(self.graph, self.feedback, limit=limit)

    def to_json(self) -> dict[str, object]:
        """Return the subgraph as a JSON object."""
        said = {node: list(texts) for node, texts in self.feedback.items()}
        return {**graph_to_json(self.graph), "feedback": said}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TraceGraph:
        """Return the subgraph that `to_json` wrote.

        Raises:
            TraceFileError: another schema, or a part is missing or of the wrong sort.
        """
        graph = graph_from_json(data)
        said: object = data.get("feedback", {})
        if not isinstance(said, dict):
            raise TraceFileError("not a subgraph: 'feedback' must be an object")
        texts = cast("dict[str, list[object]]", said)
        return cls(graph, {node: tuple(map(str, lines)) for node, lines in texts.items()})

    def _content(self) -> tuple[Graph, Received]:
        build = self._build
        if build is not None:  # two threads may both build: the same content twice
            self._parts = build()
            self._build = None
        return self._parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TraceGraph) and self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        names = ", ".join(node.name for node in self.parameters) or "none"
        return f"<TraceGraph of {len(self.graph.nodes)} nodes, parameters: {names}>"


def _qualified(node: GraphNode, episode: str) -> str:
    return node.id if node.kind is Kind.PARAMETER or not episode else f"{episode}/{node.id}"
