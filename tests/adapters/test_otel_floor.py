"""The oldest and the newest OpenTelemetry, each installed by pip into an environment of its own.

It takes about half a minute and needs a package index; `SKIP_FLOOR=1` leaves it out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOOR = "1.34.1"

# capture, file, import, export and a receiver, with public interfaces alone
PROGRAM = """
import json, sys, warnings
from importlib.metadata import version
from pathlib import Path

warnings.simplefilter("error")
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import trace_agents as ta
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.otel import SpanRecorder, ensure_provider
from trace_agents_adapters.otel.exporting.export import export_graphs
from trace_agents_adapters.otel.receiving.receiver import receiver

said = [{"role": "user", "parts": [{"type": "text", "content": "Why?"}]}]
about = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(said)}
trace = Trace("e1", 4)
with receiver() as running:
    exporter = OTLPSpanExporter(running.endpoint + "/v1/traces")
    ensure_provider().add_span_processor(SimpleSpanProcessor(exporter))
    with recording(trace):
        with otel.get_tracer("t").start_as_current_span("chat m", attributes=about) as span:
            span.add_event("half")
    recorder = trace.recorder(SpanRecorder, SpanRecorder)
    graph = recorder.graph(trace)
    assert running.graphs() == [graph], running.graphs()
    running.take()
    export_graphs([graph], exporter, feedback={"e1": ta.Feedback(1.0, "good")})
    assert running.graphs() == [graph], running.graphs()
file = Path(sys.argv[1]) / "spans.jsonl"
file.write_text("".join(line + chr(10) for line in recorder.lines()))
assert ta.load_traces(file) == [graph]
assert (graph.episode, graph.version, len(graph.problems)) == ("e1", 4, 0)
print(version("opentelemetry-sdk"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, as it would be installed."""
    folder = tmp_path_factory.mktemp("wheel")
    built = pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    assert built.returncode == 0, built.stderr[-1500:]
    return next(folder.glob("*.whl"))


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.skipif("SKIP_FLOOR" in os.environ, reason="SKIP_FLOOR is set")
@pytest.mark.parametrize("pinned", [f"=={FLOOR}", ""], ids=["floor", "newest"])
def test_an_old_and_a_new_opentelemetry_do_the_same(
    wheel: Path, tmp_path: Path, pinned: str
) -> None:
    """Capture, files, export and the receiver work with both, and warn of nothing."""
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    family = ["opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"]
    # the rest as it is tested elsewhere; OpenTelemetry chooses what it needs itself
    tested = (ROOT / "constraints.txt").read_text()
    others = re.findall(r"^(?:anyio|SQLAlchemy|rich|typer|starlette|uvicorn)==.*", tested, re.M)
    (tmp_path / "others.txt").write_text("\n".join(others))
    wanted = [f"{wheel}[collect,otel]", *(f"{name}{pinned}" for name in family)]
    done = pip("--python", str(python), "install", "-c", str(tmp_path / "others.txt"), *wanted)
    if done.returncode:  # says nothing of the library
        pytest.skip(f"the package index does not give these versions: {done.stderr[-500:]}")
    command = [str(python), "-I", "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == FLOOR or not pinned
