"""Live capture: a span processor that gives every span to the episode in which it started."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TypeAlias, cast
from weakref import ReferenceType, WeakSet, ref

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider

from trace_agents.graph import Graph
from trace_agents.tracing.context import Trace, current_trace
from trace_agents_adapters.otel.conventions import EPISODE, VERSION
from trace_agents_adapters.otel.dag.convert import build_graph
from trace_agents_adapters.otel.records import SpanRecord, from_sdk
from trace_agents_adapters.otel.scrub import scrub
from trace_agents_adapters.otel.sources.otlp_json import to_line

Key: TypeAlias = tuple[int, int]
"""Trace id and span id."""

_LOG = logging.getLogger("trace_agents")
_SPANS_A_LINE = 64
_MOST_ATTRIBUTES = 100_000
# of one span; the SDK's own limit of 128 drops the oldest, which are a prompt's first messages

_equipped: WeakSet[object] = WeakSet()
# a provider does not tell its processors in public, so that what was added is remembered here
_equipping = threading.Lock()


class SpanRecorder:
    """The spans of one episode; freed with its `Trace`."""

    def __init__(self) -> None:
        self.filename = "spans.jsonl"
        self.problems: list[str] = []
        """What capture could not do, in sentences."""
        self.open: dict[Key, ReadableSpan] = {}
        """The spans that have started and not ended."""
        self.ended: list[ReadableSpan] = []
        self.owner: tuple[object, ReferenceType[SpanRecorder]] | None = None
        """The processor that saw the last span, and its way back to here."""

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The names of the spans that have started and not ended."""
        return tuple(span.name for span in list(self.open.values()))

    def unfinished_records(self) -> list[SpanRecord]:
        """Return the spans that have started and not ended, as they are now."""
        return [from_sdk(span) for span in list(self.open.values())]

    def records(self) -> list[SpanRecord]:
        """Return every span so far, those that did not end last."""
        return [*(from_sdk(span) for span in list(self.ended)), *self.unfinished_records()]

    def graph(self, trace: Trace) -> Graph:
        """Return the spans as a graph with data-flow edges."""
        problems = (*self.problems, *self._cut())
        return build_graph(self.records(), trace.episode, trace.version, problems=problems)

    def lines(self) -> Iterable[str]:
        """Return the spans as OTLP/JSON, one export request a line, without their secrets."""
        records = [scrub(record) for record in self.records()]
        for start in range(0, len(records), _SPANS_A_LINE):
            yield to_line(records[start : start + _SPANS_A_LINE])

    def _cut(self) -> Iterable[str]:
        for span in list(self.ended):
            if span.dropped_attributes:
                yield (
                    f"span {span.name!r} lost {span.dropped_attributes} attributes to its "
                    "provider's limit; give the provider "
                    f"SpanLimits(max_span_attributes={_MOST_ATTRIBUTES})"
                )


class EpisodeProcessor(SpanProcessor):
    """Stamps each span with its episode and version, and hands it to the episode's recorder.

    It holds recorders weakly and by open span only: an episode that is over leaves nothing here.
    An error in here would surface in the user's call, so that every one is caught and counted.
    """

    def __init__(self) -> None:
        self.failures = 0
        """How often capture itself failed; the user's code never sees that."""
        self._owners: dict[Key, ReferenceType[SpanRecorder]] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp the span, if it starts inside an episode."""
        trace = current_trace()
        if trace is None or not trace.kept:
            return
        recorder: SpanRecorder | None = None
        try:
            recorder = trace.recorder(SpanRecorder, SpanRecorder)
            context = span.get_span_context()
            key = (context.trace_id, context.span_id)
            # two calls cost less than one with both
            span.set_attribute(EPISODE, trace.episode)
            span.set_attribute(VERSION, trace.version)
            recorder.open[key] = span
            owner = recorder.owner
            if owner is None or owner[0] is not self:
                owner = recorder.owner = (self, ref(recorder, self._forgetting(recorder)))
            self._owners[key] = owner[1]
        except Exception as error:  # noqa: BLE001 - see the class
            self._failed(recorder, f"span {span.name!r} was not captured: {error!r}")

    def on_end(self, span: ReadableSpan) -> None:
        """Hand the span to the recorder of the episode in which it started."""
        recorder: SpanRecorder | None = None
        try:
            context = span.get_span_context()
            if context is None:
                return
            key = (context.trace_id, context.span_id)
            found = self._owners.pop(key, None)
            recorder = None if found is None else found()
            if recorder is not None:
                recorder.open.pop(key, None)
                recorder.ended.append(span)
        except Exception as error:  # noqa: BLE001 - see the class
            self._failed(recorder, f"the end of span {span.name!r} was lost: {error!r}")

    def shutdown(self) -> None:
        """Let go of the spans that have not ended."""
        self._owners.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return True: nothing is buffered."""
        return True

    def _forgetting(self, recorder: SpanRecorder) -> Callable[[object], None]:
        """Return what forgets a recorder's open spans, once it is freed."""
        owners, keys = self._owners, recorder.open

        def forget(_: object) -> None:
            for key in list(keys):
                owners.pop(key, None)

        return forget

    def _failed(self, recorder: SpanRecorder | None, problem: str) -> None:
        self.failures += 1
        if recorder is not None:
            recorder.problems.append(problem)


def ensure_provider() -> TracerProvider:
    """Return the process's SDK tracer provider with one `EpisodeProcessor` in it.

    Where the application has set none, a new one is set, whose limits do not cut long prompts.
    """
    with _equipping:
        provider: object = otel.get_tracer_provider()
        if isinstance(provider, otel.ProxyTracerProvider):
            limits = SpanLimits(max_span_attributes=_MOST_ATTRIBUTES)
            otel.set_tracer_provider(TracerProvider(span_limits=limits))
            provider = otel.get_tracer_provider()
        if provider not in _equipped:
            _equip(provider)
        return cast("TracerProvider", provider)


def _equip(provider: object) -> None:
    # not isinstance: other distributions wrap the SDK's provider in a class of their own
    add: object = getattr(provider, "add_span_processor", None)
    _equipped.add(provider)
    if callable(add):
        add(EpisodeProcessor())
        return
    _LOG.warning(
        "the tracer provider %s takes no span processors: spans of frameworks are not captured; "
        "set a provider of the OpenTelemetry SDK",
        type(provider).__name__,
    )
