"""LangChain's model and tool calls: bound and recorded by wrapping public methods of classes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage, ToolMessage, convert_to_messages
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.prompt_values import PromptValue
from langchain_core.tools import BaseTool
from opentelemetry import trace as otel

from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.boundary import Binding, ChatCall
from trace_agents_adapters.langchain import messages as shapes
from trace_agents_adapters.patches import Method, Patches
from trace_agents_adapters.sites import Offer, Place

Settings = dict[str, object]
Batch = list[list[BaseMessage]]


@dataclass(frozen=True, slots=True)
class _Prepared:
    batch: Batch
    settings: Settings
    call: ChatCall


def _prepare(model: BaseChatModel, batch: Batch, settings: Mapping[str, object]) -> _Prepared:
    """Return what the model gets in place of what it was offered; the caller's objects stay."""
    agent = _agent(settings)
    tools = cast("Sequence[object]", settings.get("tools") or ())
    probe = boundary.intercepted()
    if probe is not None:
        known = [d for tool in tools if (d := shapes.definition(tool)) is not None]
        offered = tuple((str(d["name"]), str(d.get("description", ""))) for d in known)
        systems = tuple(text for messages in batch for text in shapes.system_texts(messages))
        raise probe.see(Offer(agent or probe.agent, systems, offered))
    trace = current_trace()
    if trace is None:
        raise RuntimeError("a model call was bound outside a recording")
    binding = Binding(trace, agent or boundary.ambient_agent())
    bound = [[_bound_message(binding, message) for message in messages] for messages in batch]
    bound_tools = [_bound_tool(binding, tool) for tool in tools]
    definitions = [d for tool in bound_tools if (d := shapes.definition(tool)) is not None]
    call = ChatCall(
        model=_model_name(model),
        provider=type(model).__module__.partition(".")[0],
        agent=agent or boundary.ambient_agent(),
        messages=[shapes.message_json(message) for messages in bound for message in messages],
        tools=[{"type": "function", **known} for known in definitions],
        bound=binding.bound,
    )
    changed = {**settings, "tools": bound_tools} if tools else dict(settings)
    return _Prepared(bound, changed, call)


def _agent(settings: Mapping[str, object]) -> str:
    metadata = settings.get("metadata")
    if not isinstance(metadata, Mapping):
        return ""
    name = cast("Mapping[str, object]", metadata).get("lc_agent_name")
    return name if isinstance(name, str) else ""


def _bound_message(binding: Binding, message: BaseMessage) -> BaseMessage:
    places: Mapping[str, Place] = {"system": "system", "human": "user"}
    place = places.get(message.type)
    content: object = message.content  # pyright: ignore[reportUnknownMemberType]
    if place is None or not isinstance(content, str):
        return message
    text = binding.text(place, content)
    return message if text == content else message.model_copy(update={"content": text})


def _bound_tool(binding: Binding, tool: object) -> object:
    known = shapes.definition(tool)
    if known is None:
        return tool
    old = str(known.get("description", ""))
    text = binding.text("tool", old, str(known["name"]))
    return tool if text == old else shapes.redescribed(tool, text)


def _model_name(model: BaseChatModel) -> str:
    for attribute in ("model_name", "model"):
        named: object = getattr(model, attribute, None)
        if isinstance(named, str) and named:
            return named
    return type(model).__name__


def _answered(span: otel.Span, result: LLMResult) -> None:
    answers = [
        g.message for row in result.generations for g in row if isinstance(g, ChatGeneration)
    ]
    tokens = [shapes.tokens_of(message) for message in answers]
    total = (sum(t[0] for t in tokens), sum(t[1] for t in tokens))
    boundary.answered(span, [shapes.message_json(message) for message in answers], total)


def _wrap_agenerate(original: Method) -> Method:
    agenerate = cast("Callable[..., Awaitable[LLMResult]]", original)

    @wraps(agenerate)
    async def bound(
        self: BaseChatModel, messages: Batch, *args: object, **settings: object
    ) -> LLMResult:
        if boundary.untouched():
            return await agenerate(self, messages, *args, **settings)
        ready = _prepare(self, messages, settings)
        with boundary.current(ready.call.start()) as span, boundary.counted_once():
            result = await agenerate(self, ready.batch, *args, **ready.settings)
            _answered(span, result)
        return result

    return bound


def _wrap_generate(original: Method) -> Method:
    generate = cast("Callable[..., LLMResult]", original)

    @wraps(generate)
    def bound(self: BaseChatModel, messages: Batch, *args: object, **settings: object) -> LLMResult:
        if boundary.untouched():
            return generate(self, messages, *args, **settings)
        ready = _prepare(self, messages, settings)
        with boundary.current(ready.call.start()) as span, boundary.counted_once():
            result = generate(self, ready.batch, *args, **ready.settings)
            _answered(span, result)
        return result

    return bound


def _offered(given: LanguageModelInput) -> list[BaseMessage]:
    if isinstance(given, PromptValue):
        return given.to_messages()
    return convert_to_messages([given] if isinstance(given, str) else given)


def _wrap_astream(original: Method) -> Method:
    astream = cast("Callable[..., AsyncIterator[AIMessageChunk]]", original)

    @wraps(astream)
    def bound(
        self: BaseChatModel, input: LanguageModelInput, *args: object, **settings: object
    ) -> AsyncIterator[AIMessageChunk]:
        if boundary.untouched():
            return astream(self, input, *args, **settings)
        ready = _prepare(self, [_offered(input)], settings)
        return _arecorded(astream(self, ready.batch[0], *args, **ready.settings), ready.call)

    return bound


def _wrap_stream(original: Method) -> Method:
    stream = cast("Callable[..., Iterator[AIMessageChunk]]", original)

    @wraps(stream)
    def bound(
        self: BaseChatModel, input: LanguageModelInput, *args: object, **settings: object
    ) -> Iterator[AIMessageChunk]:
        if boundary.untouched():
            return stream(self, input, *args, **settings)
        ready = _prepare(self, [_offered(input)], settings)
        return _recorded(stream(self, ready.batch[0], *args, **ready.settings), ready.call)

    return bound


class _Streaming:
    """The span of a stream: not current across a yield, where the context may change."""

    def __init__(self, call: ChatCall) -> None:
        self.span = call.start()
        self._whole: AIMessageChunk | None = None

    def add(self, chunk: AIMessageChunk) -> None:
        self._whole = chunk if self._whole is None else self._whole + chunk

    def close(self) -> None:
        if self._whole is not None:
            tokens = shapes.tokens_of(self._whole)
            boundary.answered(self.span, [shapes.message_json(self._whole)], tokens)
        self.span.end()


async def _arecorded(
    chunks: AsyncIterator[AIMessageChunk], call: ChatCall
) -> AsyncIterator[AIMessageChunk]:
    streaming = _Streaming(call)
    try:
        while True:
            with otel.use_span(streaming.span, record_exception=False), boundary.counted_once():
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            streaming.add(chunk)
            yield chunk
    except Exception as error:
        boundary.failed(streaming.span, error)
        raise
    finally:
        streaming.close()


def _recorded(chunks: Iterator[AIMessageChunk], call: ChatCall) -> Iterator[AIMessageChunk]:
    streaming = _Streaming(call)
    try:
        while True:
            with otel.use_span(streaming.span, record_exception=False), boundary.counted_once():
                chunk = next(chunks, None)
            if chunk is None:
                return
            streaming.add(chunk)
            yield chunk
    except Exception as error:
        boundary.failed(streaming.span, error)
        raise
    finally:
        streaming.close()


def _wrap_arun(original: Method) -> Method:
    arun = cast("Callable[..., Awaitable[object]]", original)

    @wraps(arun)
    async def bound(
        self: BaseTool, tool_input: object, *args: object, **settings: object
    ) -> object:
        if current_trace() is None or boundary.intercepted() is not None:
            return await arun(self, tool_input, *args, **settings)
        with _tool_span(self, tool_input, settings) as finish:
            result = await arun(self, tool_input, *args, **settings)
            finish(_result_text(result))
        return result

    return bound


def _wrap_run(original: Method) -> Method:
    run = original

    @wraps(run)
    def bound(self: BaseTool, tool_input: object, *args: object, **settings: object) -> object:
        if current_trace() is None or boundary.intercepted() is not None:
            return run(self, tool_input, *args, **settings)
        with _tool_span(self, tool_input, settings) as finish:
            result = run(self, tool_input, *args, **settings)
            finish(_result_text(result))
        return result

    return bound


def _tool_span(
    tool: BaseTool, tool_input: object, settings: Mapping[str, object]
) -> boundary.ToolSpan:
    call_id = settings.get("tool_call_id")
    return boundary.tool_span(
        tool.name,
        description=tool.description,
        call_id=call_id if isinstance(call_id, str) else None,
        arguments=_told(tool_input),
    )


def _told(tool_input: object) -> object:
    """Return a tool's arguments without what the framework injects, which is no JSON."""
    if not isinstance(tool_input, Mapping):
        return tool_input
    given = cast("Mapping[str, object]", tool_input)
    return {key: value for key, value in given.items() if _is_json(value)}


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _result_text(result: object) -> str:
    return shapes.text_of(result) if isinstance(result, ToolMessage) else str(result)


patches = Patches(
    [
        (
            BaseChatModel,
            (
                ("agenerate", _wrap_agenerate),
                ("generate", _wrap_generate),
                ("astream", _wrap_astream),
                ("stream", _wrap_stream),
            ),
        ),
        (BaseTool, (("arun", _wrap_arun), ("run", _wrap_run))),
    ]
)
"""The wrapped classes of LangChain; one for the process, because classes are."""
