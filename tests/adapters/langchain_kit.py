"""What the cases of LangChain share: models by name, which tell who called them, and graphs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, LLMMessage
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

import trace_agents as ta
from tests.adapters.scripted import ScriptedClient
from trace_agents.graph import Graph, GraphNode, Kind, Reason
from trace_agents.tracing.context import Trace, current_trace, recording
from trace_agents.workflow import Workflow

TASK = "Tell us of the old harbour."
Said = str | AIMessage
Say = Callable[[list[BaseMessage]], Said]


@dataclass
class Trap:
    """What becomes of the n-th call of a model: it fails, or it stays until it is let go."""

    model: str
    call: int = 1
    fails: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)


@dataclass
class Book:
    """The models of one application by name, and each call that one of them really got."""

    trap: Trap | None = None
    heard: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """Model, episode, and everything that the model was given."""

    def __call__(self, name: str, say: Say | Said) -> Model:
        """Return a chat model."""
        return Model(model_name=name, say=_sayer(say), book=self)

    def texts(self, model: str, episode: str) -> list[str]:
        """Return what a model got in one episode."""
        return [text for name, who, text in self.heard if (name, who) == (model, episode)]

    def note(self, name: str, given: Sequence[object]) -> bool:
        """Note a call, and tell whether it is the one of the trap."""
        trace = current_trace()
        self.heard.append((name, trace.episode if trace else "", "\n".join(map(str, given))))
        trap = self.trap
        if trap is None or trap.model != name:
            return False
        if [model for model, _, _ in self.heard].count(name) != trap.call:
            return False
        if trap.fails:
            raise ConnectionError(f"the model {name!r} is down")
        return True

    async def entered(self, name: str, given: Sequence[object]) -> None:
        """Be called: lets others go first, and may never come back."""
        await anyio.lowlevel.checkpoint()
        if self.note(name, given) and self.trap is not None:
            self.trap.reached.set()
            await anyio.sleep_forever()

    def blocked(self, name: str, given: Sequence[object]) -> None:
        """Be called in a thread; comes back when it is let go."""
        if self.note(name, given) and self.trap is not None:
            self.trap.loop.call_soon_threadsafe(self.trap.reached.set)
            self.trap.let_go.wait(30)


def _sayer(say: Say | Said) -> Say:
    return say if callable(say) else lambda _: say


class Model(BaseChatModel):
    """A chat model that says what its function says, word by word where it streams."""

    model_name: str
    say: Say
    book: Any
    temperature: float = 0.5

    @property
    def _llm_type(self) -> str:
        return "of a book"

    def bind_tools(self, tools: Sequence[Any], **settings: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(each) for each in tools])

    def _given(self, messages: list[BaseMessage], settings: Mapping[str, Any]) -> list[object]:
        told = settings.get("tools") or ()
        heat = settings.get("temperature", self.temperature)
        return [*(message.text for message in messages), *told, f"at {heat}"]

    def _said(self, messages: list[BaseMessage]) -> AIMessage:
        said = self.say(messages)
        message = AIMessage(said) if isinstance(said, str) else said.model_copy(deep=True)
        message.usage_metadata = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
        return message

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: Any = None,
        run_manager: Any = None,
        **settings: Any,
    ) -> ChatResult:
        self.book.blocked(self.model_name, self._given(messages, settings))
        return ChatResult(generations=[ChatGeneration(message=self._said(messages))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: Any = None,
        run_manager: Any = None,
        **settings: Any,
    ) -> ChatResult:
        await self.book.entered(self.model_name, self._given(messages, settings))
        return ChatResult(generations=[ChatGeneration(message=self._said(messages))])


class Streaming(Model):
    """The same, word by word."""

    def _stream(self, messages: list[BaseMessage], *args: Any, **settings: Any) -> Any:
        self.book.blocked(self.model_name, self._given(messages, settings))
        yield from self._words(messages)

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **settings: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        await self.book.entered(self.model_name, self._given(messages, settings))
        for word in self._words(messages):
            yield word

    def _words(self, messages: list[BaseMessage]) -> Iterator[ChatGenerationChunk]:
        first, *others = self._said(messages).text.split(" ")
        for word in (first, *(f" {other}" for other in others)):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))


class Completing(BaseLLM):
    """A model of plain text with one answer."""

    model_name: str
    answer: str
    book: Any

    @property
    def _llm_type(self) -> str:
        return "of a book"

    def _result(self, prompts: list[str]) -> LLMResult:
        return LLMResult(generations=[[Generation(text=self.answer)] for _ in prompts])

    def _generate(self, prompts: list[str], *args: Any, **settings: Any) -> LLMResult:
        self.book.blocked(self.model_name, prompts)
        return self._result(prompts)

    async def _agenerate(self, prompts: list[str], *args: Any, **settings: Any) -> LLMResult:
        await self.book.entered(self.model_name, prompts)
        return self._result(prompts)


class Client(ScriptedClient):
    """A model of AutoGen in the same book."""

    def __init__(
        self, book: Book, name: str, say: Callable[[Sequence[LLMMessage]], str | list[FunctionCall]]
    ) -> None:
        super().__init__(say)
        self.book, self.model = book, name

    async def create(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Any] = (), **settings: Any
    ) -> CreateResult:
        await self.book.entered(self.model, [m.content for m in messages])
        return await super().create(messages, tools=tools, **settings)


def answered(messages: list[BaseMessage]) -> bool:
    """Whether a tool has answered already."""
    return isinstance(messages[-1], ToolMessage)


def asks(name: str, answer: str, **arguments: object) -> Say:
    """Return a model that calls a tool, and answers when it has the result."""
    call = AIMessage("", tool_calls=[{"id": f"call-{name}", "name": name, "args": arguments}])
    return lambda messages: answer if answered(messages) else call


Drive = Callable[[Workflow, Any, object], Awaitable[object]]


async def by_running(workflow: Workflow, thing: Any, task: object) -> object:
    """Run the workflow, as training does."""
    return await workflow.run(task)


@dataclass(frozen=True)
class Case:
    name: str
    build: Callable[[Book], Any]
    parameters: Mapping[str, object]
    """Each parameter that is found, with its first value."""
    edges: set[str]
    """The whole data flow, from whom to whom; `name#2` is the second call of that name."""
    change: tuple[str, object, str]
    """A parameter, its new value, and what the model gets to see of it."""
    model: str
    """The model that must see it, and that fails or never answers."""
    first: str = ""
    """What the model gets to see of the first value; the value itself without it."""
    output: object = None
    task: object = TASK
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    drive: Drive = by_running
    call: int = 1
    """The call of the model that fails or never answers."""
    failed: tuple[str, ...] = ()
    """The calls that are errors when the model fails; its own without it."""
    beside: tuple[str, ...] = ()
    """Models that may be under way beside it."""
    survives: bool = False
    """Whether the run goes on after the failure."""
    rescued: object = None
    """Its output then."""
    threads: bool = False
    """Whether the model is called in a thread, which ends by itself when it is let go."""

    def wrapped(self, book: Book) -> tuple[Workflow, Any]:
        """Return the application as a workflow, and itself."""
        thing = self.build(book)
        return ta.wrap(thing, name=self.options.get("name"), **self._others()), thing

    def _others(self) -> dict[str, Any]:
        return {name: value for name, value in self.options.items() if name != "name"}

    async def run(self, workflow: Workflow, thing: Any, trace: Trace) -> object:
        """Return the output of one recorded run."""
        with recording(trace):
            return await self.drive(workflow, thing, self.task)


def drawn(graph: Graph) -> set[str]:
    """Return the data-flow edges as text."""
    count: dict[str, int] = {}
    label: dict[str, str] = {}
    for node in graph.nodes:
        name = _label(node)
        count[name] = count.get(name, 0) + 1
        label[node.id] = name if count[name] == 1 else f"{name}#{count[name]}"
    return {
        f"{label[e.source]} > {label[e.target]}"
        for e in graph.edges
        if e.reason is not Reason.CONTAINMENT
    }


def _label(node: GraphNode) -> str:
    if node.kind is Kind.INPUT:
        return "task" if node.value == TASK else f"input {node.value}"
    if node.kind is Kind.MESSAGE:
        return f"message {node.value}"
    return node.name if node.kind in _PLAIN else f"{node.kind} {node.name}"


_PLAIN = (Kind.LLM_CALL, Kind.TOOL_CALL, Kind.PARAMETER, Kind.OUTPUT)
