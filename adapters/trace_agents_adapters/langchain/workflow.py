"""A LangChain or LangGraph runnable as a workflow."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableConfig

from trace_agents.errors import NotWrappable
from trace_agents.graph import Number, Parameters
from trace_agents.sandbox import Sandbox, SandboxName
from trace_agents.tracing import Bundle
from trace_agents_adapters.bound import BoundWorkflow, Discovery
from trace_agents_adapters.langchain.boundary import patches
from trace_agents_adapters.langchain.discovery import find_sites
from trace_agents_adapters.langchain.inputs import output_of, task_input
from trace_agents_adapters.langchain.runs import Answer, Given, Runs, runs_of
from trace_agents_adapters.langchain.scope import run_scope
from trace_agents_adapters.langchain.walking import AnyRunnable, Walk, graph_name, turnings, walk
from trace_agents_adapters.toolcode import Asked, Codes


class LangChainWorkflow(BoundWorkflow):
    """Runs a runnable on a task: one that all episodes share, or a fresh one from a factory.

    A task that is text becomes the user's message of a graph, or the one variable of a prompt;
    any other task goes in as it is. A message, or a state with messages, comes out as text.
    Where a graph has a checkpointer or a chain a history, each run gets a thread of its own,
    which is deleted after it.

    Args:
        thing: a runnable, or a function without arguments that builds one.
        name: what to call it in traces.
        settings: settings of its models that are to be parameters, such as
            `{"temperature": Number(0, 1)}`.
        tool_code: True, or the names of tools, to make the code of tools that are functions
            parameters too.
        sandbox: where new code of tools runs; the code as it is runs as always.
        answer: what answers a graph's `interrupt`: takes its value and returns what to resume
            with; it may be async.
        config: what every run is configured with, such as a recursion limit.
        context: a graph's runtime context in every run.

    Raises:
        NotWrappable: `thing` is neither.
    """

    def __init__(
        self,
        thing: Runnable[Any, Any] | Callable[[], Runnable[Any, Any]],
        *,
        name: str | None = None,
        settings: Mapping[str, Number] | None = None,
        tool_code: Asked = False,
        sandbox: SandboxName | Sandbox = "monty",
        answer: Answer | None = None,
        config: RunnableConfig | None = None,
        context: object = None,
    ) -> None:
        self._build = None if isinstance(thing, Runnable) else thing
        self._prototype = checked(cast("object", thing))
        self._given = Given(config, context, answer)
        chosen = name or _name(self._prototype, cast("object", thing))
        asked, codes = dict(settings or {}), Codes(tool_code, sandbox)
        tried = Given(config, context)  # nobody is asked while parameters are found
        super().__init__(
            chosen,
            patches,
            Discovery(
                lambda: find_sites(self._prototype, self._parts, chosen, asked, codes, tried)
            ),
        )

    @cached_property
    def _parts(self) -> Walk:
        return walk(self._prototype, self.name)

    @cached_property
    def _turnings(self) -> Mapping[str, frozenset[str]]:
        return turnings(self._parts)

    def found(self) -> Parameters:
        """Return every parameter: of its prompts, tools and models, and the code of its nodes."""
        operations = [cast("Bundle[..., Any]", part.thing) for part in self._parts.of(Bundle)]
        codes = [code.parameter for each in operations for code in each.parameters()]
        return Parameters([*super().found().values(), *codes])

    @contextmanager
    def instrumented(self) -> Generator[None]:
        """Bind and record LangChain's calls inside; scopes nest and overlap."""
        with super().instrumented(), run_scope(self._turnings):
            yield

    async def _run(self, task: object) -> object:
        runs = self._fresh()
        return output_of(await runs.once(task_input(runs.thing, task)))

    def _fresh(self) -> Runs:
        if self._build is None:
            return runs_of(self._prototype, self._parts, self._given)
        thing = checked(self._build())
        return runs_of(thing, walk(thing, self.name), self._given)


def checked(thing: object) -> AnyRunnable:
    """Return a runnable: `thing`, or what it builds.

    Raises:
        NotWrappable: it is none, with what to do.
    """
    if isinstance(thing, Runnable):
        return thing  # pyright: ignore[reportUnknownVariableType]
    if hasattr(thing, "compile"):
        raise NotWrappable(
            f"the graph of type {type(thing).__name__} is not compiled; wrap graph.compile()"
        )
    made = cast("Callable[[], object]", thing)() if callable(thing) else thing
    if isinstance(made, Runnable):
        return made  # pyright: ignore[reportUnknownVariableType]
    if made is not thing and hasattr(made, "compile"):
        return checked(made)
    raise NotWrappable(
        f"an object of type {type(made).__module__}.{type(made).__qualname__} is no runnable of "
        "LangChain; wrap the chain, agent or compiled graph that it belongs to"
    )


def _name(prototype: AnyRunnable, thing: object) -> str:
    if not isinstance(thing, Runnable):
        return str(getattr(thing, "__name__", "agent"))
    return graph_name(prototype) or "agent"
