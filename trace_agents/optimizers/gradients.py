"""Textual gradients: what every input of an operation should change, from output to parameters.

One model call for each data-flow edge that leads on from a parameter; an iterative walk against
the edges, in which branches that do not wait for each other run at the same time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from trace_agents.drawing.words import operation, value_text
from trace_agents.errors import ModelError
from trace_agents.graph import Edge, Graph, GraphNode, Kind
from trace_agents.llm import Message, Model, Reply
from trace_agents.optimizers.asking import Billed, answered, cost_of
from trace_agents.propagate import TraceGraph
from trace_agents.render import clip

_LONGEST = 2_000
"""Characters of one value in a prompt."""
_COPIES = frozenset({Kind.MESSAGE, Kind.OUTPUT})

_SYSTEM = """\
You are one step of a backward pass through a program. You are shown one operation with its
inputs and its output, and feedback on that output. Say how one of the inputs should change so
that the output meets the feedback better. Criticise that input alone; do not write it anew. If
the input has no part in what the feedback names, say so in one sentence. Be short and concrete.
"""


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradients of the parameters by node id, and what they took."""

    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    spent: tuple[Billed, ...] = ()
    """Every call, those that failed too."""
    problems: tuple[str, ...] = ()
    """Calls that failed, one sentence each; the rest of the walk goes on without them."""


async def gradients(
    feedback: TraceGraph, names: Collection[str], llm: Model, concurrency: int
) -> Gradients:
    """Return the gradients of the subgraph's parameters of these names.

    Args:
        feedback: a subgraph with the feedback at its outputs.
        names: the parameters that may change; others are inputs like any, without a gradient.
        llm: the model that criticises.
        concurrency: the most calls at once.

    Raises:
        ModelError: not one call was answered.
    """
    parameters = [node.id for node in feedback.parameters if node.name in names]
    walk = _Walk(feedback, parameters, llm, anyio.CapacityLimiter(concurrency))
    async with anyio.create_task_group() as group:
        for node_id in walk.ready():
            group.start_soon(walk.pass_on, node_id, group)
    if walk.failures and not walk.spent:
        raise walk.failures[0].costing(*cost_of(walk.failures))
    found = {node_id: walk.received(node_id) for node_id in parameters}
    return Gradients(
        {node_id: texts for node_id, texts in found.items() if texts},
        (*walk.spent, *walk.failures),
        tuple(dict.fromkeys(f"a gradient is missing: {error}" for error in walk.failures)),
    )


class _Walk:
    """A backward pass: a node passes on when all its consumers have."""

    def __init__(
        self,
        feedback: TraceGraph,
        parameters: Iterable[str],
        llm: Model,
        limiter: anyio.CapacityLimiter,
    ) -> None:
        self.graph: Graph = feedback.graph
        self.said = feedback.feedback
        self.llm = llm
        self.limiter = limiter
        self.spent: list[Reply] = []
        self.failures: list[ModelError] = []
        self.leading = _downstream(feedback, parameters)
        self._waiting = {
            node: len(_once(self.graph.consumers.get(node, ()))) for node in self.leading
        }
        self._from: dict[str, dict[str, tuple[str, ...]]] = {}
        """Gradients by node and by the consumer that they came from."""

    def ready(self) -> list[str]:
        """Return the nodes that wait for nobody."""
        return [node for node, count in self._waiting.items() if count == 0]

    def received(self, node_id: str) -> tuple[str, ...]:
        """Return all that was said of a node: its own feedback, and by each consumer, in order."""
        came = self._from.get(node_id, {})
        consumers = dict.fromkeys(edge.target for edge in self.graph.consumers.get(node_id, ()))
        texts = [*self.said.get(node_id, ()), *(t for c in consumers for t in came.get(c, ()))]
        return tuple(dict.fromkeys(texts))

    async def pass_on(self, node_id: str, group: TaskGroup) -> None:
        """Give every input that leads on from a parameter its gradient; then those pass on."""
        edges = _once(e for e in self.graph.inputs.get(node_id, ()) if e.source in self.leading)
        texts = self.received(node_id)
        if texts:
            async with anyio.create_task_group() as calls:
                for edge in edges:
                    calls.start_soon(self._along, edge, texts)
        for edge in edges:
            self._waiting[edge.source] -= 1
            if self._waiting[edge.source] == 0:
                group.start_soon(self.pass_on, edge.source, group)

    async def _along(self, edge: Edge, texts: tuple[str, ...]) -> None:
        node, source = self.graph.by_id[edge.target], self.graph.by_id[edge.source]
        if not self._is_copy(node, source):
            texts = await self._asked(node, edge, texts)
        self._from.setdefault(edge.source, {})[edge.target] = texts

    def _is_copy(self, node: GraphNode, source: GraphNode) -> bool:
        """Whether nothing was computed: the node hands on what it got."""
        inputs = self.graph.inputs.get(node.id, ())
        handed_on = node.kind in _COPIES and node.value == source.value
        return handed_on and len(inputs) == 1 and source.kind is not Kind.PARAMETER

    async def _asked(self, node: GraphNode, edge: Edge, texts: Sequence[str]) -> tuple[str, ...]:
        try:
            async with self.limiter:
                reply = await answered(self.llm, self._prompt(node, edge, texts))
        except ModelError as error:
            self.failures.append(error)
            return ()
        self.spent.append(reply)
        said = reply.text.rpartition("</think>")[2].strip()
        return (said,) if said else ()

    def _prompt(self, node: GraphNode, edge: Edge, texts: Sequence[str]) -> list[Message]:
        lines = [f"#Operation\n{operation(node)}"]
        if node.description:
            lines[0] += f": {clip(node.description, 400)}"
        inputs = [self._input(e, number) for number, e in enumerate(self._inputs(node), 1)]
        lines.append("#Inputs\n" + "\n".join([*inputs, *_constants(node)]))
        lines.append(f"#Output\n{clip(node.error or value_text(node), _LONGEST)}")
        lines.append("#Feedback on the output\n" + "\n".join(clip(t, _LONGEST) for t in texts))
        number = 1 + [e.source for e in self._inputs(node)].index(edge.source)
        lines.append(f"#Criticise\n{self._name(edge, number)}")
        return [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": "\n\n".join(lines)},
        ]

    def _inputs(self, node: GraphNode) -> list[Edge]:
        return _once(self.graph.inputs.get(node.id, ()))

    def _input(self, edge: Edge, number: int) -> str:
        source = self.graph.by_id[edge.source]
        return f"{self._name(edge, number)} = {clip(value_text(source), _LONGEST)}"

    def _name(self, edge: Edge, number: int) -> str:
        source = self.graph.by_id[edge.source]
        label = f" as {edge.label}" if edge.label else ""
        return f"[{number}] {source.name}{label}"


def _downstream(feedback: TraceGraph, parameters: Iterable[str]) -> dict[str, None]:
    """Return the ids of what leads on from the parameters, these included, inputs first."""
    graph = feedback.graph
    reached = set(parameters)
    for node_id in feedback.order:
        if any(edge.source in reached for edge in graph.inputs.get(node_id, ())):
            reached.add(node_id)
    return {node_id: None for node_id in feedback.order if node_id in reached}


def _once(edges: Iterable[Edge]) -> list[Edge]:
    """Return one edge for every pair of nodes: a value given twice is one input."""
    pairs: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        pairs.setdefault((edge.source, edge.target), edge)
    return list(pairs.values())


def _constants(node: GraphNode) -> list[str]:
    return [f"{name} = {clip(repr(value), 200)}" for name, value in node.constants.items()]
