"""Live capture: a span processor that gives every span to the episode in which it started."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakSet, WeakValueDictionary

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider

from trace_agents.graph import Graph
from trace_agents.tracing.context import Trace, current_trace
from trace_agents_adapters.otel.conventions import EPISODE, VERSION
from trace_agents_adapters.otel.convert import build_graph
from trace_agents_adapters.otel.otlp_json import to_line
from trace_agents_adapters.otel.records import SpanRecord, from_sdk

_SPANS_A_LINE = 64

_equipped: WeakSet[TracerProvider] = WeakSet()
# a provider does not tell its processors in public, so that what was added is remembered here


class SpanRecorder:
    """The spans of one episode; freed with its `Trace`."""

    def __init__(self) -> None:
        self.filename = "spans.jsonl"
        self.problems: list[str] = []
        """What capture could not do, in sentences."""
        self._open: dict[int, ReadableSpan] = {}
        self._ended: list[ReadableSpan] = []

    def started(self, span: ReadableSpan, span_id: int) -> None:
        """Remember a span that may never end."""
        self._open[span_id] = span

    def ended(self, span: ReadableSpan, span_id: int) -> None:
        """Keep a span for good."""
        self._open.pop(span_id, None)
        self._ended.append(span)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The names of the spans that have started and not ended."""
        return tuple(span.name for span in list(self._open.values()))

    def records(self) -> list[SpanRecord]:
        """Return every span so far, those that did not end last."""
        return [from_sdk(span) for span in [*self._ended, *list(self._open.values())]]

    def graph(self, trace: Trace) -> Graph:
        """Return the spans as a graph with data-flow edges."""
        return build_graph(
            self.records(), trace.episode, trace.version, problems=tuple(self.problems)
        )

    def lines(self) -> Iterable[str]:
        """Return the spans as OTLP/JSON, one export request a line."""
        records = self.records()
        for start in range(0, len(records), _SPANS_A_LINE):
            yield to_line(records[start : start + _SPANS_A_LINE])


class EpisodeProcessor(SpanProcessor):
    """Stamps each span with its episode and version, and hands it to the episode's recorder.

    It holds recorders weakly and by open span only: an episode that is over leaves nothing here.
    """

    def __init__(self) -> None:
        self.failures = 0
        """How often capture itself failed; the user's code never sees that."""
        self._owners: WeakValueDictionary[tuple[int, int], SpanRecorder] = WeakValueDictionary()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp the span, if it starts inside an episode."""
        trace = current_trace()
        if trace is None or not trace.kept:
            return
        recorder = trace.recorder(SpanRecorder, SpanRecorder)
        try:
            context = span.get_span_context()
            span.set_attribute(EPISODE, trace.episode)
            span.set_attribute(VERSION, trace.version)
            recorder.started(span, context.span_id)
            self._owners[context.trace_id, context.span_id] = recorder
        except Exception as error:  # noqa: BLE001 - an error here would surface in the user's call
            self.failures += 1
            recorder.problems.append(f"span {span.name!r} was not captured: {error!r}")

    def on_end(self, span: ReadableSpan) -> None:
        """Hand the span to the recorder of the episode in which it started."""
        context = span.get_span_context()
        if context is None:
            return
        recorder = self._owners.pop((context.trace_id, context.span_id), None)
        if recorder is None:
            return
        try:
            recorder.ended(span, context.span_id)
        except Exception as error:  # noqa: BLE001 - an error here would surface in the user's call
            self.failures += 1
            recorder.problems.append(f"the end of span {span.name!r} was lost: {error!r}")

    def shutdown(self) -> None:
        """Let go of the spans that have not ended."""
        self._owners.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return True: nothing is buffered."""
        return True


def ensure_provider() -> TracerProvider:
    """Return the process's SDK tracer provider with one `EpisodeProcessor` in it.

    Where the application has set none, a new one is set, whose limits do not cut long prompts.
    """
    provider = otel.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=100_000))
        otel.set_tracer_provider(provider)
    if provider not in _equipped:
        _equipped.add(provider)
        provider.add_span_processor(EpisodeProcessor())
    return provider
