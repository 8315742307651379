"""AutoGen's model calls: bound and recorded by wrapping public methods of classes."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TypeAlias, cast

from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from opentelemetry import trace as otel

from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.autogen import limits, runtimes
from trace_agents_adapters.autogen import messages as shapes
from trace_agents_adapters.autogen import tools as tool_calls
from trace_agents_adapters.boundary import Binding, ChatCall, Probe
from trace_agents_adapters.patches import Method, Patches

Create: TypeAlias = Callable[..., Awaitable[CreateResult]]
Stream: TypeAlias = Callable[..., AsyncGenerator[str | CreateResult, None]]
Tools: TypeAlias = Sequence[Tool | ToolSchema]

_REHEARSED = 20
"""Model calls after which a rehearsal ends."""
_UUID = re.compile(r"_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""What AutoGen appends to the name of an agent in a team."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    messages: Sequence[LLMMessage]
    tools: Tools
    call: ChatCall


def _prepare(
    client: ChatCompletionClient, messages: Sequence[LLMMessage], tools: Tools
) -> _Prepared:
    """Return what the model gets in place of what it was offered; the caller's objects stay."""
    trace = current_trace()
    if trace is None:
        raise RuntimeError("a model call was bound outside a recording")
    agent = speaker()
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


def _seen(probe: Probe, messages: Sequence[LLMMessage], tools: Tools) -> CreateResult:
    """Note what a model was offered, in its stead."""
    schemas = [shapes.schema_of(tool) for tool in tools]
    agent = boundary.ambient_agent() or probe.agent or speaker()
    done = probe.see(shapes.offer(agent, shapes.system_texts(messages), schemas))
    if not isinstance(probe, Rehearsal) or len(probe.offers) > _REHEARSED:
        raise done
    usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
    content = probe.answer(messages)
    return CreateResult(finish_reason="stop", content=content, usage=usage, cached=False)


@dataclass(eq=False)
class Rehearsal(Probe):
    """A probe of a whole application: its models answer "OK", so that it goes on."""

    def answer(self, messages: Sequence[LLMMessage]) -> str:
        """Return what a model says."""
        return "OK"


def speaker() -> str:
    """Return the agent that calls: a chat agent's name, or the type of an agent of a runtime."""
    named = boundary.ambient_agent()
    if named:
        return named
    handled = runtimes.handling()
    return _UUID.sub("", handled) if handled else ""


def _bound_message(binding: Binding, message: LLMMessage) -> LLMMessage:
    # an assistant's message too: Magentic-One writes its ledger as something that it has said
    if not isinstance(message, SystemMessage | UserMessage | AssistantMessage):
        return message
    if not isinstance(message.content, str):
        return message
    text = message.content
    if isinstance(message, SystemMessage):
        text = binding.text("system", text)
    if text == message.content:
        text = binding.text("user", text)
    text = _with_roles(binding, text)
    return message if text == message.content else message.model_copy(update={"content": text})


def _with_roles(binding: Binding, text: str) -> str:
    """Return a prompt that lists agents with the pinned descriptions of them."""
    for site in binding.sites.at("role"):
        listed = f"{site.agent}: {shapes.one_line(site.text)}"
        if listed in text:
            new = f"{site.agent}: {shapes.one_line(binding.pinned(site))}"
            parts = re.split(rf"(?<!\w){re.escape(listed)}", text)
            text = new.join(parts)
    return text


def _bound_tool(binding: Binding, tool: Tool | ToolSchema) -> Tool | ToolSchema:
    schema = shapes.schema_of(tool)
    name = schema["name"]
    text = binding.text("tool", schema.get("description", ""), name)
    told = {
        argument: binding.text("argument", old, f"{name}.{argument}")
        for argument, old in shapes.described_arguments(schema)
    }
    new = shapes.with_texts(schema, text, told)
    return tool if new == schema else new


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
        probe = boundary.intercepted()
        if probe is not None:
            return _seen(probe, messages, tools)
        prepared = _prepare(self, messages, tools)
        with boundary.current(_started(prepared.call)) as span, boundary.counted_once():
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
        probe = boundary.intercepted()
        if probe is not None:
            return _only(_seen(probe, messages, tools))
        prepared = _prepare(self, messages, tools)
        with boundary.counted_once():
            chunks = create_stream(self, prepared.messages, tools=prepared.tools, **settings)
        return _recorded(chunks, prepared.call)

    return bound_stream


async def _only(result: CreateResult) -> AsyncGenerator[str | CreateResult, None]:
    yield result


async def _recorded(
    chunks: AsyncGenerator[str | CreateResult, None], call: ChatCall
) -> AsyncGenerator[str | CreateResult, None]:
    """Yield the chunks; the span is not current across a yield, where the context may change."""
    span = _started(call)
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


def _started(call: ChatCall) -> otel.Span:
    """Return the span of a call; it links to the decision of a team that led to it."""
    # what an agent is told besides a decision is in its messages; a team is told nothing else
    in_agent = bool(boundary.ambient_agent())
    span = call.start(runtimes.cause() if in_agent else None)
    if not in_agent:
        runtimes.decided(span)
    return span


def _answered(span: otel.Span, result: CreateResult) -> None:
    tokens = (result.usage.prompt_tokens, result.usage.completion_tokens)
    boundary.answered(span, [shapes.result_json(result)], tokens)


patches = Patches(
    [
        (ChatCompletionClient, (("create", _wrap_create), ("create_stream", _wrap_stream))),
        *tool_calls.WRAPPINGS,
        *limits.WRAPPINGS,
        *runtimes.WRAPPINGS,
    ]
)
"""The wrapped classes of AutoGen; one for the process, because classes are."""
