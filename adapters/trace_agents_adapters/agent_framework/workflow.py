"""An agent or a workflow of Microsoft Agent Framework as a workflow that can be trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from agent_framework import (
    AgentResponse,
    BaseAgent,
    Content,
    FunctionalWorkflow,
    Message,
    RawAgent,
    Workflow,
    WorkflowAgent,
)
from typing_extensions import TypeIs

from trace_agents.errors import NotWrappable
from trace_agents_adapters.agent_framework import handing
from trace_agents_adapters.agent_framework.boundary import patches
from trace_agents_adapters.agent_framework.discovery import sites_in
from trace_agents_adapters.bound import BoundWorkflow, Discovery

AnyAgent: TypeAlias = RawAgent[Any]
Graph: TypeAlias = Workflow | FunctionalWorkflow
Runnable: TypeAlias = AnyAgent | Graph
Factory: TypeAlias = Callable[[], Runnable]


class AgentFrameworkWorkflow(BoundWorkflow):
    """Runs an agent on each task, or a fresh workflow or agent that a function builds.

    All episodes share an agent, each in a conversation of its own; it stays as it is. Out comes
    the agent's text, or its structured value; of a workflow, its last output.

    Raises:
        NotWrappable: `thing` is neither, cannot be shared, or holds nothing that can be learned.
    """

    def __init__(self, thing: Runnable | Factory, *, name: str | None = None) -> None:
        self._build = None if _is_built(thing) else thing
        self._prototype = _sharable(thing) if self._build is None else _checked(self._build())
        label = name or _name(self._prototype, thing)
        sites = sites_in(self._prototype)
        if not sites.all:
            raise NotWrappable(
                f"{label!r} has nothing to learn: no agent in it has instructions and no tool a "
                "description; give an agent instructions=, or a tool a docstring"
            )
        super().__init__(label, patches, Discovery(lambda: sites))

    async def _run(self, task: object) -> object:
        thing = self._prototype if self._build is None else self._fresh(self._build)
        if isinstance(thing, Graph):
            with handing.watched():
                outputs = (await thing.run(task)).get_outputs()
            return _plain(outputs[-1] if outputs else "")
        known = isinstance(task, str | Message | Content | list)
        return _plain(await thing.run(cast("str", task) if known else str(task)))

    def _fresh(self, build: Factory) -> Runnable:
        made = _checked(build())
        if made is self._prototype and isinstance(made, Graph):
            raise NotWrappable(
                f"{self.name!r} gave the same {type(made).__name__} for two episodes, so that "
                "they would share its state; build a new one inside the function"
            )
        return made


def _is_built(thing: Runnable | Factory) -> TypeIs[Runnable]:
    return isinstance(thing, BaseAgent | Graph) or not callable(thing)


def _name(prototype: Runnable, thing: Runnable | Factory) -> str:
    named: object = prototype.name or getattr(thing, "__name__", None)
    return named if isinstance(named, str) else "agent"


def _sharable(thing: object) -> AnyAgent:
    """Return an agent, which keeps nothing from run to run; refuse what does."""
    if isinstance(thing, Graph | WorkflowAgent):
        raise NotWrappable(
            f"the {type(thing).__name__} {thing.name!r} keeps its state and does one run at a "
            "time; wrap a function that builds a new one: ta.wrap(build)"
        )
    return cast("AnyAgent", _checked(thing))


def _checked(thing: object) -> Runnable:
    if isinstance(thing, RawAgent | Graph):
        return thing  # pyright: ignore[reportUnknownVariableType]
    hint = "call its build()" if hasattr(thing, "build") else "wrap the agent that it belongs to"
    raise NotWrappable(
        f"an object of type {type(thing).__module__}.{type(thing).__qualname__} is neither an "
        f"Agent nor a Workflow of Agent Framework; {hint}"
    )


def _plain(output: object) -> object:
    """Return the value or the text of a response, the text of messages, and the rest as it is."""
    if isinstance(output, AgentResponse):
        value = cast("object", output.value)  # pyright: ignore[reportUnknownMemberType]
        return output.text if value is None else value
    if isinstance(output, list) and output:
        return _plain(cast("list[object]", output)[-1])
    return output.text if isinstance(output, Message) else output  # pyright: ignore[reportUnknownVariableType]
