"""What can be trained: anything that runs a task and says which parameters it has."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from trace_agents.graph import Parameters


@runtime_checkable
class Workflow(Protocol):
    """An agent or a team, as the trainer sees it.

    `run` is called inside `recording(trace)`: whatever it reads of a parameter comes from
    `current_trace()`, so that many runs of different versions can be under way at once.
    """

    @property
    def name(self) -> str:
        """What the workflow is called in traces."""
        ...

    def parameters(self) -> Parameters:
        """Return what may change."""
        ...

    def only(self, *patterns: str) -> Workflow:
        """Return the same workflow with all but the matching parameters frozen."""
        ...

    def freeze(self, *patterns: str) -> Workflow:
        """Return the same workflow with the matching parameters frozen."""
        ...

    def instrumented(self) -> AbstractContextManager[None]:
        """Return the scope in which the framework's calls are bound and recorded; it nests."""
        ...

    async def run(self, task: object) -> object:
        """Do one task and return its output."""
        ...


class Adapter(Protocol):
    """What the entry-point group `trace_agents.adapters` names: a wrapper for one framework."""

    def matches(self, thing: object) -> bool:
        """Tell, without importing the framework, whether `thing` is one of its objects."""
        ...

    def wrap(self, thing: object, *, name: str | None = None, **options: Any) -> Workflow:
        """Return the workflow around `thing`, which stays as it is."""
        ...
