"""Walking a runnable: the prompts, models, tools, graphs and functions that it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import Any, TypeAlias, cast

from langchain_core.language_models import BaseLanguageModel
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableAssign,
    RunnableBinding,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase, RunnableEachBase
from langchain_core.runnables.configurable import DynamicRunnable, RunnableConfigurableAlternatives
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.runnables.router import RouterRunnable
from langchain_core.tools import BaseTool

from trace_agents.tracing import Bundle
from trace_agents_adapters.bound import BoundWorkflow
from trace_agents_adapters.langchain.callers import is_inner
from trace_agents_adapters.langchain.closures import is_library, referred

AnyRunnable: TypeAlias = Runnable[Any, Any]
AnyModel: TypeAlias = BaseLanguageModel[Any]
_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a workflow is made of, and the name of the agent or node that holds it."""

    agent: str
    thing: object
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    """Of a model: what is bound to its calls, such as its tools."""


@dataclass(eq=False)
class Walk:
    """One walk over a workflow; every part is met once."""

    parts: list[Part] = field(default_factory=list[Part])
    _met: dict[int, object] = field(default_factory=dict[int, object])
    """By identity; held, so that no identity is given twice."""

    def visit(self, thing: object, agent: str, depth: int = 0) -> None:
        """Note `thing` and everything that it is made of."""
        if id(thing) in self._met or depth > _DEPTH:
            return
        self._met[id(thing)] = thing
        if is_graph(thing):
            agent = graph_name(thing) or agent
        bound: object = getattr(thing, "bound", None)
        if is_a(thing, RunnableBinding) and is_a(bound, BaseLanguageModel):
            given: Mapping[str, object] = getattr(thing, "kwargs", {})
            self.parts.append(Part(agent, bound, given))
            return
        if is_a(thing, *_KEPT) or is_graph(thing) or is_foreign(thing):
            self.parts.append(Part(agent, thing))
        for name, inner in _inside(thing):
            self.visit(inner, name or agent, depth + 1)

    def of(self, *kinds: type) -> Iterator[Part]:
        """Yield the parts of some types."""
        return (part for part in self.parts if isinstance(part.thing, kinds))


_KEPT = (
    BasePromptTemplate,
    BaseLanguageModel,
    RunnableLambda,
    RunnableWithMessageHistory,
    BaseTool,
    MethodType,
    Bundle,
    BoundWorkflow,
)


def walk(thing: object, agent: str) -> Walk:
    """Return the walk over a workflow."""
    found = Walk()
    found.visit(thing, agent)
    return found


def is_a(thing: object, *kinds: type) -> bool:
    """Tell whether `thing` is of one of some types whose type arguments do not matter."""
    return isinstance(thing, kinds)


def is_graph(thing: object) -> bool:
    """Tell whether `thing` is a compiled graph of LangGraph, without loading it."""
    return any(
        base.__module__.startswith("langgraph.pregel") and base.__name__ == "Pregel"
        for base in type(thing).__mro__
    )


def is_foreign(thing: object) -> bool:
    """Tell whether `thing` is an agent or a team of another framework, without loading it."""
    modules = (base.__module__ for base in type(thing).__mro__)
    return any(module.partition(".")[0] == "autogen_agentchat" for module in modules)


def graph_name(thing: object) -> str:
    """Return the name that a graph was given, if any."""
    named = getattr(thing, "name", None)
    return named if isinstance(named, str) and named != "LangGraph" else ""


def nodes_of(graph: object) -> Mapping[str, object]:
    """Return the nodes of a state graph as they were added, by name; none of other graphs."""
    return cast("Mapping[str, object]", getattr(getattr(graph, "builder", None), "nodes", {}))


def branches_of(graph: object) -> Mapping[str, Mapping[str, object]]:
    """Return what decides where a state graph goes on, by the node after which it does."""
    known: object = getattr(getattr(graph, "builder", None), "branches", {})
    return cast("Mapping[str, Mapping[str, object]]", known)


def turnings(found: Walk) -> dict[str, frozenset[str]]:
    """Return, by the node of a graph, the nodes after which it is decided whether it comes next.

    A node decides by a conditional edge, or by the `Command` that it returns.
    """
    after: dict[str, set[str]] = {}
    for graph in (part.thing for part in found.parts if is_graph(part.thing)):
        nodes = nodes_of(graph)
        for name, spec in nodes.items():
            for follower in cast("Iterable[str]", getattr(spec, "ends", None) or ()):
                after.setdefault(follower, set()).add(name)
        for name, paths in branches_of(graph).items():
            for path in paths.values():
                ends = cast("Mapping[str, str] | None", getattr(path, "ends", None))
                for follower in nodes if ends is None else ends.values():
                    after.setdefault(follower, set()).add(name)
    return {name: frozenset(before) for name, before in after.items() if not is_inner(name)}


def reaches_model(thing: object, agent: str = "") -> bool:
    """Tell whether a model is among what `thing` is made of."""
    return any(True for _ in walk(thing, agent).of(BaseLanguageModel))


def _inside(thing: object) -> Iterator[tuple[str, object]]:
    """Yield what a thing holds, with the name of its holder where that is new."""
    if is_graph(thing):
        for name, spec in nodes_of(thing).items():
            inner: object = getattr(spec, "runnable", None)
            yield ("" if is_inner(name) else name), inner
        for name, paths in branches_of(thing).items():
            for spec in paths.values():
                yield ("" if is_inner(name) else name), getattr(spec, "path", None)
    elif isinstance(thing, FunctionType | MethodType):
        operation: object = getattr(thing, "__wrapped__", None)
        found = [operation] if is_a(operation, Bundle) else _referred(thing)
        yield from (("", inner) for inner in found)
    else:
        yield from (("", inner) for inner in _held(thing))


_HELD: tuple[tuple[type, tuple[str, ...]], ...] = (
    (RunnableSequence, ("steps",)),
    (RunnableParallel, ("steps__",)),
    (RunnableAssign, ("mapper",)),
    (RunnableBindingBase, ("bound",)),
    (RunnableEachBase, ("bound",)),
    (RunnableBranch, ("branches", "default")),
    (RunnableWithFallbacks, ("runnable", "fallbacks")),
    (RunnableConfigurableAlternatives, ("default", "alternatives")),
    (DynamicRunnable, ("default",)),
    (RouterRunnable, ("runnables",)),
    (Runnable, ("func", "afunc", "coroutine", "tools_by_name")),
)
"""Where each sort of runnable keeps what it is made of; the first that fits counts."""


def _held(thing: object) -> Iterator[object]:
    for kind, names in _HELD:
        if isinstance(thing, kind):
            for name in names:
                # a lambda's property raises where it has no such function
                yield from _flat(getattr(thing, name, None))
            return


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        value = list(cast("Mapping[object, object]", value).values())
    if isinstance(value, list | tuple):
        for inner in cast("list[object]", value):
            yield from _flat(inner)
    elif value is not None:
        yield value


def _referred(function: object) -> list[object]:
    return [inner for inner in referred(function) if _counts(inner)]


def _counts(inner: object) -> bool:
    if isinstance(inner, FunctionType):
        return not is_library(inner)
    if isinstance(inner, MethodType):
        return True
    if isinstance(inner, Bundle):  # it is a parameter where it is a node: see `graph_node`
        return False
    return isinstance(inner, (*_KEPT, Runnable)) or is_foreign(inner)
