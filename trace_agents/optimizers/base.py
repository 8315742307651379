"""What an optimizer is: it collects feedback, and proposes typed changes of parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias, runtime_checkable

import anyio

from trace_agents.errors import InvalidValue
from trace_agents.feedback import Said, in_words
from trace_agents.graph import Graph, Kind, Parameters, Values
from trace_agents.llm.base import Model
from trace_agents.propagate import TraceGraph, backward
from trace_agents.tracing.nodes import Node
from trace_agents.tracing.parameters import ParameterNode, parameters_of

Target: TypeAlias = Graph | TraceGraph | Node
"""What feedback can be sent to: an episode, a subgraph, or one output node."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """New values of some parameters, already parsed and checked by their types."""

    changes: Mapping[str, object] = field(default_factory=dict[str, object])
    """New values by parameter name; only those that differ from the current ones."""
    reasoning: str = ""
    """Why, in the optimizer's words."""
    problems: tuple[str, ...] = ()
    """What was dropped and why, one sentence each."""
    tokens: int = 0
    """Tokens that the proposal took, in and out."""
    usd: float = 0.0
    """What the proposal cost, as far as the price is known."""
    alternatives: tuple[Proposal, ...] = ()
    """Other changes of the same values: a gate judges them all, and the best goes live. What
    they cost is counted here, and theirs is 0."""
    memo: Mapping[str, object] = field(default_factory=dict[str, object], compare=False, repr=False)
    """JSON that the optimizer wants back when a run is resumed: what it learned for this one."""
    calls: int = 0
    """Model calls that the proposal took: requests, those that failed and repairs included."""

    @property
    def candidates(self) -> tuple[Proposal, ...]:
        """All that is to be judged: this one, then its alternatives."""
        return (self, *self.alternatives)


class Optimizer(Protocol):
    """Something that reads feedback and proposes changes; a trainer judges them."""

    def zero_feedback(self) -> None:
        """Forget all feedback."""
        ...

    def backward(self, target: Target, feedback: str | Mapping[str, str]) -> None:
        """Take feedback about one episode or output: words for it, or for nodes by id."""
        ...

    async def propose(self, values: Values | None = None) -> Proposal:
        """Return changes to `values` (the parameters' own without it); change nothing."""
        ...

    async def step(self) -> Proposal:
        """Propose, and apply the changes to the parameter nodes."""
        ...

    def step_sync(self) -> Proposal:
        """Do as `step`, from code outside any event loop."""
        ...


@runtime_checkable
class Listener(Protocol):
    """An optimizer that wants to know what became of its proposals."""

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Learn whether a proposal went live, and its mean score where it was judged.

        Called once for each of its candidates.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate of the interrupted part of a run, and what became of it."""

    proposal: Proposal
    accepted: bool
    score: float | None


@runtime_checkable
class Rememberer(Protocol):
    """An optimizer that takes up its history again when a run goes on."""

    def remember(self, tried: Sequence[Tried]) -> None:
        """Learn, oldest first, what another instance proposed in the same run.

        The memo of a proposal with alternatives comes with the first of its candidates.
        """
        ...


class FeedbackOptimizer(ABC):
    """The part that all optimizers share: parameters, and the feedback on them.

    Subclasses write `propose`.

    Args:
        parameters: a workflow's parameters, or parameter nodes, which `step` can change.
    """

    def __init__(self, parameters: Parameters | Iterable[ParameterNode]) -> None:
        self._nodes: dict[str, ParameterNode] = {}
        if isinstance(parameters, Parameters):
            self.parameters = parameters
        else:
            nodes = parameters_of(parameters, f"{type(self).__name__}(parameters)", ParameterNode)
            self.parameters = Parameters(node.parameter for node in nodes)
            self._nodes = {node.parameter.name: node for node in nodes}
        self._graphs: list[TraceGraph] = []

    def zero_feedback(self) -> None:
        """Forget all feedback, here and at the parameter nodes."""
        self._graphs.clear()
        for node in self._nodes.values():
            node.zero_feedback()

    def backward(self, target: Target, feedback: Said | Mapping[str, Said] = "") -> None:
        """Take feedback about one episode or output.

        Args:
            target: an episode's graph, an output node, or a subgraph (which may already carry
                its feedback; then none is needed here).
            feedback: words, a score, or both, for every output or for single nodes by id.

        Raises:
            InvalidValue: the feedback is neither words nor a score.
        """
        if isinstance(target, TraceGraph) and feedback in ("", {}):
            received = target
        else:
            names = self.parameters.trainable
            received = backward(_graph_of(target), _words(feedback), parameters=names)
        if not received.graph.episode and not _merged(received):
            received = _labelled(received, f"run{len(self._graphs) + 1}")
        self._graphs.append(received)

    @property
    def feedback(self) -> TraceGraph:
        """All feedback so far as one subgraph, also what `output.backward` left at the nodes."""
        return TraceGraph().merge(*self._parts())

    @abstractmethod
    async def propose(self, values: Values | None = None) -> Proposal:
        """Return changes to `values` (the parameters' own without it); change nothing."""

    async def step(self) -> Proposal:
        """Propose, and apply the changes to the parameter nodes.

        Raises:
            InvalidValue: the optimizer was given plain parameters, which have no place to change.
        """
        if len(self._nodes) != len(self.parameters):
            raise InvalidValue(
                "step() changes parameter nodes, and this optimizer was given plain parameters; "
                "use propose() and apply its changes, or train(), which judges them first"
            )
        proposal = await self.propose()
        for name, value in proposal.changes.items():
            self._nodes[name].set(value)
        return proposal

    def step_sync(self) -> Proposal:
        """Do as `step`, from code outside any event loop.

        Raises:
            InvalidValue: an event loop runs here, or the optimizer was given plain parameters.
        """
        if _in_a_loop():
            raise InvalidValue(
                "step_sync() starts an event loop, and one runs here already; "
                "write: await optimizer.step()"
            )
        return anyio.run(self.step)

    def current(self, values: Values | None = None) -> dict[str, object]:
        """Return the value of every parameter, completed and checked."""
        if values is None:
            own = {name: node.data for name, node in self._nodes.items()}
            return {**self.parameters.defaults(), **own}
        return {**self.parameters.defaults(), **values}

    def _parts(self) -> list[TraceGraph]:
        """Return the feedback episode by episode."""
        return [*self._graphs, *self._left_at_nodes()]

    def _left_at_nodes(self) -> list[TraceGraph]:
        names = set(self.parameters.trainable)
        found: dict[int, TraceGraph] = {}
        for node in self._nodes.values():
            found.update((id(subgraph), subgraph) for subgraph in node.received)
        parts: list[TraceGraph] = []
        for subgraph in found.values():
            own = [node.name for node in subgraph.parameters if node.name in names]
            part = subgraph.prune(parameters=own)
            named = part.graph.episode or _merged(part)
            parts.append(part if named else _labelled(part, f"output{len(parts) + 1}"))
        return parts


class GraphOptimizer(FeedbackOptimizer):
    """An optimizer with a model that reads the graph.

    Args:
        parameters: a workflow's parameters, or parameter nodes, which `step` can change.
        llm: the model that thinks.
    """

    def __init__(self, parameters: Parameters | Iterable[ParameterNode], *, llm: Model) -> None:
        super().__init__(parameters)
        self.llm = llm

    def wrap_models(self, wrap: Callable[[Model], Model]) -> None:
        """Put `wrap(model)` in the place of every model that is asked: to count, to trace."""
        self.llm = wrap(self.llm)


def _words(feedback: Said | Mapping[str, Said]) -> str | dict[str, str]:
    if isinstance(feedback, Mapping):
        return {node: in_words(said) for node, said in feedback.items()}
    return in_words(feedback)


def _in_a_loop() -> bool:
    try:
        anyio.get_current_task()
    except RuntimeError:  # what anyio raises where no loop runs
        return False
    return True


def _graph_of(target: Target) -> Graph:
    if isinstance(target, Graph):
        return target
    return target.graph if isinstance(target, TraceGraph) else target.graph()


def _merged(part: TraceGraph) -> bool:
    """Whether the ids already say the episode, as those of a merged subgraph do."""
    return all("/" in node.id for node in part.graph.nodes if node.kind is not Kind.PARAMETER)


def _labelled(part: TraceGraph, episode: str) -> TraceGraph:
    return TraceGraph(replace(part.graph, episode=episode), part.feedback)
