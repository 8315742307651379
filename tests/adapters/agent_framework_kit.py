"""What the tests of the Agent Framework adapter share: a scripted model, and graphs as text."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
)
from agent_framework.observability import ChatTelemetryLayer

from trace_agents.graph import Graph, Kind, Reason
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.agent_framework import AgentFrameworkWorkflow

TASK = "Tell us of the old harbour."

Said = str | Content
Say = Callable[[Sequence[Message]], Said]


class ScriptedClient(
    FunctionInvocationLayer[Any],
    ChatMiddlewareLayer[Any],
    ChatTelemetryLayer[Any],
    BaseChatClient[Any],
):
    """A stand-in for a model: a function makes its answers; it remembers what it was given."""

    def __init__(self, model: str, say: Say | str, pause: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self.model = model
        self.say: Say = say if callable(say) else lambda messages: say
        self.pause = pause
        self.instructions: list[str] = []
        self.tools: list[dict[str, tuple[str, dict[str, str]]]] = []
        self.texts: list[list[str]] = []

    def _inner_get_response(
        self,
        *,
        messages: Sequence[Message],
        stream: bool,
        options: Mapping[str, Any],
        **settings: Any,
    ) -> Awaitable[ChatResponse] | ResponseStream[ChatResponseUpdate, ChatResponse]:
        self.instructions.append(options.get("instructions") or "")
        self.tools.append({tool.name: _told(tool) for tool in options.get("tools") or ()})
        self.texts.append([message.text for message in messages])
        if stream:
            return self._build_response_stream(self._updates(messages))
        return self._response(messages)

    async def _response(self, messages: Sequence[Message]) -> ChatResponse:
        if self.pause is not None:
            await self.pause()
        usage: Any = {"input_token_count": 5, "output_token_count": 2}
        return ChatResponse(
            messages=[Message("assistant", [self.say(messages)])], usage_details=usage
        )

    async def _updates(self, messages: Sequence[Message]) -> AsyncIterable[ChatResponseUpdate]:
        response = await self._response(messages)
        for content in response.messages[0].contents:
            yield ChatResponseUpdate(role="assistant", contents=[content])


def _told(tool: Any) -> tuple[str, dict[str, str]]:
    about = tool.parameters().get("properties", {})
    return tool.description, {n: each.get("description", "") for n, each in about.items()}


def calls(name: str, answer: str, **arguments: object) -> Say:
    """Return a model that calls a tool, and answers when it has the result."""

    def say(messages: Sequence[Message]) -> Said:
        if any(content.type == "function_result" for m in messages for content in m.contents):
            return answer
        return Content.from_function_call(f"call-{name}", name, arguments=dict(arguments))

    return say


def drawn(graph: Graph) -> set[str]:
    """Return the data-flow edges as text; a second node of one name is `name#2`."""
    count: dict[str, int] = {}
    label: dict[str, str] = {}
    for node in graph.nodes:
        known = node.value == TASK if node.kind is Kind.INPUT else node.kind is not Kind.MESSAGE
        if not known or node.kind is Kind.TOOL_DEFINITION:
            continue
        name = "task" if node.kind is Kind.INPUT else node.name
        count[name] = count.get(name, 0) + 1
        label[node.id] = name if count[name] == 1 else f"{name}#{count[name]}"
    return {
        f"{label[e.source]} > {label[e.target]}"
        for e in graph.edges
        if e.reason not in (Reason.CONTAINMENT, Reason.LINK) and e.source in label
    }


async def run(workflow: AgentFrameworkWorkflow, trace: Trace) -> object:
    """Return what one episode gives."""
    with recording(trace):
        return await workflow.run(TASK)


ARGUMENT = "pilot.tools.depth.arguments.place.description"
DESCRIPTION = "pilot.tools.depth.description"
CHANGED = {"pilot.system_message": "Be brief.", DESCRIPTION: "Sound it.", ARGUMENT: "Which one."}


def depth(place: Annotated[str, "Name of the harbour."]) -> str:
    """Look up how deep a harbour is."""
    if place == "Nowhere":
        raise LookupError(f"no harbour is called {place}")
    return f"The basin of {place} is seven fathoms deep."


def pilot(place: str = "Hull", **settings: Any) -> tuple[Agent[Any], ScriptedClient]:
    client = ScriptedClient("pilot-model", calls("depth", "It is deep enough.", place=place))
    settings.setdefault("tools", [depth])
    return Agent(client, "You are the pilot.", name="pilot", **settings), client
