"""AutoGen's model and tool calls: bound and recorded by wrapping public methods of classes."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias, cast

from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage, SystemMessage
from autogen_core.tools import BaseTool, Tool, ToolSchema
from opentelemetry import trace as otel

from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.autogen import messages as shapes
from trace_agents_adapters.boundary import Binding, ChatCall
from trace_agents_adapters.patches import Method, Patches
from trace_agents_adapters.sites import Offer

Create: TypeAlias = Callable[..., Awaitable[CreateResult]]
Stream: TypeAlias = Callable[..., AsyncGenerator[str | CreateResult, None]]
Tools: TypeAlias = Sequence[Tool | ToolSchema]
AnyTool: TypeAlias = BaseTool[Any, Any]

_running: ContextVar[object] = ContextVar("trace_agents_autogen_tool", default=None)


@dataclass(frozen=True, slots=True)
class _Prepared:
    messages: Sequence[LLMMessage]
    tools: Tools
    call: ChatCall


def _prepare(
    client: ChatCompletionClient, messages: Sequence[LLMMessage], tools: Tools
) -> _Prepared:
    """Return what the model gets in place of what it was offered; the caller's objects stay."""
    probe = boundary.intercepted()
    if probe is not None:
        schemas = [shapes.schema_of(tool) for tool in tools]
        offered = tuple((s["name"], s.get("description", "")) for s in schemas)
        raise probe.see(Offer(probe.agent, shapes.system_texts(messages), offered))
    trace = current_trace()
    if trace is None:
        raise RuntimeError("a model call was bound outside a recording")
    agent = boundary.ambient_agent()
    binding = Binding(trace, agent)
    bound_messages = [_bound_message(binding, message) for message in messages]
    bound_tools = [_bound_tool(binding, tool) for tool in tools]
    call = ChatCall(
        model=_model_name(client),
        provider=type(client).__module__.partition(".")[0],
        agent=agent,
        messages=[shapes.message_json(message) for message in bound_messages],
        tools=[shapes.tool_json(shapes.schema_of(tool)) for tool in bound_tools],
        bound=binding.bound,
    )
    return _Prepared(bound_messages, bound_tools, call)


def _bound_message(binding: Binding, message: LLMMessage) -> LLMMessage:
    if not isinstance(message, SystemMessage):
        return message
    text = binding.text("system", message.content)
    return message if text == message.content else message.model_copy(update={"content": text})


def _bound_tool(binding: Binding, tool: Tool | ToolSchema) -> Tool | ToolSchema:
    schema = shapes.schema_of(tool)
    old = schema.get("description", "")
    text = binding.text("tool", old, schema["name"])
    if text == old:
        return tool
    new = schema.copy()
    new["description"] = text
    return new


def _model_name(client: ChatCompletionClient) -> str:
    named: object = getattr(client, "model", None)
    if isinstance(named, str):
        return named
    family = client.model_info.get("family") or "unknown"
    return type(client).__name__ if family == "unknown" else family


def _wrap_create(original: Method) -> Method:
    create = cast("Create", original)

    @wraps(create)
    async def bound_create(
        self: ChatCompletionClient,
        messages: Sequence[LLMMessage],
        *,
        tools: Tools = (),
        **settings: object,
    ) -> CreateResult:
        if boundary.untouched():
            return await create(self, messages, tools=tools, **settings)
        prepared = _prepare(self, messages, tools)
        with boundary.current(prepared.call.start()) as span, boundary.counted_once():
            result = await create(self, prepared.messages, tools=prepared.tools, **settings)
            _answered(span, result)
        return result

    return bound_create


def _wrap_stream(original: Method) -> Method:
    create_stream = cast("Stream", original)

    @wraps(create_stream)
    def bound_stream(
        self: ChatCompletionClient,
        messages: Sequence[LLMMessage],
        *,
        tools: Tools = (),
        **settings: object,
    ) -> AsyncGenerator[str | CreateResult, None]:
        if boundary.untouched():
            return create_stream(self, messages, tools=tools, **settings)
        prepared = _prepare(self, messages, tools)
        with boundary.counted_once():
            chunks = create_stream(self, prepared.messages, tools=prepared.tools, **settings)
        return _recorded(chunks, prepared.call)

    return bound_stream


async def _recorded(
    chunks: AsyncGenerator[str | CreateResult, None], call: ChatCall
) -> AsyncGenerator[str | CreateResult, None]:
    """Yield the chunks; the span is not current across a yield, where the context may change."""
    span = call.start()
    try:
        while True:
            with otel.use_span(span, record_exception=False), boundary.counted_once():
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            if isinstance(chunk, CreateResult):
                _answered(span, chunk)
            yield chunk
    except Exception as error:
        boundary.failed(span, error)
        raise
    finally:
        span.end()
        await chunks.aclose()


def _answered(span: otel.Span, result: CreateResult) -> None:
    tokens = (result.usage.prompt_tokens, result.usage.completion_tokens)
    boundary.answered(span, [shapes.result_json(result)], tokens)


def _wrap_run_json(original: Method) -> Method:
    run_json = cast("Callable[..., Awaitable[object]]", original)

    @wraps(run_json)
    async def bound_run_json(
        self: AnyTool,
        args: Mapping[str, object],
        cancellation_token: object,
        call_id: str | None = None,
    ) -> object:
        if current_trace() is None or _running.get() is self:
            return await run_json(self, args, cancellation_token, call_id)
        with (
            boundary.tool_span(self.name, call_id=call_id, arguments=dict(args)) as finish,
            _marked(self),
        ):
            result = await run_json(self, args, cancellation_token, call_id)
            finish(self.return_value_as_string(result))
        return result

    return bound_run_json


@contextmanager
def _marked(tool: AnyTool) -> Generator[None]:
    token = _running.set(tool)
    try:
        yield
    finally:
        _running.reset(token)


patches = Patches(
    [
        (ChatCompletionClient, (("create", _wrap_create), ("create_stream", _wrap_stream))),
        (BaseTool, (("run_json", _wrap_run_json),)),
    ]
)
"""The wrapped classes of AutoGen; one for the process, because classes are."""
