"""What the workflows of all frameworks share: found parameters, narrowing, and the scope."""

from __future__ import annotations

import asyncio
import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Literal, Self, TypeVar

import anyio.to_thread

from trace_agents.graph import Parameters
from trace_agents.tracing.context import current_trace
from trace_agents_adapters.boundary import run_span, scope
from trace_agents_adapters.otel.capture import ensure_provider
from trace_agents_adapters.patches import Patches
from trace_agents_adapters.sites import Sites

T = TypeVar("T")


class Discovery:
    """The sites of a workflow, looked for once, when somebody first asks."""

    def __init__(self, find: Callable[[], Sites]) -> None:
        self._find = find
        self._lock = Lock()
        self._found: Sites | None = None

    @property
    def done(self) -> bool:
        """Whether the sites are known."""
        return self._found is not None

    def sites(self) -> Sites:
        """Return the sites."""
        with self._lock:
            if self._found is None:
                self._found = self._find()
            return self._found


class BoundWorkflow(ABC):
    """A workflow whose parameters are bound at the boundary of its model calls."""

    def __init__(self, name: str, patches: Patches, discovery: Discovery) -> None:
        self.name = name
        self._patches = patches
        self._discovery = discovery
        self._narrowed: tuple[tuple[Literal["only", "freeze"], tuple[str, ...]], ...] = ()

    def parameters(self) -> Parameters:
        """Return what may change: system messages and the descriptions of tools."""
        found = self._discovery.sites().parameters()
        for how, patterns in self._narrowed:
            found = found.only(*patterns) if how == "only" else found.freeze(*patterns)
        return found

    def only(self, *patterns: str) -> Self:
        """Return the same workflow with all but the matching parameters frozen."""
        return self._with("only", patterns)

    def freeze(self, *patterns: str) -> Self:
        """Return the same workflow with the matching parameters frozen."""
        return self._with("freeze", patterns)

    @contextmanager
    def instrumented(self) -> Generator[None]:
        """Bind and record the framework's calls inside; scopes nest and overlap."""
        ensure_provider()
        with self._patches.applied(), scope(self._discovery.sites()):
            yield

    async def run(self, task: object) -> object:
        """Do one task and return its output; outside a recording, as if it were not wrapped."""
        if current_trace() is None:
            return await self._run(task)
        if not self._discovery.done:
            await anyio.to_thread.run_sync(self._discovery.sites)
        with self.instrumented(), run_span(self.name) as finish:
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
