"""OpenTelemetry in and out: live spans, trace files, and the DAGs that they tell.

The receiver needs the extra `collect`: `trace_agents_adapters.otel.receiving.receiver` has it.
"""

from trace_agents_adapters.otel.capture import EpisodeProcessor, SpanRecorder, ensure_provider
from trace_agents_adapters.otel.dag.convert import build_graph, spans_to_graphs
from trace_agents_adapters.otel.dag.streaming import GraphStream
from trace_agents_adapters.otel.exporting.evaluations import read_feedback
from trace_agents_adapters.otel.exporting.export import export_graphs, graph_to_records
from trace_agents_adapters.otel.reader import read_graphs
from trace_agents_adapters.otel.records import SpanRecord, from_sdk
from trace_agents_adapters.otel.sources.files import read_logs, read_spans, read_telemetry
from trace_agents_adapters.otel.sources.otlp_json import to_line
from trace_agents_adapters.otel.sources.telemetry import LogRecord, Telemetry

__all__ = [
    "EpisodeProcessor",
    "GraphStream",
    "LogRecord",
    "SpanRecord",
    "SpanRecorder",
    "Telemetry",
    "build_graph",
    "ensure_provider",
    "export_graphs",
    "from_sdk",
    "graph_to_records",
    "read_feedback",
    "read_graphs",
    "read_logs",
    "read_spans",
    "read_telemetry",
    "spans_to_graphs",
    "to_line",
]
