"""`trace-agents collect`: a receiver on the command line."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from trace_agents_adapters.otel.receiving.intake import Counts, Limits


def collect(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 4318,
    out: Annotated[Path, typer.Option(help="File of OTLP/JSON lines to append to.")] = Path(
        "spans.jsonl"
    ),
    token: Annotated[
        str | None,
        typer.Option(envvar="TRACE_AGENTS_TOKEN", help="Bearer token that senders must give."),
    ] = None,
    max_body: Annotated[int, typer.Option(help="Most bytes of one request.")] = Limits().body,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")] = False,
) -> None:
    """Receive OpenTelemetry spans over HTTP and write them to a file, until it is interrupted."""
    # the extra's packages, which a listing of the commands must not need
    from trace_agents_adapters.otel.receiving.receiver import receiver

    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    limits = Limits(body=max_body, unpacked=max(4 * max_body, Limits().unpacked))
    with receiver(host=host, port=port, out=out, token=token, limits=limits) as running:
        about = {"endpoint": running.endpoint, "file": str(out)}
        sentence = f"OTEL_EXPORTER_OTLP_ENDPOINT={running.endpoint} writes to {out}; Ctrl-C ends it"
        typer.echo(json.dumps(about) if as_json else sentence)
        ended.wait()
    _tell(running.counts, as_json=as_json)


def _tell(counts: Counts, *, as_json: bool) -> None:
    refused = sum(counts.refused.values())
    about = {"requests": counts.requests, "spans": counts.spans, "logs": counts.logs}
    if as_json:
        typer.echo(json.dumps({**about, "refused": counts.refused}))
        return
    typer.echo(
        ", ".join(f"{count} {name}" for name, count in {**about, "refused": refused}.items())
    )
