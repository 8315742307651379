"""What the workflows of all frameworks share: found parameters, narrowing, and the scope."""

from __future__ import annotations

import asyncio
import copy
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from importlib import import_module
from threading import RLock
from typing import Literal, Self, TypeVar, cast

import anyio.to_thread

from trace_agents.graph import Parameters
from trace_agents.tracing.context import current_trace
from trace_agents_adapters.boundary import current_sites, run_span, scope
from trace_agents_adapters.otel.capture import ensure_provider
from trace_agents_adapters.patches import Patches
from trace_agents_adapters.sites import Sites

T = TypeVar("T")


class NothingToLearn(UserWarning):
    """A workflow, or a part of it, holds no text that training could change."""


_BOUNDARIES = {
    "agent_framework": "trace_agents_adapters.agent_framework.boundary",
    "autogen_core": "trace_agents_adapters.autogen.boundary",
    "langchain_core": "trace_agents_adapters.langchain.boundary",
}
"""Which module wraps the calls of a framework: a tool of one may call an agent of the other."""

_running: ContextVar[bool] = ContextVar("trace_agents_workflow_running", default=False)


def loaded_patches() -> list[Patches]:
    """Return what wraps the calls of each framework that the program has loaded."""
    found: list[Patches] = []
    for framework, boundary in _BOUNDARIES.items():
        if framework in sys.modules:
            with suppress(ImportError):  # a part of the framework that the adapter needs is missing
                found.append(cast("Patches", import_module(boundary).patches))
    return found


@contextmanager
def _wrapped(*patches: Patches) -> Generator[None]:
    """Keep the calls of all loaded frameworks wrapped inside."""
    with ExitStack() as stack:
        for each in dict.fromkeys([*patches, *loaded_patches()]):
            stack.enter_context(each.applied())
        yield


@contextmanager
def _inside() -> Generator[bool]:
    """Mark that a workflow runs; tells whether one does already, of which this is a part."""
    outer = _running.get()
    _running.set(True)
    try:
        yield outer
    finally:
        _running.set(outer)


class Discovery:
    """The sites of a workflow, looked for once, when somebody first asks."""

    def __init__(self, find: Callable[[], Sites]) -> None:
        self._find = find
        self._lock = RLock()
        self._finding = False
        self._found: Sites | None = None

    @property
    def done(self) -> bool:
        """Whether the sites are known."""
        return self._found is not None

    def sites(self) -> Sites:
        """Return the sites; none while they are looked for, where a part refers to the whole."""
        with self._lock:
            if self._found is None and not self._finding:
                self._finding = True
                try:
                    with _wrapped():  # a prototype of one framework may call another one's model
                        self._found = self._find()
                finally:
                    self._finding = False
            return self._found or Sites()


class BoundWorkflow(ABC):
    """A workflow whose parameters are bound at the boundary of its model calls."""

    def __init__(self, name: str, patches: Patches, discovery: Discovery) -> None:
        self.name = name
        self._patches = patches
        self._discovery = discovery
        self._narrowed: tuple[tuple[Literal["only", "freeze"], tuple[str, ...]], ...] = ()

    def parameters(self) -> Parameters:
        """Return what may change, as `only` and `freeze` have narrowed it."""
        found = self.found()
        for how, patterns in self._narrowed:
            found = found.only(*patterns) if how == "only" else found.freeze(*patterns)
        return found

    def found(self) -> Parameters:
        """Return every parameter, none of them frozen."""
        return self._discovery.sites().parameters()

    def only(self, *patterns: str) -> Self:
        """Return the same workflow with all but the matching parameters frozen."""
        return self._with("only", patterns)

    def freeze(self, *patterns: str) -> Self:
        """Return the same workflow with the matching parameters frozen."""
        return self._with("freeze", patterns)

    def including(self, find: Callable[[], Sites]) -> Self:
        """Return the same workflow with the sites of its parts in another framework."""
        own = self._discovery
        joined = copy.copy(self)
        joined._discovery = Discovery(lambda: own.sites().joined(find()))
        return joined

    def sites(self) -> Sites:
        """Return where the parameters stand."""
        return self._discovery.sites()

    @contextmanager
    def instrumented(self) -> Generator[None]:
        """Bind and record the frameworks' calls inside; scopes nest and overlap.

        Inside another workflow's scope, that one's sites come first.
        """
        ensure_provider()
        sites = self._discovery.sites()
        with _wrapped(self._patches), scope(current_sites().joined(sites)):
            yield

    async def run(self, task: object) -> object:
        """Do one task and return its output; outside a recording, as if it were not wrapped."""
        if current_trace() is None:
            return await self._run(task)
        if not self._discovery.done:
            await anyio.to_thread.run_sync(self._discovery.sites)
        with (
            self.instrumented(),
            _inside() as outer,
            run_span(self.name, part=outer, task=task) as finish,
        ):
            output = await self._run(task)
            finish(output)
        return output

    @abstractmethod
    async def _run(self, task: object) -> object: ...

    def _with(self, how: Literal["only", "freeze"], patterns: tuple[str, ...]) -> Self:
        narrowed = copy.copy(self)
        narrowed._narrowed = (*self._narrowed, (how, patterns))
        return narrowed


def in_own_loop(make: Callable[[], Coroutine[object, object, T]]) -> T:
    """Return the coroutine's result, run in an event loop and a thread of its own.

    This works with and without a running loop in the caller's thread.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="trace-agents-probe") as pool:
        return pool.submit(lambda: asyncio.run(make())).result()
