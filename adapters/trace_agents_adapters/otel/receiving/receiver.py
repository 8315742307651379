"""A receiver of OTLP over HTTP: any process with `OTEL_EXPORTER_OTLP_ENDPOINT` can send to it.

Nothing is lost in silence: a request is answered with 200 when its spans are kept, and with 503
and `Retry-After` where there is no room for them, upon which exporters try again.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import socket
import threading
from pathlib import Path
from types import TracebackType

import anyio
import anyio.to_thread

from trace_agents.errors import ExtraNotInstalled, TraceAgentsError
from trace_agents.graph import Graph
from trace_agents_adapters.otel.dag.convert import spans_to_graphs
from trace_agents_adapters.otel.receiving.answers import accepted, refusal
from trace_agents_adapters.otel.receiving.intake import (
    Counts,
    Intake,
    Limits,
    Refused,
    Signal,
    decoded,
)
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.sources.logs import with_logs
from trace_agents_adapters.otel.sources.telemetry import Telemetry

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.routing import Route
except ModuleNotFoundError as missing:
    raise ExtraNotInstalled(missing.name or "starlette", "collect") from missing

_LOG = logging.getLogger("trace_agents")
_STARTUP = 30.0
# seconds


class ReceiverError(TraceAgentsError, RuntimeError):
    """The receiver cannot listen where it was told to."""


class Receiver:
    """Takes spans and log records; listens between `start` and `stop`, or inside `with`.

    It runs in a thread of its own, so that exporters that block the caller's event loop while
    they send are answered all the same.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        out: str | Path | None = None,
        token: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._token = token
        self._limits = limits or Limits()
        self._intake = Intake(None if out is None else Path(out), self._limits)
        self._busy = 0
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        """The address for `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def counts(self) -> Counts:
        """What became of the requests so far."""
        return self._intake.counts

    def telemetry(self) -> Telemetry:
        """Return all spans and log records so far."""
        return self._intake.telemetry()

    def spans(self) -> list[SpanRecord]:
        """Return the spans so far."""
        return self.telemetry().spans

    def graphs(self) -> list[Graph]:
        """Return one graph for each episode so far."""
        found = self.telemetry()
        return spans_to_graphs(with_logs(found.spans, found.logs))

    def take(self) -> Telemetry:
        """Return what is kept in memory and make room for more."""
        return self._intake.take()

    def start(self) -> Receiver:
        """Listen.

        Raises:
            ReceiverError: the address cannot be listened on.
        """
        warning = exposure(self._host, self._token)
        if warning:
            _LOG.warning(warning)
        try:
            listening = self._bound()
        except ReceiverError:
            self._intake.close()
            raise
        self._port = int(listening.getsockname()[1])
        self._server = _Server(_config(self._app()))
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="trace-agents receiver", daemon=True
        )
        self._thread.start()
        if not self._server.listening.wait(_STARTUP):
            raise ReceiverError(f"the receiver at {self.endpoint} did not start")
        return self

    def stop(self) -> None:
        """Answer what is under way, and close."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._intake.close()

    def __enter__(self) -> Receiver:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Receiver:
        return await anyio.to_thread.run_sync(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.stop)

    def _bound(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            return socket.create_server((self._host, self._port), family=family, backlog=1024)
        except (OSError, OverflowError) as error:
            raise ReceiverError(
                f"cannot listen on {self._host!r}, port {self._port}: {error}; choose another "
                "port, or 0 for any that is free"
            ) from error

    def _app(self) -> Starlette:
        async def traces(request: Request) -> Response:
            return await self._answer("trace", request)

        async def logs(request: Request) -> Response:
            return await self._answer("logs", request)

        return Starlette(
            routes=[
                Route("/v1/traces", traces, methods=["POST"]),
                Route("/v1/logs", logs, methods=["POST"]),
            ]
        )

    async def _answer(self, signal: Signal, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            self._admit(request)
            self._busy += 1
            try:
                found = await self._received(signal, kind, request)
            finally:
                self._busy -= 1
        except Refused as refused:
            self._intake.refuse(refused.status)
            return refusal(kind, refused)
        return accepted(signal, kind, found.problems)

    def _admit(self, request: Request) -> None:
        if self._token is not None:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
                raise Refused(401, "the bearer token is missing or wrong")
        if self._busy >= self._limits.queue:
            raise Refused(503, "too many requests at once; try again")

    async def _received(self, signal: Signal, kind: str, request: Request) -> Telemetry:
        body = await self._body(request)
        encoding = request.headers.get("content-encoding", "").strip().lower()

        def keep() -> Telemetry:
            found = decoded(signal, kind, encoding, body, self._limits)
            self._intake.store(found)
            return found

        return await anyio.to_thread.run_sync(keep)

    async def _body(self, request: Request) -> bytes:
        most = self._limits.body
        told = request.headers.get("content-length", "0")
        if told.isdecimal() and int(told) > most:
            raise Refused(413, f"the body is longer than {most} bytes")
        parts = bytearray()
        try:
            with anyio.fail_after(self._limits.patience):
                async for part in request.stream():
                    parts += part
                    if len(parts) > most:
                        raise Refused(413, f"the body is longer than {most} bytes")
        except TimeoutError:
            raise Refused(408, "the body did not come in time") from None
        except ClientDisconnect:
            raise Refused(400, "the body was cut") from None
        return bytes(parts)


def receiver(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    out: str | Path | None = None,
    token: str | None = None,
    limits: Limits | None = None,
) -> Receiver:
    """Return a receiver, for `with` or `async with`.

    Args:
        host: the address to listen on; this machine alone can reach the default one.
        port: the port; 0 takes one that is free, which `endpoint` then names.
        out: a file of OTLP/JSON lines to append to; without it, memory keeps the records.
        token: what senders must give as `Authorization: Bearer <token>`.
        limits: how much is taken on.
    """
    return Receiver(host=host, port=port, out=out, token=token, limits=limits)


def exposure(host: str, token: str | None) -> str | None:
    """Return a warning where others than this machine can reach `host`, else None."""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if loopback:
        return None
    advice = "" if token else "; set a token, or else anyone there can send spans"
    return f"the receiver listens on {host!r}, which other machines can reach{advice}"


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        server_header=False,
        timeout_graceful_shutdown=5,
    )
