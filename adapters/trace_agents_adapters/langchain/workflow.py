"""A LangChain or LangGraph runnable as a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

from trace_agents_adapters.bound import BoundWorkflow, Discovery
from trace_agents_adapters.langchain.boundary import patches
from trace_agents_adapters.langchain.discovery import find_sites, task_input
from trace_agents_adapters.langchain.messages import text_of


class LangChainWorkflow(BoundWorkflow):
    """Runs a runnable on a task; all episodes share it, since it keeps nothing between runs.

    A task that is text becomes the user's message of a graph, or the one variable of a prompt;
    any other task goes in as it is. A message, or a state with messages, comes out as text.
    """

    def __init__(self, thing: Runnable[Any, Any], *, name: str | None = None) -> None:
        self._thing = thing
        chosen = name or _name(thing)
        super().__init__(chosen, patches, Discovery(lambda: find_sites(thing, chosen)))

    async def _run(self, task: object) -> object:
        return _output(await self._thing.ainvoke(task_input(self._thing, task)))


def _name(thing: Runnable[Any, Any]) -> str:
    named = thing.name
    return named if named and named != "LangGraph" else "agent"


def _output(result: object) -> object:
    if isinstance(result, BaseMessage):
        return text_of(result)
    if isinstance(result, Mapping):
        state = cast("Mapping[str, object]", result)
        messages = state.get("messages")
        if isinstance(messages, list) and messages:
            return _output(cast("list[object]", messages)[-1])
        return state
    return result
