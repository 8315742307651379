"""What spans cost here: `own.py PROGRAM SIZE` prints one JSON object; times are CPU seconds."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from benchmarks.spancosts.shapes import EPISODE, SHAPES, agent, real, talked
from trace_agents.attributes import EPISODE as EPISODE_ID
from trace_agents.attributes import VERSION
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.otel import EpisodeProcessor, spans_to_graphs
from trace_agents_adapters.otel.dag.streaming import GraphStream
from trace_agents_adapters.otel.exporting.sdk import to_sdk
from trace_agents_adapters.otel.sources.otlp_proto import read_traces
from trace_agents_adapters.otel.sources.telemetry import Telemetry

ROUNDS = 15
LIVE = 2_000
"""Spans of one round of the live program."""


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one run."""
    began = time.process_time()
    work()
    return time.process_time() - began


def convert(shape: str, size: int) -> dict[str, float]:
    """Measure the conversion of a shape, warm: the least of as many runs as take a moment."""
    spans_to_graphs(SHAPES[shape](100))
    spans = SHAPES[shape](size)
    found: list[float] = []
    while not found or (len(found) < ROUNDS and sum(found) < 1):
        gc.collect()
        found.append(seconds(lambda: spans_to_graphs(spans)))
    characters = sum(len(str(v)) for each in spans for v in each.attributes.values())
    return {"convert": min(found), "spans": len(spans), "characters": characters}


def against_protobuf(size: int) -> dict[str, float]:
    """Measure real episodes beside reading their protobuf: to dicts, and by our own reader."""
    spans = real(size)
    data = encode_spans([to_sdk(each) for each in spans]).SerializeToString()

    def to_dict() -> object:
        found: object = MessageToDict(ExportTraceServiceRequest.FromString(data))
        return found

    programs: dict[str, Callable[[], object]] = {
        "convert": lambda: spans_to_graphs(spans),
        "dicts": to_dict,
        "reader": lambda: read_traces(data, Telemetry()),
    }
    return interleaved(programs, 5) | {"spans": len(spans), "bytes": len(data)}


def interleaved(programs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median CPU time of each program; they run in turns."""
    found: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds + 1):
        for name, program in programs.items():
            gc.collect()
            found[name].append(seconds(program))
    return {name: statistics.median(times[1:]) for name, times in found.items()}


def live(processors: int) -> Callable[[], object]:
    """Return a program that starts and ends spans inside an episode."""
    provider = TracerProvider()
    for _ in range(processors):
        provider.add_span_processor(EpisodeProcessor())
    tracer = provider.get_tracer("live")
    about = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}

    def program() -> None:
        with recording(Trace("e", 1)):
            for _ in range(LIVE):
                with tracer.start_as_current_span("chat m", attributes=about):
                    pass

    return program


def stamps() -> Callable[[], object]:
    """Return a program that stamps as many spans as `live` makes, and does nothing else."""
    spans = [TracerProvider().get_tracer("live").start_span("chat m") for _ in range(LIVE)]
    numbers = iter(range(1, sys.maxsize))

    def program() -> None:
        # new names each time: to replace an attribute costs more than to add one
        first, second = f"{EPISODE_ID}{next(numbers)}", f"{VERSION}{next(numbers)}"
        for span in spans:
            span.set_attribute(first, "e")
            span.set_attribute(second, 1)

    return program


def processor(_: int) -> dict[str, float]:
    """Measure what the processor adds to a span, the collector of garbage off."""
    gc.disable()
    programs = {"with": live(1), "without": live(0), "stamps": stamps()}
    found = interleaved(programs, 4 * ROUNDS)
    return {name: total / LIVE for name, total in found.items()}


def streamed(episodes: int) -> dict[str, float]:
    """Measure the memory of a stream that is fed one episode after another."""
    stream = GraphStream(remember=500)
    at: dict[int, int] = {}
    tracemalloc.start()
    for number in range(1, episodes + 1):
        first = number * EPISODE
        for each in range(first + 1, first + EPISODE):
            stream.ended(talked(each, first))
        stream.ended(agent(first, end=(first + EPISODE) * 10))
        assert sum(1 for _ in stream.ready()) == 1
        if number in (episodes // 10, episodes):
            gc.collect()
            at[number] = tracemalloc.get_traced_memory()[0]
    peak = tracemalloc.get_traced_memory()[1]
    return {"early": at[episodes // 10], "late": at[episodes], "peak": peak, "held": stream.held}


def main(program: str, size: int) -> dict[str, float]:
    """Return what a program measured."""
    if program in SHAPES:
        return convert(program, size)
    return {"protobuf": against_protobuf, "processor": processor, "stream": streamed}[program](size)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
