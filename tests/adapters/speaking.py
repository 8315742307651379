"""LangChain models whose answers a function makes; they remember what they were really given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import (
    ChatGeneration,
    ChatGenerationChunk,
    ChatResult,
    Generation,
    LLMResult,
)
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from trace_agents.graph import Graph, Kind
from trace_agents.tracing.context import Trace, recording
from trace_agents.workflow import Workflow

Say = Callable[["Heard"], str | AIMessage]
Pause = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Heard:
    """One call as the model got it."""

    messages: tuple[BaseMessage, ...]
    tools: tuple[dict[str, Any], ...]
    settings: dict[str, Any]

    @property
    def texts(self) -> list[str]:
        return [str(message.text) for message in self.messages]

    @property
    def answered(self) -> bool:
        """Whether a tool has answered already."""
        return isinstance(self.messages[-1], ToolMessage)


def _echo(heard: Heard) -> str:
    return f"Answer to: {heard.texts[-1]}"


class Speaking(BaseChatModel):
    """A chat model that says what its function says."""

    say: Say = _echo
    pause: Pause | None = None
    temperature: float | None = None
    heard: list[Heard] = Field(default_factory=list[Heard])

    @property
    def _llm_type(self) -> str:
        return "speaking"

    def bind_tools(self, tools: Sequence[Any], **settings: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **settings)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: Any = None,
        run_manager: Any = None,
        **settings: Any,
    ) -> ChatResult:
        tools = tuple(settings.pop("tools", None) or ())
        heard = Heard(tuple(messages), tools, settings)
        self.heard.append(heard)
        said = self.say(heard)
        message = AIMessage(said) if isinstance(said, str) else said
        message.usage_metadata = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **settings: Any) -> Any:
        if self.pause is not None:
            await self.pause()
        return self._generate(messages, *args, **settings)


class Spelling(Speaking):
    """A chat model that streams its answer word by word."""

    def _stream(self, messages: list[BaseMessage], *args: Any, **settings: Any) -> Any:
        result = self._generate(messages, *args, **settings)
        yield from _chunks(str(result.generations[0].message.text))

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **settings: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        result = self._generate(messages, *args, **settings)
        for chunk in _chunks(str(result.generations[0].message.text)):
            if self.pause is not None:
                await self.pause()
            yield chunk


def _chunks(text: str) -> Iterator[ChatGenerationChunk]:
    for word in text.split(" "):
        yield ChatGenerationChunk(message=AIMessageChunk(content=f"{word} "))


class Writing(BaseLLM):
    """A model of plain text that says what its function says."""

    say: Callable[[str], str] = "Completed: {}".format
    heard: list[str] = Field(default_factory=list[str])

    @property
    def _llm_type(self) -> str:
        return "writing"

    def _generate(self, prompts: list[str], *args: Any, **settings: Any) -> LLMResult:
        self.heard += prompts
        return LLMResult(generations=[[Generation(text=self.say(prompt))] for prompt in prompts])


def calls(name: str, call_id: str = "c1", **arguments: object) -> AIMessage:
    """Return a model's message that calls one tool."""
    return AIMessage("", tool_calls=[{"id": call_id, "name": name, "args": arguments}])


async def episode(workflow: Workflow, trace: Trace, task: object) -> object:
    """Return the output of one recorded run."""
    with recording(trace):
        return await workflow.run(task)


def edges(graph: Graph) -> set[tuple[str, str, str]]:
    """Return who flows into whom and why; a model call is called by its agent and its order."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for node in graph.nodes:
        name = f"model:{node.agent}" if node.kind is Kind.LLM_CALL and node.agent else node.name
        if node.kind is Kind.LLM_CALL:
            counts[name] = counts.get(name, 0) + 1
            name = f"{name}.{counts[name]}" if counts[name] > 1 else name
        names[node.id] = name
    return {(names[e.source], names[e.target], str(e.reason)) for e in graph.edges}


def values(workflow: Workflow) -> dict[str, object]:
    """Return the parameters that were found, with their first values."""
    return {name: parameter.value for name, parameter in workflow.parameters().items()}
