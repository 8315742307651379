"""A real HTTP server on the loopback that speaks OpenAI's protocol and bills what it answers."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from trace_agents.llm import Message

HELLO: list[Message] = [{"role": "user", "content": "hello"}]

Request = dict[str, Any]
"""The body of a request."""


@dataclass(frozen=True)
class Answer:
    """What the server sends back."""

    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    billed: int = 0
    """Tokens."""
    fault: Literal["", "held", "reset"] = ""
    """`held`: nothing is sent until the client gives up; `reset`: the connection breaks."""


def answer(
    content: str | None, name: str = "gpt-4o-mini", *, read: int = 9, written: int = 3
) -> Answer:
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": name,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        },
    }
    return Answer(json.dumps(body), billed=read + written)


def failure(status: int, code: str = "c", **headers: str) -> Answer:
    error = {"error": {"message": f"status {status} {code}", "type": "t", "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(json.dumps(error), status, named)


HELD = Answer(fault="held")
RESET = Answer(fault="reset")
BROKEN = Answer('{"choices": [{"index": 0, "mess')


@dataclass
class Server:
    """What a server was asked and has billed."""

    url: str
    requests: list[Request] = field(default_factory=list[Request])
    billed: int = 0
    """Tokens of all answers that were sent whole."""
    asked: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def serving(*answers: Answer) -> Generator[Server]:
    """Serve the answers in order; one more request than answers is a server error."""
    queue = iter(answers)
    with serving_by(lambda _request, _number: next(queue, failure(501))) as server:
        yield server


@contextmanager
def serving_by(respond: Callable[[Request, int], Answer]) -> Generator[Server]:
    """Serve what `respond` makes of each request and its number, from 0."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with server.lock:
                made = respond(request, len(server.requests))
                server.requests.append(request)
                server.billed += made.billed
            server.asked.set()
            if made.fault == "held":
                server.done.wait(30)
            if made.fault:
                self.close_connection = True
                # closing with a linger of 0 sends a reset
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                return
            self.send_response(made.status)
            for name, value in {"content-type": "application/json", **made.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(made.body.encode())))
            self.end_headers()
            self.wfile.write(made.body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Quiet(("127.0.0.1", 0), Handler) as httpd:
        server = Server(f"http://127.0.0.1:{httpd.server_address[1]}/v1")
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            httpd.shutdown()
            thread.join()
