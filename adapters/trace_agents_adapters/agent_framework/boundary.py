"""Agent Framework's model calls: bound and recorded by wrapping public methods of classes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, TypeAlias, cast

from agent_framework import (
    BaseAgent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    FunctionInvocationLayer,
    FunctionTool,
    Message,
    ResponseStream,
)
from agent_framework.observability import ChatTelemetryLayer
from opentelemetry import trace as otel

from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.agent_framework import handing, speaking, tools
from trace_agents_adapters.agent_framework import messages as shapes
from trace_agents_adapters.boundary import Binding, ChatCall
from trace_agents_adapters.patches import Method, Patches
from trace_agents_adapters.sites import Offer

Client: TypeAlias = BaseChatClient[Any]
Options: TypeAlias = Mapping[str, object]
Updates: TypeAlias = ResponseStream[ChatResponseUpdate, shapes.Response]


_LAYERS = (ChatTelemetryLayer, BaseChatClient)
"""Where a call is bound: above the framework's own telemetry, so that this tells what was sent."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    options: Options
    call: ChatCall


def _prepare(client: Client, messages: Sequence[Message], options: Options) -> _Prepared:
    """Return what the model gets in place of what it was offered; the caller's objects stay."""
    agent = speaking.speaker() or boundary.ambient_agent()
    probe, trace = boundary.intercepted(), current_trace()
    if probe is not None:
        raise probe.see(Offer(probe.agent))
    if trace is None:
        raise RuntimeError("a model call was bound outside a recording")
    binding = Binding(trace, agent)
    told = dict(options)
    if isinstance(given := told.get("instructions"), str):
        told["instructions"] = _instructions(binding, agent, given)
    if isinstance(offered := told.get("tools"), list):
        told["tools"] = [tools.bound(binding, tool) for tool in cast("list[object]", offered)]
    call = ChatCall(
        model=_model_name(client, options),
        provider=type(client).__module__.partition(".")[0],
        agent=agent,
        messages=shapes.conversation(told.get("instructions"), messages),
        tools=_definitions(told.get("tools")),
        bound=binding.bound,
    )
    return _Prepared(told, call)


def _instructions(binding: Binding, agent: str, given: str) -> str:
    """Return instructions with the pinned text; what a context provider appended is kept."""
    text = binding.text("system", given)
    if text != given or binding.bound:
        return text
    for site in binding.sites.at("system"):
        if site.agent == agent and given.startswith(f"{site.text}\n"):
            return binding.pinned(site) + given.removeprefix(site.text)
    return given


def _definitions(offered: object) -> list[boundary.Json]:
    if not isinstance(offered, list):
        return []
    found = (tools.definition(tool) for tool in cast("list[object]", offered))
    return [each for each in found if each is not None]


def _model_name(client: Client, options: Options) -> str:
    named: object = options.get("model") or getattr(client, "model", None)
    return named if isinstance(named, str) else type(client).__name__


def _wrap_get_response(original: Method) -> Method:
    layer = next((each for each in _LAYERS if vars(each)["get_response"] is original), None)

    @wraps(original)
    def bound_response(
        self: Client,
        messages: Sequence[Message],
        *,
        stream: bool = False,
        options: Options | None = None,
        **settings: object,
    ) -> object:
        if boundary.untouched() or _above_tools(self, layer):
            return original(self, messages, stream=stream, options=options, **settings)
        prepared = _prepare(self, messages, options or {})
        make = partial(original, self, messages, options=prepared.options, **settings)
        if stream:
            return _streamed(prepared.call, partial(make, stream=True))
        return _answered(prepared.call, cast("Callable[[], Awaitable[shapes.Response]]", make))

    return bound_response


def _above_tools(client: Client, layer: type | None) -> bool:
    """Tell whether a layer of a client is above the one that calls tools.

    There, one response is many calls of the model. An override of `get_response` that is none of
    the framework's own is the top of its client.
    """
    classes = type(client).__mro__
    if FunctionInvocationLayer not in classes:
        return False
    return layer is None or classes.index(layer) < classes.index(FunctionInvocationLayer)


async def _answered(
    call: ChatCall, make: Callable[[], Awaitable[shapes.Response]]
) -> shapes.Response:
    with boundary.current(_started(call)) as span, boundary.counted_once():
        response = await make()
        _noted(span, response)
    return response


def _started(call: ChatCall) -> otel.Span:
    """Return the span of a call; it links to the call that handed the conversation over."""
    return call.start(handing.cause(call.agent))


def _noted(span: otel.Span, response: shapes.Response) -> None:
    boundary.answered(span, shapes.answers(response), shapes.tokens_of(response))
    handing.decided(response, span.get_span_context())


def _streamed(call: ChatCall, make: Callable[[], object]) -> object:
    """Return the stream; its span is current only while it is asked for the next piece."""
    span = _started(call)
    try:
        with _within(span):
            stream = cast("Updates", make())
    except BaseException:
        span.end()
        raise
    updates: list[ChatResponseUpdate] = []

    def ended() -> None:
        if updates:
            _noted(span, ChatResponse.from_updates(updates))
        span.end()

    return (
        stream.with_pull_context_manager(partial(_within, span))
        .with_update_transform(updates.append)
        .with_cleanup_hook(ended)
    )


@contextmanager
def _within(span: otel.Span) -> Generator[None]:
    with otel.use_span(span, record_exception=False, set_status_on_exception=False):
        try:
            with boundary.counted_once():
                yield
        except StopAsyncIteration:
            raise
        except BaseException as error:
            boundary.failed(span, error)
            raise


patches = Patches(
    [
        *((layer, (("get_response", _wrap_get_response),)) for layer in _LAYERS),
        (BaseAgent, (("run", speaking.wrap_run),)),
        (FunctionTool, (("invoke", tools.wrap_invoke),)),
    ]
)
"""The wrapped classes of Agent Framework; one for the process, because classes are."""
