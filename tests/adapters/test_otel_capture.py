"""Live capture: every span to its episode, whoever ends it, and never an error in user code."""

from __future__ import annotations

import gc
import random
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, Tracer

from trace_agents.tracing.context import Trace, recording, stop_tracing
from trace_agents_adapters.otel import EpisodeProcessor, SpanRecorder


def provider(*processors: EpisodeProcessor, limits: SpanLimits | None = None) -> TracerProvider:
    made = TracerProvider(span_limits=limits)
    for processor in processors:
        made.add_span_processor(processor)
    return made


def recorder(trace: Trace) -> SpanRecorder:
    return trace.recorder(SpanRecorder, SpanRecorder)


def started(tracer: Tracer, name: str, trace: Trace) -> Span:
    with recording(trace):
        return tracer.start_span(name)


def test_every_exporter_sees_the_stamp_of_the_episode() -> None:
    """Episode and version are on the span before anybody else gets it."""
    user = provider()
    memory = InMemorySpanExporter()
    user.add_span_processor(SimpleSpanProcessor(memory))
    user.add_span_processor(EpisodeProcessor())
    started(user.get_tracer("t"), "inside", Trace("e7", 3)).end()
    user.get_tracer("t").start_span("outside").end()
    inside, outside = memory.get_finished_spans()
    assert inside.attributes == {"trace_agents.episode.id": "e7", "trace_agents.version": 3}
    assert not outside.attributes


def test_spans_of_interleaved_episodes_stay_apart() -> None:
    """Whoever ends a span, in whatever order, thread or episode: it belongs where it started."""
    dice = random.Random(0)
    tracer = provider(EpisodeProcessor()).get_tracer("t")
    traces = [Trace(f"e{number}") for number in range(20)]
    mixed = traces * 50
    dice.shuffle(mixed)

    def start(trace: Trace) -> Span:
        return started(tracer, trace.episode, trace)

    def end(span: Span) -> None:
        with recording(traces[0]):
            span.end()

    with ThreadPoolExecutor(8) as pool:
        spans = list(pool.map(start, mixed))
        dice.shuffle(spans)
        list(pool.map(end, spans))
    for trace in traces:
        assert [r.name for r in recorder(trace).records()] == [trace.episode] * 50
        assert recorder(trace).unfinished == ()


def test_a_span_that_never_ends_is_known() -> None:
    """It is among the records, without an end, and the graph says so."""
    trace = Trace("e")
    span = started(provider(EpisodeProcessor()).get_tracer("t"), "stuck", trace)
    (record,) = recorder(trace).unfinished_records()
    assert (record.name, record.end, recorder(trace).unfinished) == ("stuck", None, ("stuck",))
    assert "never ended" in str(recorder(trace).graph(trace).problems)
    span.end()
    assert recorder(trace).unfinished_records() == []


def test_what_is_over_is_forgotten() -> None:
    """Neither ended nor open spans of a freed episode stay in the processor."""
    tracer = provider(EpisodeProcessor()).get_tracer("t")
    trace = Trace("e")
    span = started(tracer, "stuck", trace)
    started(tracer, "done", trace).end()
    gone = weakref.ref(recorder(trace))
    del trace
    gc.collect()
    assert gone() is None
    span.end()


def test_nothing_is_captured_where_nothing_is_recorded() -> None:
    """Outside episodes, and where recording is stopped or not kept, spans pass through."""
    tracer = provider(EpisodeProcessor()).get_tracer("t")
    trace, unkept = Trace("e"), Trace("u", kept=False)
    with recording(trace), stop_tracing():
        tracer.start_span("stopped").end()
    started(tracer, "unkept", unkept).end()
    assert recorder(trace).records() == recorder(unkept).records() == []


def test_an_episode_may_have_spans_of_two_providers() -> None:
    """Each provider has a processor of its own; the spans meet in the episode."""
    trace = Trace("e")
    first, second = (provider(EpisodeProcessor()).get_tracer("t") for _ in range(2))
    spans = [started(tracer, name, trace) for tracer, name in ((first, "1"), (second, "2")) * 2]
    for span in spans:
        span.end()
    assert sorted(r.name for r in recorder(trace).records()) == ["1", "1", "2", "2"]


class Broken(Trace):
    """A trace that cannot give a recorder."""

    def recorder(self, kind: object, make: object) -> SpanRecorder:  # type: ignore[override]
        raise MemoryError("full")


def test_an_error_in_capture_never_reaches_the_user() -> None:
    """The span is made all the same, and the failure counted."""
    processor = EpisodeProcessor()
    started(provider(processor).get_tracer("t"), "fine", Broken("e")).end()
    assert processor.failures == 1


def test_attributes_that_the_provider_drops_are_a_problem() -> None:
    """The user's own limits may cut a prompt; the graph says which span, and the remedy."""
    trace = Trace("e")
    limits = SpanLimits(max_span_attributes=3)
    span = started(provider(EpisodeProcessor(), limits=limits).get_tracer("t"), "long", trace)
    span.set_attributes({"a": 1, "b": 2})
    span.end()
    (problem,) = recorder(trace).graph(trace).problems
    assert "'long' lost 1 attributes" in problem
    assert "max_span_attributes" in problem


def test_lines_for_the_trace_file_hold_no_secrets() -> None:
    """What is stored is scrubbed; what is in memory is as it was."""
    trace = Trace("e")
    span = started(provider(EpisodeProcessor()).get_tracer("t"), "call", trace)
    span.set_attribute("prompt", "my key is sk-abcdefghijklmnop1234")
    span.end()
    assert "sk-abc" not in "".join(recorder(trace).lines())
    assert "sk-abc" in str(recorder(trace).records())


def test_ending_many_spans_at_once_loses_none() -> None:
    """Threads that start and end spans of one episode at the same time do not disturb it."""
    tracer = provider(EpisodeProcessor()).get_tracer("t")
    trace = Trace("e")
    gate = threading.Barrier(8)

    def work(_: int) -> None:
        gate.wait()
        for number in range(200):
            started(tracer, str(number), trace).end()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(recorder(trace).records()) == 1600


PROVIDERS = """
import logging, sys
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.otel import SpanRecorder, ensure_provider

class Wrapped(TracerProvider if sys.argv[1] == "own" else otel.NoOpTracerProvider):
    pass

mine = Wrapped()
otel.set_tracer_provider(mine)
assert ensure_provider() is ensure_provider() is mine
trace = Trace("e")
with recording(trace):
    otel.get_tracer("t").start_span("s").end()
print(len(trace.recorder(SpanRecorder, SpanRecorder).records()))
"""


def captured_with(kind: str) -> tuple[str, str]:
    command = [sys.executable, "-c", PROVIDERS, kind]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip(), done.stderr


def test_the_applications_own_provider_is_used() -> None:
    """Capture joins the provider that is set, once."""
    assert captured_with("own") == ("1", "")


def test_a_provider_that_takes_no_processors_is_named() -> None:
    """A provider of another make is left alone, and the gap is said aloud."""
    count, said = captured_with("foreign")
    assert count == "0"
    assert "Wrapped takes no span processors" in said
