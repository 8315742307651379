"""What the tests of the AutoGen adapter share: clients by name, cases, and graphs as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from autogen_agentchat.agents import (
    AssistantAgent,
)
from autogen_agentchat.base import ChatAgent, Team

from tests.adapters.scripted import NamedClient, Say, always
from trace_agents.graph import Graph, Kind, Reason
from trace_agents.tracing.context import Trace, recording
from trace_agents.workflow import Workflow
from trace_agents_adapters.autogen import AutoGenWorkflow

TASK = "Tell us of the old harbour."


TEXT, COUNT, CODE = "text", "number", "code"


Runnable = ChatAgent | Team


class Book:
    """The scripted clients of one application, by the names of their models."""

    def __init__(self, pause: Callable[[], Any] | None = None) -> None:
        self.clients: dict[str, NamedClient] = {}
        self.pause = pause

    def __call__(self, model: str, say: Say | str) -> NamedClient:
        """Return the client of a model; the same one for the same name."""
        if model not in self.clients:
            made = always(say) if isinstance(say, str) else say
            self.clients[model] = NamedClient(model, made, self.pause)
        return self.clients[model]


@dataclass(frozen=True)
class Case:
    name: str
    build: Callable[[Book], Runnable]
    parameters: dict[str, str]
    edges: set[str]
    change: tuple[str, object, str]
    """A parameter, its new value, and the model that must see it."""
    shared: bool = True
    """Whether an object of it can be wrapped; else only a factory."""
    output: str = ""
    seen: str = field(default="")
    """What the model must see, where it is not the value itself."""
    first: str = ""
    """What it sees of the first version, where that is not the value itself."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


def drawn(graph: Graph, parameters: Iterable[str] = ()) -> set[str]:
    """Return the data-flow edges as text; a second node of one name is `name#2`.

    Left out are the decisions that span links tell, and texts that a framework wrote itself:
    what is left of a filled-in prompt, and prompts that are none of `parameters`.
    """
    count: dict[str, int] = {}
    label: dict[str, str] = {}
    for node in graph.nodes:
        known = node.value == TASK if node.kind is Kind.INPUT else node.kind is not Kind.MESSAGE
        prompt = node.kind is Kind.PARAMETER and parameters and node.name not in parameters
        if not known or prompt or node.kind is Kind.TOOL_DEFINITION:
            continue
        name = "task" if node.kind is Kind.INPUT else node.name
        count[name] = count.get(name, 0) + 1
        label[node.id] = name if count[name] == 1 else f"{name}#{count[name]}"
    return {
        f"{label[e.source]} > {label[e.target]}"
        for e in graph.edges
        if e.reason not in (Reason.CONTAINMENT, Reason.LINK) and e.source in label
    }


async def run(workflow: Workflow, trace: Trace) -> object:
    with recording(trace):
        return await workflow.run(TASK)


def assistant(book: Book, name: str, say: Say | str, **settings: Any) -> AssistantAgent:
    settings.setdefault("system_message", f"You are {name}.")
    return AssistantAgent(name, book(f"{name}-model", say), **settings)


async def depth(place: Annotated[str, "Name of the harbour."]) -> str:
    """Look up how deep a harbour is."""
    return f"The basin of {place} is seven fathoms deep."


def made(case: Case, book: Book) -> AutoGenWorkflow:
    thing = case.build(book) if case.shared else lambda: case.build(book)
    return AutoGenWorkflow(thing, name=None if case.shared else case.name, **case.options)
