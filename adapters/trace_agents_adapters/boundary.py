"""The boundary of a model or tool call: parameters are bound here, and the call becomes a span."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from opentelemetry import trace as otel
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode

from trace_agents.tracing.context import Trace, current_trace
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.probing import Probe as Probe
from trace_agents_adapters.probing import intercepted as intercepted
from trace_agents_adapters.sites import Place, Site, Sites, template_fields

Json: TypeAlias = dict[str, object]

_TRACER = otel.get_tracer("trace_agents")
# what a call yields where nobody will read the recording
_UNTOLD = otel.INVALID_SPAN

_sites: ContextVar[Sites | None] = ContextVar("trace_agents_sites", default=None)
_inside: ContextVar[bool] = ContextVar("trace_agents_inside_model_call", default=False)


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


def current_sites() -> Sites:
    """Return the sites that model calls in this context are bound by."""
    return _sites.get() or Sites()


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
    return _inside.get() or (current_trace() is None and intercepted() is None)


def ambient_agent() -> str:
    """Return the agent that the current span names, if it can be read; else nothing."""
    attributes: object = getattr(otel.get_current_span(), "attributes", None)
    if isinstance(attributes, Mapping):
        value: object = attributes.get(names.AGENT_NAME)  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
        return value if isinstance(value, str) else ""
    return ""


@dataclass(frozen=True, slots=True)
class Filled:
    """A template's text, and what it was filled with."""

    template: str
    fields: Mapping[str, object]


class Binding:
    """Swaps first texts for an episode's pinned values, and remembers which it bound."""

    def __init__(self, trace: Trace, agent: str) -> None:
        self._trace = trace
        self._agent = agent
        self.sites = current_sites()
        self.bound: dict[str, object] = {}
        """The values that went into this call, by the parameter's name."""
        self.fields: dict[str, object] = {}
        """What its templates of several fields were filled with: one field can be read off."""

    def text(self, place: Place, text: str, tool: str = "", *, filled: Filled | None = None) -> str:
        """Return the pinned text for a text of the call; the text itself where none is bound.

        With `filled` it is known which template made the text, and what it was filled with.
        """
        known = filled and self.sites.template(place, filled.template, self._agent)
        site = known or self.sites.find(place, text, self._agent, tool)
        if site is None:
            return text
        fields = filled.fields if filled is not None and known is site else site.filling(text)
        if fields is None:
            return text
        value = str(self._trace.value_of(site.name, site.text))
        try:
            rendered = site.render(value, text, fields)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            rendered = None
        if rendered is None:
            return text
        self.bound[site.name] = value
        names = template_fields(value) or ()
        if len(names) > 1:
            self.fields.update({name: fields[name] for name in names if name in fields})
        return rendered

    def pinned(self, site: Site) -> str:
        """Return the pinned text of a site that the caller found itself."""
        value = str(self._trace.value_of(site.name, site.text))
        self.bound[site.name] = value
        return value

    def settings(self) -> dict[str, object]:
        """Return the pinned settings of the model that is called, by their names."""
        found: dict[str, object] = {}
        mine = [site for site in self.sites.at("setting") if site.agent == self._agent]
        for site in mine or self.sites.at("setting"):
            if site.tool not in found and site.number is not None:
                value = self._trace.value_of(site.name, site.number.parse(site.text))
                found[site.tool] = self.bound[site.name] = value
        return found


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A model call in the words of the GenAI conventions."""

    model: str
    provider: str
    agent: str
    messages: Sequence[Json]
    tools: Sequence[Json]
    bound: Mapping[str, object]
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    """What its templates were filled with."""
    count: int = 1
    """How many requests it is: a model of plain text may be given several prompts."""

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
        for name, value in self.fields.items():
            found[f"{names.PROMPT_VARIABLE}{name}"] = str(value)
        return found | _told(self.bound)

    def start(self, cause: SpanContext | None = None) -> Span:
        """Return the call's span, started; it is not made current. From here on the call counts.

        `cause` is the call that decided that there is this one, though its answer is not in it.
        """
        trace = current_trace()
        if trace is not None:
            trace.spend(calls=self.count)
        if not _kept():
            return _UNTOLD
        return _TRACER.start_span(
            f"chat {self.model}",
            kind=SpanKind.CLIENT,
            attributes=self.attributes(),
            links=[Link(cause)] if cause is not None else None,
        )


def _told(bound: Mapping[str, object]) -> dict[str, str | tuple[str, ...]]:
    if not bound:
        return {}
    return {names.PARAMETERS: tuple(bound), names.PARAMETER_VALUES: dumps(bound)}


def uses(span: Span, bound: Mapping[str, object]) -> None:
    """Write into a span which parameters its call took, and with which values."""
    if bound and span.is_recording():
        span.set_attributes(_told(bound))


def uses_in_run(bound: Mapping[str, object]) -> None:
    """Write into the span of the current run which parameters it took as a whole."""
    uses(otel.get_current_span(), bound)


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
    """Write into a span that its call raised; of a group, what was raised in it."""
    span.set_attribute(names.ERROR_TYPE, type(error).__qualname__)
    span.set_status(StatusCode.ERROR, "; ".join(map(_sentence, _raised(error))))


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _raised(error: BaseException) -> Generator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    group = cast("BaseExceptionGroup[BaseException]", error)
    for each in group.exceptions:
        yield from _raised(each)


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
    span = start_tool(name, description=description, call_id=call_id, arguments=arguments)
    if span is _UNTOLD:
        yield _ignore
        return
    with current(span):
        yield lambda result: gave(span, result)


def start_tool(
    name: str, *, description: str = "", call_id: str | None = None, arguments: object = None
) -> Span:
    """Return the span of a tool call, started; it is not made current."""
    if not _kept():
        return _UNTOLD
    attributes = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: name,
        names.TOOL_ARGUMENTS: dumps(arguments),
    }
    if description:
        attributes[names.TOOL_DESCRIPTION] = description
    if call_id:
        attributes[names.TOOL_CALL_ID] = call_id
    return _TRACER.start_span(f"execute_tool {name}", attributes=attributes)


def gave(span: Span, result: str) -> None:
    """Write a tool's result into its span."""
    span.set_attribute(names.TOOL_RESULT, result)


def refused(span: Span, message: str) -> None:
    """Write into a span that its call ended in an error without raising one."""
    span.set_attribute(names.ERROR_TYPE, "tool_error")
    span.set_status(StatusCode.ERROR, message)


@contextmanager
def run_span(
    name: str, *, part: bool = False, task: object = None
) -> Generator[Callable[[object], None]]:
    """Give the span around one run of a workflow, as the function that takes its output.

    The run of a workflow that is part of another one's is no output of the episode.
    """
    if not _kept():
        yield _ignore
        return
    attributes = {
        names.OPERATION: "invoke_workflow",
        names.WORKFLOW_NAME: name,
    }
    if not part:
        attributes[names.NODE_KIND] = "output"
        attributes[names.INPUT] = dumps(task)
    span = _TRACER.start_span(f"invoke_workflow {name}", attributes=attributes)
    with current(span):
        yield lambda output: span.set_attribute(names.OUTPUT, dumps(output))


def dumps(value: object) -> str:
    """Return `value` as JSON; what JSON does not know becomes its `str`."""
    return json.dumps(value, ensure_ascii=False, default=str)
