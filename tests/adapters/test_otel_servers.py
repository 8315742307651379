"""Real servers of Phoenix and MLflow, each from its own package in an environment of its own.

Only `make test-backends` runs it: it installs half a gigabyte.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

import trace_agents as ta
from tests.adapters.scripted import ScriptedClient, calls_weather, tool_agent
from trace_agents.graph import Graph
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.autogen import AutoGenWorkflow
from trace_agents_adapters.otel import (
    SpanRecord,
    SpanRecorder,
    ensure_provider,
    graph_to_records,
    read_spans,
)
from trace_agents_adapters.otel.exporting.export import export_graphs

pytestmark = pytest.mark.skipif("TEST_BACKENDS" not in os.environ, reason="run make test-backends")

PATIENCE = 120.0
# seconds until a server answers


@dataclass(frozen=True)
class Backend:
    """A server, and how its HTTP interface is asked for the spans of a trace."""

    address: str
    headers: dict[str, str]
    ask: Callable[[str, str], httpx.Response]


def environment(folder: Path, package: str) -> Path:
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--quiet", package], check=True)
    return folder / "bin"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answered(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"the server at {address} did not start; its status is {process.poll()}")


def phoenix(folder: Path) -> tuple[list[str], dict[str, str], Backend]:
    port, grpc = free_port(), free_port()
    told = {
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc),
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }

    def ask(address: str, trace_id: str) -> httpx.Response:
        url = f"{address}/v1/projects/default/spans"
        return httpx.get(url, params={"limit": 1000, "trace_id": trace_id})

    backend = Backend(f"http://127.0.0.1:{port}", {}, ask)
    return [str(environment(folder / "env", "arize-phoenix") / "phoenix"), "serve"], told, backend


def mlflow(folder: Path) -> tuple[list[str], dict[str, str], Backend]:
    port = free_port()

    def ask(address: str, trace_id: str) -> httpx.Response:
        url = f"{address}/api/3.0/mlflow/traces/get"
        return httpx.get(url, params={"trace_id": f"tr-{trace_id}"})

    backend = Backend(f"http://127.0.0.1:{port}", {"x-mlflow-experiment-id": "0"}, ask)
    store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    command = [str(environment(folder / "env", "mlflow") / "mlflow"), "server", *store, *where]
    return command, {"MLFLOW_DISABLE_TELEMETRY": "true"}, backend


@pytest.fixture(scope="module", params=[phoenix, mlflow], ids=["phoenix", "mlflow"])
def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backend]:
    folder = tmp_path_factory.mktemp("backend")
    command, told, made = request.param(folder)
    with (folder / "log.txt").open("wb") as log:
        environ = {**os.environ, **told}
        process = subprocess.Popen(command, env=environ, cwd=folder, stdout=log, stderr=log)
        try:
            answered(f"{made.address}/health" if "mlflow" in command[0] else made.address, process)
            yield made
        finally:
            process.terminate()
            process.wait(30)


def stored(backend: Backend, trace_id: str, count: int, file: Path) -> list[SpanRecord]:
    """Return a trace's spans from the server, once it has stored them all."""
    deadline = time.monotonic() + PATIENCE
    spans: list[SpanRecord] = []
    while time.monotonic() < deadline and len(spans) < count:
        answer = backend.ask(backend.address, trace_id)
        if answer.status_code == 200 and b"span_id" in answer.content:
            file.write_bytes(answer.content)
            spans = [span for span in read_spans(file) if span.trace_id == trace_id]
        time.sleep(0.2)
    return spans


def exporter(backend: Backend) -> OTLPSpanExporter:
    # a server's first request may take long
    return OTLPSpanExporter(f"{backend.address}/v1/traces", headers=backend.headers, timeout=60)


def tree(spans: list[SpanRecord]) -> set[tuple[str, str | None, str]]:
    return {(span.span_id, span.parent_id, span.name) for span in spans}


async def test_an_agents_run_is_stored_and_read_back_as_the_same_graph(
    backend: Backend, tmp_path: Path
) -> None:
    """Count and tree of its spans are equal there, and its export makes the graph from here."""
    trace = Trace("e1", 3)
    workflow = AutoGenWorkflow(lambda: tool_agent(ScriptedClient(calls_weather())))
    with recording(trace), ensure_provider().get_tracer("t").start_as_current_span("root"):
        await workflow.run("How is Rome?")
    recorder = trace.recorder(SpanRecorder, SpanRecorder)
    assert exporter(backend).export(recorder.ended) is SpanExportResult.SUCCESS
    records = recorder.records()
    (trace_id,) = {record.trace_id for record in records}
    spans = stored(backend, trace_id, len(records), tmp_path / "export.json")
    assert len(spans) == len(records) > 5
    assert tree(spans) == tree(records)
    assert ta.load_traces(tmp_path / "export.json") == [recorder.graph(trace)]


def test_an_exported_graph_comes_back_from_the_server(backend: Backend, tmp_path: Path) -> None:
    """A graph that was sent to the server is read from its answer, equal."""
    x = ta.node(3, "x", trainable=True)
    graph = (x * 2 + 1).graph()
    graph = Graph(graph.nodes, graph.edges, "train-1-v2", 2)
    said = {"train-1-v2": ta.Feedback(0.5, "meh")}
    export_graphs([graph], exporter(backend), feedback=said)
    records = graph_to_records(graph)
    spans = stored(backend, records[0].trace_id, len(records), tmp_path / "export.json")
    assert tree(spans) == tree(records)
    assert graph in ta.load_traces(tmp_path / "export.json")
