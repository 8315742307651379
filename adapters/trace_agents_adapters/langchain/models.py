"""The boundary of LangChain's models: parameters are bound into a call, and it becomes a span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import cast

from langchain_core.language_models import (
    BaseChatModel,
    BaseLLM,
    LanguageModelInput,
)
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_messages
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config
from opentelemetry import trace as otel

from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.boundary import Binding, ChatCall, Json
from trace_agents_adapters.langchain import messages as shapes
from trace_agents_adapters.langchain.callers import agent_of, is_nameless, place_of
from trace_agents_adapters.langchain.scope import current_run
from trace_agents_adapters.langchain.texts import bound_message, bound_text, bound_tool
from trace_agents_adapters.langchain.twins import Args, Ready, Settings
from trace_agents_adapters.langchain.walking import AnyModel
from trace_agents_adapters.langchain.watching import Caller, Watch
from trace_agents_adapters.sites import Offer

Batch = list[list[BaseMessage]]


def chat(model: object, args: Args, settings: Settings) -> Ready[LLMResult] | None:
    """Return what becomes of `generate` or `agenerate` of a chat model."""
    if boundary.untouched():
        return None
    name, given = _first(args, settings, "messages")
    call = _Call(cast("BaseChatModel", model), settings, settings.get("metadata"))
    bound = [call.messages(each) for each in cast("Batch", given)]
    said = [shapes.message_json(message) for each in bound for message in each]
    span = call.start(said, len(bound))
    return Ready(*_put(args, call.settings, name, bound), span, _answered)


def chat_stream(
    model: object, args: Args, settings: Settings
) -> Ready[list[AIMessageChunk]] | None:
    """Return what becomes of `stream` or `astream` of a chat model."""
    if boundary.untouched():
        return None
    name, given = _first(args, settings, "input")
    call = _Call(cast("BaseChatModel", model), settings, _metadata(args, settings))
    bound = call.messages(_conversation(cast("LanguageModelInput", given)))
    span = call.start([shapes.message_json(message) for message in bound])
    return Ready(*_put(args, call.settings, name, bound), span, _streamed)


def text(model: object, args: Args, settings: Settings) -> Ready[LLMResult] | None:
    """Return what becomes of `generate` or `agenerate` of a model of plain text."""
    if boundary.untouched():
        return None
    name, given = _first(args, settings, "prompts")
    told = settings.get("metadata")
    each = cast("list[object]", told) if isinstance(told, list) else [told]
    call = _Call(cast("BaseLLM", model), settings, each[0] if each else None)
    bound = [call.text(prompt) for prompt in cast("list[str]", given)]
    span = call.start(_spoken(bound), len(bound))
    return Ready(*_put(args, call.settings, name, bound), span, _completed)


def text_stream(model: object, args: Args, settings: Settings) -> Ready[list[str]] | None:
    """Return what becomes of `stream` or `astream` of a model of plain text."""
    if boundary.untouched():
        return None
    name, given = _first(args, settings, "input")
    call = _Call(cast("BaseLLM", model), settings, _metadata(args, settings))
    bound = call.text(_prompt(cast("LanguageModelInput", given)))
    return Ready(*_put(args, call.settings, name, bound), call.start(_spoken([bound])), _spelled)


class _Call:
    """One model call: swaps what is bound, and notes the rest for the span."""

    def __init__(self, model: AnyModel, settings: Settings, metadata: object) -> None:
        self._model = model
        self._agent = agent_of(metadata)
        self._nameless = is_nameless(metadata)
        self._place = place_of(metadata)
        self._tools = list(cast("Sequence[object]", settings.get("tools") or ()))
        self.settings = dict(settings)
        self._run = current_run()
        self._binding = self._watched_or_bound()

    def _watched_or_bound(self) -> Binding | Caller:
        probe = boundary.intercepted()
        if isinstance(probe, Watch):
            return probe.calls(self._agent, self._model, self.settings)
        if probe is not None:
            raise probe.see(Offer(probe.agent))
        trace = current_trace()
        if trace is None:
            raise RuntimeError("a model call was bound outside a recording")
        self._agent = self._agent or boundary.ambient_agent()
        return Binding(trace, self._agent)

    def messages(self, given: Sequence[BaseMessage]) -> list[BaseMessage]:
        """Return copies of the messages with what is bound; the caller's stay as they are."""
        if isinstance(self._binding, Caller):
            raise self._binding.heard(given, _definitions(self._tools))
        return [bound_message(self._binding, message, self._run) for message in given]

    def text(self, given: str) -> str:
        """Return the prompt with what is bound."""
        if isinstance(self._binding, Caller):
            raise self._binding.read(given)
        return bound_text(self._binding, "user", given, self._run)

    def start(self, messages: Sequence[Json], count: int = 1) -> otel.Span:
        """Bind the tools and the settings too, and return the span of the call, started.

        `count` is how many requests it is.
        """
        binding = cast("Binding", self._binding)
        tools = [bound_tool(binding, tool) for tool in self._tools]
        if self._tools:
            self.settings["tools"] = tools
        self.settings.update(binding.settings())
        call = ChatCall(
            model=_model_name(self._model),
            provider=type(self._model).__module__.partition(".")[0],
            agent=_owner(binding) if self._nameless else self._agent,
            messages=messages,
            tools=[{"type": "function", **each} for each in _definitions(tools)],
            bound=binding.bound,
            fields=binding.fields,
            count=count,
        )
        if self._run is None:
            return call.start()
        span = call.start(self._run.cause_of(self._place))
        self._run.called(self._place, span.get_span_context())
        return span


def _owner(binding: Binding) -> str:
    """Return the agent of whose texts a call was made."""
    return next((site.agent for site in binding.sites.all if site.name in binding.bound), "")


def _definitions(tools: Sequence[object]) -> list[Json]:
    return [known for tool in tools if (known := shapes.definition(tool)) is not None]


def _first(args: Args, settings: Settings, name: str) -> tuple[str, object]:
    return name, args[0] if args else settings[name]


def _put(args: Args, settings: Settings, name: str, value: object) -> tuple[Args, Settings]:
    if args:
        return (value, *args[1:]), settings
    return args, {**settings, name: value}


def _metadata(args: Args, settings: Settings) -> object:
    given = args[1] if len(args) > 1 else settings.get("config")
    return ensure_config(cast("RunnableConfig | None", given)).get("metadata")


def _conversation(given: LanguageModelInput) -> list[BaseMessage]:
    if isinstance(given, PromptValue):
        return given.to_messages()
    return convert_to_messages([given] if isinstance(given, str) else given)


def _prompt(given: LanguageModelInput) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, PromptValue):
        return given.to_string()
    return "\n".join(shapes.text_of(message) for message in convert_to_messages(given))


def _spoken(prompts: Sequence[str]) -> list[Json]:
    return [{"role": "user", "parts": [{"type": "text", "content": each}]} for each in prompts]


def _said(texts: Sequence[str]) -> list[Json]:
    return [{"role": "assistant", "parts": [{"type": "text", "content": each}]} for each in texts]


def _model_name(model: AnyModel) -> str:
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


def _streamed(span: otel.Span, pieces: list[AIMessageChunk]) -> None:
    whole = reduce(lambda left, right: left + right, pieces)
    boundary.answered(span, [shapes.message_json(whole)], shapes.tokens_of(whole))


def _completed(span: otel.Span, result: LLMResult) -> None:
    texts = [generation.text for row in result.generations for generation in row]
    usage = cast("Mapping[str, object]", (result.llm_output or {}).get("token_usage") or {})
    counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    given, gave = (count if isinstance(count, int) else 0 for count in counts)
    boundary.answered(span, _said(texts), (given, gave))


def _spelled(span: otel.Span, pieces: list[str]) -> None:
    boundary.answered(span, _said(["".join(pieces)]), (0, 0))
