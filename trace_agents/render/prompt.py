"""Text of a subgraph, as an optimizer reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from trace_agents.drawing.code import numbered, operation_line
from trace_agents.drawing.words import clip, one_line, operation, value_text
from trace_agents.feedback import score_in
from trace_agents.graph import GraphNode, Kind, Parameters, Values, dump
from trace_agents.propagate import TraceGraph

_SPARE = 600
"""Characters kept for headings and notes."""
_WHOLE = 2_000
"""The most characters of one value that are shown even where there is room for more."""


@dataclass(frozen=True, slots=True)
class Sections:
    """The parts of a prompt; `str()` joins those that say something under their headings."""

    code: str = ""
    documentation: str = ""
    variables: str = ""
    inputs: str = ""
    others: str = ""
    outputs: str = ""
    feedback: str = ""
    left_out: tuple[str, ...] = ()
    """Episodes of which the budget had no room for the steps; their feedback may be there."""

    def __str__(self) -> str:
        parts = {
            "Code": self.code,
            "Documentation": self.documentation,
            "Variables": self.variables,
            "Inputs": self.inputs,
            "Others": self.others,
            "Outputs": self.outputs,
            "Feedback": self.feedback,
        }
        return "\n\n".join(f"#{title}\n{text}" for title, text in parts.items() if text)


def to_prompt(
    subgraph: TraceGraph,
    *,
    parameters: Parameters | None = None,
    values: Values | None = None,
    budget: int = 20_000,
) -> Sections:
    """Return the text of a subgraph, in time linear in its size.

    Args:
        subgraph: what `backward` returned, or several of those merged.
        parameters: what may change; brings types and freezes. All in the graph without it.
        values: the current values, where they differ from the recorded ones.
        budget: characters for everything but the variables, which are never shortened.
    """
    shown = values or {}
    free = None if parameters is None else frozenset(parameters.trainable)
    view = _View(subgraph, free)
    kept = _choose(view, budget)
    nodes = [node for episode in kept for node in view.episodes[episode]]
    code = _fit([line for e in kept for line in view.code(e)], budget * 2 // 5)
    # feedback is short and worth more than another episode's steps: all of it that fits
    said = [*kept, *(e for e in _by_need(view) if e not in set(kept))]
    feedback = _fit([line for e in said for line in view.feedback(e)], budget * 3 // 10)
    documentation = _fit(_documentation(nodes), budget // 10)
    fixed = _fit(_fixed(subgraph, parameters), budget // 10)
    room = budget - _SPARE - len(code) - len(feedback) - len(documentation) - len(fixed)
    sections = _values(view, nodes, room)
    return Sections(
        code=code,
        documentation=documentation,
        variables=_variables(view, parameters, shown),
        inputs="\n".join(filter(None, [fixed, sections["inputs"]])),
        others=sections["others"],
        outputs=sections["outputs"],
        feedback=feedback,
        left_out=tuple(episode for episode in view.episodes if episode not in set(kept)),
    )


@dataclass(frozen=True)
class _View:
    """A subgraph with short names and its episodes apart."""

    subgraph: TraceGraph
    free: frozenset[str] | None
    """Names of the parameters that may change; None where all may."""

    @cached_property
    def episodes(self) -> Mapping[str, list[GraphNode]]:
        """The nodes of each episode, inputs first."""
        graph = self.subgraph.graph
        groups: dict[str, list[GraphNode]] = {}
        for node_id in self.subgraph.order:
            node = graph.by_id[node_id]
            if node.kind is not Kind.PARAMETER:
                groups.setdefault(graph.episode or _episode(node_id), []).append(node)
        return groups

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """A short readable name for every node."""
        moves = (node for nodes in self.episodes.values() for node in nodes)
        return numbered([*self.subgraph.parameters, *moves])

    def is_input(self, node: GraphNode) -> bool:
        """Whether nothing in the subgraph led to this node."""
        return node.id not in self.subgraph.graph.inputs

    def code(self, episode: str) -> list[str]:
        """One line for every operation of an episode, in an order in which it could run."""
        heading = [f"# episode {episode}"] if episode else []
        return heading + [
            self._line(node) for node in self.episodes[episode] if not self.is_input(node)
        ]

    def _line(self, node: GraphNode) -> str:
        inputs = self.subgraph.graph.inputs[node.id]
        # fixed parameters are listed once; in every call they would hide what flows
        flowing = (edge for edge in inputs if not self._is_fixed(edge.source))
        return operation_line(node, flowing, self.labels)

    def _is_fixed(self, node_id: str) -> bool:
        node = self.subgraph.graph.by_id[node_id]
        return node.kind is Kind.PARAMETER and self.free is not None and node.name not in self.free

    def feedback(self, episode: str) -> list[str]:
        """What was said of an episode's outputs."""
        where = f"episode {episode}, " if episode else ""
        return [
            f"[{where}{self.labels[node.id]}] {text}"
            for node in self.episodes[episode]
            for text in self.subgraph.feedback.get(node.id, ())
        ]

    def verdict(self, episode: str) -> tuple[str, ...]:
        """What was said of an episode, without the labels."""
        found = (self.subgraph.feedback.get(n.id, ()) for n in self.episodes[episode])
        return tuple(text for texts in found for text in texts)


def _episode(node_id: str) -> str:
    head, slash, _ = node_id.rpartition("/")
    return head if slash else ""


def _choose(view: _View, budget: int) -> list[str]:
    """Return the episodes to show: the worst and different ones first, then one good example."""
    ranked = _by_need(view)
    room = budget - _SPARE
    kept: set[str] = set()
    for episode in ranked:
        size = sum(len(line) + 1 for line in (*view.code(episode), *view.feedback(episode)))
        size += sum(
            min(len(value_text(node)), _WHOLE // 10) + 30 for node in view.episodes[episode]
        )
        if kept and size > room:
            continue
        kept.add(episode)
        room -= size
    return [episode for episode in view.episodes if episode in kept]


def _by_need(view: _View) -> list[str]:
    scores = {episode: _score(view.verdict(episode)) for episode in view.episodes}
    ordered = sorted(scores, key=lambda episode: scores[episode])
    anchor = ordered[-1:] if len(ordered) > 2 else []
    seen: set[tuple[str, ...]] = set()
    new: list[str] = []
    repeated: list[str] = []
    for episode in ordered[: len(ordered) - len(anchor)]:
        verdict = view.verdict(episode)
        (repeated if verdict in seen else new).append(episode)
        seen.add(verdict)
    return [*new[:1], *anchor, *new[1:], *repeated]


def _score(verdict: Iterable[str]) -> float:
    found = [score for text in verdict if (score := score_in(text)) is not None]
    return sum(found) / len(found) if found else float("-inf")


def _fit(lines: list[str], room: int) -> str:
    """Return the lines joined, without those in the middle that have no room."""
    if sum(len(line) + 1 for line in lines) <= room:
        return "\n".join(lines)
    half = max(room - 60, 0) // 2
    head, tail = _taken(lines, half), _taken(lines[::-1], half)[::-1]
    if len(head) + len(tail) == 0:
        return clip("\n".join(lines), max(room, 0))
    return "\n".join([*head, f"… {len(lines) - len(head) - len(tail)} lines left out …", *tail])


def _taken(lines: Iterable[str], room: int) -> list[str]:
    taken: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        taken.append(line)
    return taken


def _documentation(nodes: Iterable[GraphNode]) -> list[str]:
    said = {operation(n): one_line(n.description) for n in reversed(list(nodes)) if n.description}
    return [f"[{name}] {clip(text, 400)}" for name, text in reversed(said.items())]


def _values(view: _View, nodes: list[GraphNode], room: int) -> dict[str, str]:
    """Return the lines `label = value` by section; values share the room."""
    limit = _WHOLE
    sizes = [len(value_text(node)) for node in nodes if node.value is not None]
    names = sum(len(view.labels[node.id]) + 4 for node in nodes)
    while limit > 60 and names + sum(min(size, limit) for size in sizes) > room:
        limit = limit * 3 // 4
    groups: dict[str, list[str]] = {"inputs": [], "others": [], "outputs": []}
    for node in nodes:
        if node.value is not None:
            line = f"{view.labels[node.id]} = {clip(value_text(node), limit)}"
            groups[_section(view, node)].append(line)
    shares = {"inputs": 1, "others": 2, "outputs": 1}
    if sum(len(line) + 1 for lines in groups.values() for line in lines) <= room:
        return {name: "\n".join(lines) for name, lines in groups.items()}
    return {name: _fit(lines, room * shares[name] // 4) for name, lines in groups.items()}


def _section(view: _View, node: GraphNode) -> str:
    if node.id in view.subgraph.feedback:
        return "outputs"
    return "inputs" if view.is_input(node) else "others"


def _variables(view: _View, parameters: Parameters | None, values: Values) -> str:
    if parameters is None:
        named = {n.name: (n.value, "", n.description) for n in view.subgraph.parameters}
    else:
        named = {
            name: (p.value, p.type.describe(), p.description)
            for name, p in parameters.trainable.items()
        }
    return "\n".join(
        _variable(name, values.get(name, value), constraint, description)
        for name, (value, constraint, description) in named.items()
    )


def _fixed(subgraph: TraceGraph, parameters: Parameters | None) -> list[str]:
    """Return the parameters that took part and may not change; the code does not repeat them."""
    if parameters is None:
        return []
    free = parameters.trainable
    nodes = [node for node in subgraph.parameters if node.name not in free]
    return [f"{node.name} = {clip(value_text(node), 400)}" for node in nodes]


def _variable(name: str, value: object, constraint: str, description: str) -> str:
    lines = [f'<variable name="{name}">', f"<value>\n{dump(value)}\n</value>"]
    if constraint:
        lines.append(f"<constraint>{constraint}</constraint>")
    if description:
        lines.append(f"<description>{one_line(description)}</description>")
    return "\n".join([*lines, "</variable>"])
