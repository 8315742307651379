"""What a receiver does with a request: bounded, decoded, scrubbed, and kept before the answer."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from trace_agents_adapters.otel.scrub import scrub, scrub_log
from trace_agents_adapters.otel.sources import otlp_proto
from trace_agents_adapters.otel.sources.bounded import TooLarge, unpacked
from trace_agents_adapters.otel.sources.files import read_telemetry
from trace_agents_adapters.otel.sources.otlp_decode import is_request, read_request
from trace_agents_adapters.otel.sources.otlp_json import logs_to_line, to_line
from trace_agents_adapters.otel.sources.spanfile import SpanFile
from trace_agents_adapters.otel.sources.telemetry import Telemetry

Signal: TypeAlias = Literal["trace", "logs"]

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
PACKED = frozenset({"gzip", "deflate"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a receiver takes on."""

    body: int = 16 << 20
    """Bytes of one request, as they come."""
    unpacked: int = 64 << 20
    """Bytes of one request, unpacked."""
    queue: int = 64
    """Requests that are read and written at the same time."""
    kept: int = 200_000
    """Records that are kept in memory, where there is no file."""
    patience: float = 30.0
    """Seconds that a client may take to send one request."""


class Refused(Exception):
    """A request that is not taken, with the HTTP status that says so."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        self.why = why
        super().__init__(why)


@dataclass(slots=True)
class Counts:
    """What became of the requests so far."""

    requests: int = 0
    spans: int = 0
    logs: int = 0
    refused: dict[int, int] = field(default_factory=dict[int, int])
    """How many requests were refused, by HTTP status."""


def decoded(signal: Signal, kind: str, encoding: str, body: bytes, limits: Limits) -> Telemetry:
    """Return what a request's body tells.

    Raises:
        Refused: too large unpacked, of an unknown sort, or no export request.
    """
    data = _plain(encoding, body, limits)
    into = Telemetry()
    try:
        if kind == JSON:
            document: object = json.loads(data)
            if not is_request(document) and document != {}:
                raise ValueError("it holds neither resourceSpans nor resourceLogs")
            read_request(document, into)
        elif kind == PROTOBUF:
            (otlp_proto.read_traces if signal == "trace" else otlp_proto.read_logs)(data, into)
        else:
            raise Refused(415, f"send {PROTOBUF} or {JSON}, not {kind!r}")
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is no export request: {error}") from None
    if into.problems and into.empty:
        raise Refused(400, f"nothing in the request can be read: {into.problems[0]}")
    return into


def _plain(encoding: str, body: bytes, limits: Limits) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding not in PACKED:
        raise Refused(415, f"the content encoding {encoding!r} is not known; use gzip")
    try:
        return unpacked(body, limits.unpacked)
    except TooLarge as error:
        raise Refused(413, str(error)) from None
    except ValueError as error:
        raise Refused(400, str(error)) from None


def _written(found: Telemetry) -> tuple[Telemetry, list[str]]:
    """Return telemetry without its secrets, and the lines that tell it."""
    try:
        clean = Telemetry([scrub(s) for s in found.spans], [scrub_log(r) for r in found.logs])
        lines = [to_line(clean.spans)] if clean.spans else []
        return clean, [*lines, logs_to_line(clean.logs)] if clean.logs else lines
    except RecursionError:
        raise Refused(400, "a value in the request is nested too deeply") from None


class Intake:
    """Keeps what arrives: in a file where there is one, else in memory up to a limit."""

    def __init__(self, out: Path | None, limits: Limits) -> None:
        self.limits = limits
        self.counts = Counts()
        self._out = SpanFile(out) if out is not None else None
        self._kept = Telemetry()
        self._lock = threading.Lock()

    def store(self, found: Telemetry) -> None:
        """Keep telemetry, without its secrets; when this returns, it is kept.

        Raises:
            Refused: there is no room for it; nothing of it was kept.
        """
        clean, lines = _written(found)
        with self._lock:
            if self._out is not None:
                self._append(self._out, lines)
            elif len(self._kept.spans) + len(self._kept.logs) >= self.limits.kept:
                raise Refused(503, f"the memory's {self.limits.kept} records are not taken yet")
            else:
                self._kept.extend(clean)
            self.counts.requests += 1
            self.counts.spans += len(clean.spans)
            self.counts.logs += len(clean.logs)

    def _append(self, out: SpanFile, lines: list[str]) -> None:
        try:
            out.append(lines)
        except OSError as error:
            raise Refused(503, f"the file cannot be written: {error}") from None

    def refuse(self, status: int) -> None:
        """Count a request that was not taken."""
        with self._lock:
            self.counts.refused[status] = self.counts.refused.get(status, 0) + 1

    def telemetry(self) -> Telemetry:
        """Return all that is kept."""
        with self._lock:
            if self._out is not None:
                return read_telemetry(self._out.path) if self.counts.requests else Telemetry()
            found = Telemetry()
            found.extend(self._kept)
            return found

    def take(self) -> Telemetry:
        """Return what is kept in memory and make room; a file keeps what it holds."""
        with self._lock:
            taken, self._kept = self._kept, Telemetry()
            return taken

    def close(self) -> None:
        """Close the file."""
        if self._out is not None:
            self._out.close()
