"""`wrap`: any agent, team, runnable or async function as a workflow that can be trained."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import Any, Protocol, cast, runtime_checkable

from trace_agents.errors import ExtraNotInstalled, NotWrappable
from trace_agents.graph import Parameter, Parameters, Values
from trace_agents.plugins import ADAPTERS, found
from trace_agents.tracing import Module, Node, ParameterNode, Trace, node, recording
from trace_agents.tracing.parameters import parameters_of
from trace_agents.workflow import Adapter, Workflow

Factory = Callable[[], object]


@runtime_checkable
class FactoryAdapter(Protocol):
    """An adapter that can build a fresh agent for every episode."""

    def wrap_factory(
        self, factory: Factory, prototype: object, *, name: str | None = None, **options: Any
    ) -> Workflow:
        """Return the workflow of `factory`; `prototype` is what one call of it returned."""
        ...


@dataclass(frozen=True)
class FunctionWorkflow:
    """An async or sync function over nodes as a workflow; its parameters are given to `wrap`."""

    function: Callable[[Node], object]
    name: str
    declared: Parameters

    def parameters(self) -> Parameters:
        """Return the parameters that `wrap` was given."""
        return self.declared

    def only(self, *patterns: str) -> FunctionWorkflow:
        """Return the workflow with all but the matching parameters frozen."""
        return replace(self, declared=self.declared.only(*patterns))

    def freeze(self, *patterns: str) -> FunctionWorkflow:
        """Return the workflow with the matching parameters frozen."""
        return replace(self, declared=self.declared.freeze(*patterns))

    def instrumented(self) -> AbstractContextManager[None]:
        """Return an empty scope: a plain function needs no hooks."""
        return nullcontext()

    async def run(self, task: object) -> object:
        """Call the function with the task as a node and return the plain value of its result."""
        result = self.function(node(task, name="task"))
        if inspect.isawaitable(result):
            result = await cast("Awaitable[object]", result)
        return cast(object, result.data) if isinstance(result, Node) else result


def wrap(
    thing: object,
    *,
    name: str | None = None,
    parameters: Iterable[ParameterNode | Parameter] = (),
    **options: Any,
) -> Workflow:
    """Return `thing` as a workflow; `thing` itself stays as it is.

    Args:
        thing: an agent, team, chain or graph of AutoGen, LangChain or Microsoft Agent
            Framework; a function that needs no arguments and builds one; an async or sync
            function of one node; a `Module`, whose `forward` takes one; or a workflow, which is
            returned as it is.
        name: what to call it in traces; taken from the thing without it.
        parameters: for a plain function, the parameters that it reads; a `Module` has its own.
        options: what the framework's adapter takes beside, such as `settings=` of LangChain.

    Raises:
        NotWrappable: no installed adapter knows the thing; the sentence names those there are.
        InvalidValue: `parameters` is no list of parameters.
    """
    if isinstance(thing, Workflow):
        return thing
    adapter = _adapter_for(thing)
    if adapter is not None:
        return adapter.wrap(thing, name=name, **options)
    declared = _declared(parameters)
    if isinstance(thing, Module):
        return _from_module(thing, name, declared)
    if callable(thing):
        function: Callable[..., object] = thing
        if declared or _takes_a_task(function):
            label = name or str(getattr(function, "__name__", "workflow"))
            return FunctionWorkflow(function, label, declared)
        return _from_factory(function, name, options)
    raise NotWrappable(f"{_sort(thing)} cannot be wrapped; installed adapters: {_names()}")


def _takes_a_task(function: Callable[..., object]) -> bool:
    """Whether a function must be given an argument; one that need not be may build the thing."""
    try:
        given = inspect.signature(function).parameters.values()
    except ValueError:
        raise NotWrappable(
            f"{function!r} does not say which arguments it takes; give an agent, a function that "
            "builds one, or a function of one task"
        ) from None
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(p.default is p.empty and p.kind not in variable for p in given)


def _from_module(module: Module, name: str | None, declared: Parameters) -> Workflow:
    label = type(module).__name__
    if type(module).__call__ is Module.__call__ and not hasattr(module, "forward"):
        raise NotWrappable(f"{label} has no method forward; write one that takes a task")
    return FunctionWorkflow(module, name or label, declared or _declared(module.parameters()))


def _from_factory(factory: Factory, name: str | None, options: Mapping[str, Any]) -> Workflow:
    prototype = factory()
    adapter = _adapter_for(prototype)
    if adapter is None or not isinstance(adapter, FactoryAdapter):
        raise NotWrappable(
            f"the factory {getattr(factory, '__name__', factory)!r} returned {_sort(prototype)}, "
            f"which cannot be wrapped; installed adapters: {_names()}"
        )
    return adapter.wrap_factory(factory, prototype, name=name, **options)


def _adapter_for(thing: object) -> Adapter | None:
    roots = {c.__module__.partition(".")[0] for c in type(thing).__mro__}
    if roots <= {"builtins"}:
        return None
    adapters = (adapter for adapter in map(_loaded, found(ADAPTERS)) if adapter is not None)
    return next((adapter for adapter in adapters if adapter.matches(thing)), None)


def _loaded(entry: EntryPoint) -> Adapter | None:
    try:
        return cast(Adapter, entry.load())
    except ExtraNotInstalled:  # then `thing` is not one of that framework's objects
        return None


def _declared(parameters: Iterable[ParameterNode | Parameter]) -> Parameters:
    if isinstance(parameters, Parameters):
        return parameters
    given = parameters_of(parameters, "wrap(parameters=)", ParameterNode, Parameter)
    return Parameters(p.parameter if isinstance(p, ParameterNode) else p for p in given)


def _sort(thing: object) -> str:
    return f"an object of type {type(thing).__module__}.{type(thing).__qualname__}"


def _names() -> str:
    return ", ".join(entry.name for entry in found(ADAPTERS)) or "none"


@asynccontextmanager
async def applied(
    workflow: Workflow, values: Values, *, record: bool = True
) -> AsyncGenerator[Trace]:
    """Run what is inside with these parameter values bound, and record it.

    A service that stays inside for long runs says `record=False`: a recording grows with it.

    Raises:
        UnknownParameter, InvalidValue: `values` do not fit the workflow's parameters.
    """
    checked: Mapping[str, object] = workflow.parameters().check(values)
    applying = Trace("applied", 0, checked, kept=record)
    with workflow.instrumented(), recording(applying) as trace:
        yield trace
