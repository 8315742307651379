"""Reading trace files: the entry point that `load_traces` uses."""

from __future__ import annotations

from pathlib import Path

from trace_agents.graph import Graph
from trace_agents_adapters.otel.convert import spans_to_graphs
from trace_agents_adapters.otel.otlp_json import read_spans


def read_graphs(path: str | Path) -> list[Graph]:
    """Return one graph for each episode in a trace file.

    Raises:
        TraceFileError: the file cannot be read, or does not hold OTLP/JSON.
    """
    return spans_to_graphs(read_spans(path))
