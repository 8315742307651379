"""Probes: the runs of a prototype, and of its parts, up to their first model calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeAlias, TypedDict, cast

import anyio
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from typing_extensions import is_typeddict  # the one of typing knows only its own

from trace_agents_adapters.langchain.boundary import patches
from trace_agents_adapters.langchain.callers import is_inner
from trace_agents_adapters.langchain.closures import is_library
from trace_agents_adapters.langchain.inputs import state_schema, wanted
from trace_agents_adapters.langchain.markers import AnyFields, fields_of, marker, state_of
from trace_agents_adapters.langchain.runs import NOTHING, Given, Runs, runs_of
from trace_agents_adapters.langchain.walking import (
    AnyRunnable,
    Walk,
    branches_of,
    graph_name,
    is_graph,
    nodes_of,
    reaches_model,
)
from trace_agents_adapters.langchain.watching import Seen, Watch

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A part of a workflow that is to be run, with an input of markers."""

    agent: str
    runs: Runs
    given: object


def trials(
    thing: AnyRunnable | None, found: Walk, agent: str, given: Given = NOTHING
) -> Iterator[Trial]:
    """Yield what to run in order to see every model's offer, the whole first."""
    if thing is not None:
        named = graph_name(thing) if is_graph(thing) else ""
        yield Trial(named or agent, runs_of(thing, found, given), _input(thing))
    for part in found.parts:
        inner = cast("AnyRunnable", part.thing)
        if is_graph(inner):
            if inner is not thing:
                yield Trial(part.agent, runs_of(inner, found), _input(inner))
            yield from _nodes(inner, part.agent)
        elif isinstance(inner, RunnableLambda) and reaches_model(inner):
            yield Trial(part.agent, Runs(inner), AnyFields())


def _nodes(graph: object, agent: str) -> Iterator[Trial]:
    """Yield a graph's own functions that call a model, each as a graph of its own."""
    for name, runnable, told in (*_steps(graph), *_turnings(graph)):
        function: object = getattr(runnable, "func", None) or getattr(runnable, "afunc", None)
        if _calls_model(function):
            schema = told or state_schema(graph)
            yield Trial(
                agent if is_inner(name) else name,
                Runs(_alone(name, runnable, schema)),
                state_of(schema),
            )


Step: TypeAlias = tuple[str, object, object]
"""A node's name, what runs in it, and the type of what that takes, where it is told."""


def _steps(graph: object) -> Iterator[Step]:
    for name, spec in nodes_of(graph).items():
        yield name, getattr(spec, "runnable", None), getattr(spec, "input_schema", None)


def _turnings(graph: object) -> Iterator[Step]:
    """Yield what decides where to go on after a node; it counts as a part of that node."""
    for name, paths in branches_of(graph).items():
        for spec in paths.values():
            yield name, getattr(spec, "path", None), getattr(spec, "input_schema", None)


def _calls_model(function: object) -> bool:
    """Tell whether a node's function is the user's own and has a model to call."""
    plain: object = getattr(function, "__func__", function)
    if isinstance(plain, FunctionType) and is_library(plain):
        return False
    return function is not None and reaches_model(function)


def _alone(name: str, runnable: object, schema: object) -> AnyRunnable:
    from langgraph.graph import START, StateGraph  # who has graphs has langgraph
    from langgraph.types import Send

    if not is_typeddict(schema):
        single: Any = StateGraph(cast("type[Any]", schema))
        single.add_node(name, runnable).add_edge(START, name)
        return cast("AnyRunnable", single.compile())
    # without its reducers: one step needs none
    single = StateGraph(cast("Any", TypedDict)(name, dict.fromkeys(fields_of(schema), Any)))
    single.add_node(name, runnable)

    # a `Send` may bring fields that the state does not have
    def sent(state: Mapping[str, object]) -> Any:
        return Send(name, AnyFields(state))

    single.add_conditional_edges(START, sent, [name])
    return cast("AnyRunnable", single.compile())


def _input(thing: AnyRunnable) -> object:
    schema = state_schema(thing)
    if is_graph(thing) and schema is not None:
        known = state_of(schema)
        return known or {"messages": [HumanMessage(marker("task"))]}
    names = wanted(thing)
    return AnyFields({name: marker(name) for name in names}) if names else marker("task")


async def seen(tried: Iterable[Trial], make: Callable[[str], Watch]) -> list[Watch]:
    """Run the trials one by one, and return what they saw."""
    watches: list[Watch] = []
    for trial in tried:
        watch = make(trial.agent)
        watches.append(watch)
        # a trial may fail on the markers; only what its models were offered before that counts
        with (
            patches.applied(),
            watch.active(),
            suppress(Exception, Seen),
            anyio.move_on_after(_SECONDS),
        ):
            await trial.runs.once(trial.given)
    return watches
