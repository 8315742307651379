"""Finding the parameters of agents: read off every agent that can be reached from a thing."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any, cast

from agent_framework import (
    BaseAgent,
    Executor,
    FunctionalWorkflow,
    FunctionTool,
    RawAgent,
    StepWrapper,
    Workflow,
    WorkflowAgent,
)

from trace_agents_adapters.agent_framework.speaking import name_of
from trace_agents_adapters.agent_framework.tools import described_arguments
from trace_agents_adapters.sites import Offer, Sites, sites_of

_PARTS: tuple[type, ...] = (
    BaseAgent,
    Executor,
    FunctionTool,
    FunctionType,
    FunctionalWorkflow,
    MethodType,
    StepWrapper,
    Workflow,
)


def sites_in(thing: object) -> Sites:
    """Return the sites of every agent in `thing`: members, and those that tools ask."""
    return sites_of(_offer(cast("RawAgent[Any]", part)) for part in reached(thing) if _speaks(part))


def reached(thing: object) -> Iterator[object]:
    """Yield `thing` and the agents, executors and tools in it, each once, outer ones first."""
    waiting, known = [thing], {id(thing)}
    for part in waiting:
        yield part
        for inner in _inside(part):
            if isinstance(inner, _PARTS) and id(inner) not in known:
                known.add(id(inner))
                waiting.append(inner)


def _speaks(part: object) -> bool:
    return isinstance(part, RawAgent)


def _offer(agent: RawAgent[Any]) -> Offer:
    instructions = agent.default_options.get("instructions")
    tools = [tool for tool in _tools(agent) if isinstance(tool, FunctionTool)]
    return Offer(
        name_of(agent),
        (instructions,) if isinstance(instructions, str) else (),
        tuple((tool.name, tool.description) for tool in tools),
        tuple((tool.name, *about) for tool in tools for about in described_arguments(tool)),
    )


def _tools(agent: RawAgent[Any]) -> list[object]:
    return list(agent.default_options.get("tools") or ())


def _inside(part: object) -> Iterator[object]:
    if isinstance(part, Workflow):
        yield from part.executors.values()
    elif isinstance(part, WorkflowAgent):
        yield part.workflow
    elif isinstance(part, RawAgent):
        yield from _tools(cast("RawAgent[Any]", part))  # type: ignore[redundant-cast]
    elif isinstance(part, FunctionTool):
        yield part.func
    elif isinstance(part, FunctionType):
        yield from _referred(part)
    elif isinstance(part, MethodType):
        yield part.__func__
        yield from _spread(getattr(part.__self__, "__dict__", {}))
    else:
        yield from _spread(vars(part))


def _referred(function: FunctionType) -> Iterator[object]:
    """Yield what a function reads; of functions, only those that stand beside it."""
    found = inspect.getclosurevars(inspect.unwrap(function))
    for value in _spread({**found.globals, **found.nonlocals}):
        if not isinstance(value, FunctionType) or value.__module__ == function.__module__:
            yield value


def _spread(values: Mapping[str, object]) -> Iterator[object]:
    for value in values.values():
        yield value
        if isinstance(value, list | tuple):
            yield from cast("list[object]", value)
        elif isinstance(value, dict):
            yield from cast("dict[object, object]", value).values()
