"""Reading trace files: the entry point that `load_traces` uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from trace_agents.errors import TraceFileError
from trace_agents.graph import Graph
from trace_agents_adapters.otel.dag.convert import spans_to_graphs
from trace_agents_adapters.otel.sources.files import read_logs, read_telemetry
from trace_agents_adapters.otel.sources.logs import with_logs
from trace_agents_adapters.otel.sources.telemetry import LogRecord


def read_graphs(path: str | Path) -> list[Graph]:
    """Return one graph for each episode in a trace file, or in all files of a folder.

    Log records are read from the same file, and from `NAME.logs.jsonl` beside `NAME.jsonl`.
    What could not be read is in the problems of the first graph.

    Raises:
        TraceFileError: nothing in the file can be read, or it is no trace file.
    """
    found = read_telemetry(path)
    graphs = spans_to_graphs(with_logs(found.spans, [*found.logs, *_beside(Path(path))]))
    said = (*found.problems, *found.notes)
    if said and not graphs:
        raise TraceFileError(f"{str(path)!r} tells no episode; {said[0]}")
    if said:  # what is wrong with the file belongs to no episode: the first tells it
        graphs[0] = replace(graphs[0], problems=(*said, *graphs[0].problems))
    return graphs


def _beside(path: Path) -> list[LogRecord]:
    name, ending = path.name.split(".jsonl")[0], path.name.partition(".jsonl")[2]
    if path.is_dir() or ".jsonl" not in path.name or name.endswith(".logs"):
        return []
    logs = path.with_name(f"{name}.logs.jsonl{ending}")
    return read_logs(logs) if logs.is_file() else []
