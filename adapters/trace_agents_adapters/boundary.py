"""The boundary of a model or tool call: parameters are bound here, and the call becomes a span."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeAlias

from opentelemetry import trace as otel
from opentelemetry.trace import Span, SpanKind, StatusCode

from trace_agents.tracing.context import Trace, current_trace
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.sites import Offer, Place, Sites

Json: TypeAlias = dict[str, object]
ToolSpan: TypeAlias = AbstractContextManager[Callable[[str], None]]

_TRACER = otel.get_tracer("trace_agents")
# what a call yields where nobody will read the recording
_UNTOLD = otel.INVALID_SPAN

_sites: ContextVar[Sites | None] = ContextVar("trace_agents_sites", default=None)
_probe: ContextVar[Probe | None] = ContextVar("trace_agents_probe", default=None)
_inside: ContextVar[bool] = ContextVar("trace_agents_inside_model_call", default=False)


class ProbeDone(Exception):
    """Ends a prototype's run once its models' offers were seen; it never leaves the probe."""


@dataclass(eq=False)
class Probe:
    """Sees what models are offered, in their stead: no model is called inside it."""

    agent: str
    offers: list[Offer] = field(default_factory=list[Offer])

    @contextmanager
    def active(self) -> Generator[None]:
        """Intercept model calls inside."""
        token = _probe.set(self)
        try:
            yield
        finally:
            _probe.reset(token)

    def see(self, offer: Offer) -> ProbeDone:
        """Note what a model was offered; the caller raises what comes back."""
        self.offers.append(offer)
        return ProbeDone("the prototype's model call was seen")


@contextmanager
def scope(sites: Sites) -> Generator[None]:
    """Make `sites` the ones that model calls are bound by, in this context."""
    before = _sites.get()
    _sites.set(sites)
    try:
        yield
    finally:
        # not reset(token): a scope may be closed by another task than the one that opened it
        _sites.set(before)


def intercepted() -> Probe | None:
    """Return the probe that model calls in this context belong to, if any."""
    return _probe.get()


@contextmanager
def counted_once() -> Generator[None]:
    """Mark that a model call is under way, so that calls below it pass through."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def untouched() -> bool:
    """Tell whether a model call passes straight through: no recording, or inside another call."""
    return _inside.get() or (current_trace() is None and _probe.get() is None)


def ambient_agent() -> str:
    """Return the agent that the current span names, if it can be read; else nothing."""
    attributes: object = getattr(otel.get_current_span(), "attributes", None)
    if isinstance(attributes, Mapping):
        value: object = attributes.get(names.AGENT_NAME)  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
        return value if isinstance(value, str) else ""
    return ""


class Binding:
    """Swaps first texts for an episode's pinned values, and remembers which it bound."""

    def __init__(self, trace: Trace, agent: str) -> None:
        self._trace = trace
        self._agent = agent
        self._sites = _sites.get() or Sites()
        self.bound: dict[str, object] = {}
        """The values that went into this call, by the parameter's name."""

    def text(self, place: Place, text: str, tool: str = "") -> str:
        """Return the pinned text for a text of the call; the text itself where none is bound."""
        site = self._sites.find(place, text, self._agent, tool)
        if site is None:
            return text
        value = str(self._trace.value_of(site.name, site.text))
        try:
            rendered = site.render(value, text)
        except (KeyError, IndexError, ValueError):
            rendered = None
        if rendered is None:
            return text
        self.bound[site.name] = value
        return rendered


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A model call in the words of the GenAI conventions."""

    model: str
    provider: str
    agent: str
    messages: Sequence[Json]
    tools: Sequence[Json]
    bound: Mapping[str, object]

    def attributes(self) -> dict[str, str | tuple[str, ...]]:
        """Return the attributes of the call's span."""
        found: dict[str, str | tuple[str, ...]] = {
            names.OPERATION: "chat",
            names.PROVIDER: self.provider,
            names.REQUEST_MODEL: self.model,
            names.INPUT_MESSAGES: dumps(self.messages),
        }
        if self.tools:
            found[names.TOOL_DEFINITIONS] = dumps(self.tools)
        if self.agent:
            found[names.AGENT_NAME] = self.agent
        if self.bound:
            found[names.PARAMETERS] = tuple(self.bound)
            found[names.PARAMETER_VALUES] = dumps(self.bound)
        return found

    def start(self) -> Span:
        """Return the call's span, started; it is not made current."""
        if not _kept():
            return _UNTOLD
        return _TRACER.start_span(
            f"chat {self.model}", kind=SpanKind.CLIENT, attributes=self.attributes()
        )


def _kept() -> bool:
    trace = current_trace()
    return trace is not None and trace.kept


def _ignore(_: object) -> None:
    """Take what nobody will read."""


def answered(span: Span, messages: Sequence[Json], tokens: tuple[int, int]) -> None:
    """Write a model's answer into its span, and its tokens into the episode's account."""
    if span.is_recording():
        span.set_attribute(names.OUTPUT_MESSAGES, dumps(messages))
        span.set_attribute(names.INPUT_TOKENS, tokens[0])
        span.set_attribute(names.OUTPUT_TOKENS, tokens[1])
    trace = current_trace()
    if trace is not None:
        trace.spend(tokens=sum(tokens))


def failed(span: Span, error: BaseException) -> None:
    """Write into a span that its call raised."""
    span.set_attribute(names.ERROR_TYPE, type(error).__qualname__)
    span.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")


@contextmanager
def current(span: Span) -> Generator[Span]:
    """Make `span` current inside, note what is raised, and end it."""
    with otel.use_span(
        span, end_on_exit=True, record_exception=False, set_status_on_exception=False
    ):
        try:
            yield span
        except BaseException as error:
            failed(span, error)
            raise


@contextmanager
def tool_span(
    name: str, *, description: str = "", call_id: str | None = None, arguments: object = None
) -> Generator[Callable[[str], None]]:
    """Give what a tool call needs: the function that takes its result as text."""
    if not _kept():
        yield _ignore
        return
    attributes = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: name,
        names.TOOL_ARGUMENTS: dumps(arguments),
    }
    if description:
        attributes[names.TOOL_DESCRIPTION] = description
    if call_id:
        attributes[names.TOOL_CALL_ID] = call_id
    span = _TRACER.start_span(f"execute_tool {name}", attributes=attributes)
    with current(span):
        yield lambda result: span.set_attribute(names.TOOL_RESULT, result)


@contextmanager
def run_span(name: str) -> Generator[Callable[[object], None]]:
    """Give the span around one run of a workflow, as the function that takes its output."""
    if not _kept():
        yield _ignore
        return
    attributes = {
        names.OPERATION: "invoke_workflow",
        names.WORKFLOW_NAME: name,
        names.NODE_KIND: "output",
    }
    span = _TRACER.start_span(f"invoke_workflow {name}", attributes=attributes)
    with current(span):
        yield lambda output: span.set_attribute(names.OUTPUT, dumps(output))


def dumps(value: object) -> str:
    """Return `value` as JSON; what JSON does not know becomes its `str`."""
    return json.dumps(value, ensure_ascii=False, default=str)
