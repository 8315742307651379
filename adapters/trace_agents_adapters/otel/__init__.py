"""OpenTelemetry in and out: live spans, trace files, and the DAGs that they tell.

The receiver is imported from `trace_agents_adapters.otel.receiver`: it needs the extra `collect`.
"""

from trace_agents_adapters.otel.capture import EpisodeProcessor, SpanRecorder, ensure_provider
from trace_agents_adapters.otel.convert import build_graph, spans_to_graphs
from trace_agents_adapters.otel.evaluations import read_feedback
from trace_agents_adapters.otel.export import export_graphs, graph_to_records
from trace_agents_adapters.otel.files import read_logs, read_spans, read_telemetry
from trace_agents_adapters.otel.otlp_json import to_line
from trace_agents_adapters.otel.reader import read_graphs
from trace_agents_adapters.otel.records import SpanRecord, from_sdk
from trace_agents_adapters.otel.streaming import GraphStream
from trace_agents_adapters.otel.telemetry import LogRecord, Telemetry

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
