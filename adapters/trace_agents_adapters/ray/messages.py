"""What travels between the head process and its workers, and how a recording does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from trace_agents.graph import Graph
from trace_agents.serialize import dump_graph
from trace_agents.tracing.context import Trace
from trace_agents_adapters.otel.capture import SpanRecorder
from trace_agents_adapters.otel.dag.convert import build_graph
from trace_agents_adapters.otel.exporting.export import exported, graph_to_records
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.sources.otlp_decode import read_request
from trace_agents_adapters.otel.sources.otlp_json import to_line
from trace_agents_adapters.otel.sources.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Call:
    """One episode to run: its task, and the version that it is pinned to."""

    task: object
    episode: str
    version: int
    values: Mapping[str, object]
    kept: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one recorder kept: its spans, or its graph as spans, as an OTLP/JSON request."""

    filename: str
    otlp: tuple[str, ...]
    problems: tuple[str, ...] = ()
    graph: bool = False
    """Whether the spans are an exported graph."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an episode."""

    output: object = None
    error: Exception | None = None
    cancelled: bool = False
    """Whether the workflow cancelled itself."""
    read: tuple[str, ...] = ()
    tokens: int = 0
    usd: float = 0.0
    recorded: tuple[Recorded, ...] = field(default=())
    calls: int = 0


def pack(trace: Trace) -> tuple[Recorded, ...]:
    """Return what a finished episode recorded, ready to travel."""
    return tuple(_packed(trace)) if trace.kept else ()


def _packed(trace: Trace) -> Iterator[Recorded]:
    for recorder in trace.recorders:
        if isinstance(recorder, SpanRecorder):
            problems = tuple(recorder.problems)
            yield Recorded(recorder.filename, tuple(recorder.lines()), problems)
        else:
            line = to_line(graph_to_records(recorder.graph(trace)))
            yield Recorded(recorder.filename, (line,), graph=True)


class RemoteSpans:
    """The spans of an episode that ran elsewhere: a `Recorder` of its trace here."""

    def __init__(self, recorded: Recorded) -> None:
        self.filename = recorded.filename
        self._recorded = recorded

    def graph(self, trace: Trace) -> Graph:
        """Return the spans as a graph with data-flow edges."""
        records, problems = _records(self._recorded)
        return build_graph(records, trace.episode, trace.version, problems=problems)

    def lines(self) -> Iterable[str]:
        """Return the spans as OTLP/JSON, as they came."""
        return self._recorded.otlp


class RemoteGraph:
    """The nodes of an episode that ran elsewhere: a `Recorder` of its trace here."""

    def __init__(self, recorded: Recorded) -> None:
        self.filename = recorded.filename
        self._recorded = recorded

    def graph(self, trace: Trace) -> Graph:
        """Return the graph that the spans were exported from."""
        records, problems = _records(self._recorded)
        graph = exported(records) or Graph(episode=trace.episode, version=trace.version)
        return Graph(
            graph.nodes, graph.edges, graph.episode, graph.version, (*problems, *graph.problems)
        )

    def lines(self) -> Iterable[str]:
        """Return the graph as one line of JSON."""
        records, _ = _records(self._recorded)
        graph = exported(records)
        return () if graph is None else (dump_graph(graph),)


def unpack(trace: Trace, recorded: Iterable[Recorded]) -> None:
    """Give an episode what it recorded elsewhere."""
    for part in recorded:
        if part.graph:
            trace.recorder(RemoteGraph, partial(RemoteGraph, part))
        else:
            trace.recorder(RemoteSpans, partial(RemoteSpans, part))


def _records(recorded: Recorded) -> tuple[list[SpanRecord], tuple[str, ...]]:
    into = Telemetry()
    for line in recorded.otlp:
        read_request(json.loads(line), into)
    return into.spans, (*recorded.problems, *into.problems, *into.notes)
