"""OpenTelemetry in and out: live spans, trace files, and the DAGs that they tell."""

from trace_agents_adapters.otel.capture import EpisodeProcessor, SpanRecorder, ensure_provider
from trace_agents_adapters.otel.convert import build_graph, spans_to_graphs
from trace_agents_adapters.otel.export import graph_to_records
from trace_agents_adapters.otel.otlp_json import read_spans, to_line
from trace_agents_adapters.otel.reader import read_graphs
from trace_agents_adapters.otel.records import SpanRecord, from_sdk

__all__ = [
    "EpisodeProcessor",
    "SpanRecord",
    "SpanRecorder",
    "build_graph",
    "ensure_provider",
    "from_sdk",
    "graph_to_records",
    "read_graphs",
    "read_spans",
    "spans_to_graphs",
    "to_line",
]
