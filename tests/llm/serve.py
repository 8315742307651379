"""A real small model behind OpenAI's protocol on the loopback: `python -m tests.llm.serve FILE`.

It needs the package xllamacpp and nothing else of ours or of others. Prints its address, and ends
with its standard input.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.llm.toolcalls import Json, offer_of, plain

CONTEXT = 4096
"""Tokens that the model can keep in view."""
LONGEST = 400
"""Tokens of one answer, where the request does not say."""

_UNKNOWN_TO_MODEL = ("tools", "tool_choice", "parallel_tool_calls", "stream", "stream_options")


class LocalModel:
    """One model in this process, with one thread: it answers one request after the other."""

    def __init__(self, file: str) -> None:
        runtime: Any = importlib.import_module("xllamacpp")
        settings = runtime.CommonParams()
        settings.model.path = file
        settings.offline, settings.ui = True, False
        settings.n_ctx, settings.n_parallel, settings.n_predict = CONTEXT, 1, LONGEST
        settings.cache_ram_mib, settings.verbosity = 0, 0
        for processor in (settings.cpuparams, settings.cpuparams_batch):
            processor.n_threads, processor.poll = 1, 0  # no spinning: the machine is shared
        self._server = runtime.Server(settings)

    def answer(self, request: Json) -> Json:
        """Return the whole answer to a request."""
        offer = offer_of(request)
        asked = {key: item for key, item in request.items() if key not in _UNKNOWN_TO_MODEL}
        messages = list(request["messages"])
        if offer is not None:
            messages = _instructed(messages, offer.words())
            form = {"name": "written", "schema": offer.schema()}
            asked["response_format"] = {"type": "json_schema", "json_schema": form}
        asked["messages"] = plain(messages)
        answer: Json = self._server.handle_chat_completions(asked)
        answer["model"] = request.get("model", "local")
        for choice in answer.get("choices", ()) if offer is not None else ():
            assert offer is not None
            choice["message"] = offer.message(choice["message"]["content"])
            if choice["message"].get("tool_calls"):
                choice["finish_reason"] = "tool_calls"
        return answer


def _instructed(messages: list[Json], words: str) -> list[Json]:
    """Return the messages with the tools told in the system prompt."""
    if messages and messages[0]["role"] in ("system", "developer"):
        first = {**messages[0], "content": f"{messages[0]['content']}\n\n{words}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": words}, *messages]


def as_stream(answer: Json) -> bytes:
    """Return an answer as a stream of one chunk."""
    choices: list[Json] = []
    for choice in answer["choices"]:
        delta = dict(choice["message"])
        for index, call in enumerate(delta.get("tool_calls") or ()):
            call["index"] = index
        rest = {key: item for key, item in choice.items() if key != "message"}
        choices.append({**rest, "delta": delta})
    chunk = {**answer, "object": "chat.completion.chunk", "choices": choices}
    return b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"


def handler(model: LocalModel) -> type[BaseHTTPRequestHandler]:
    """Return what answers HTTP requests with a model."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(200, json.dumps({"object": "list", "data": []}).encode())

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if not self.path.endswith("/chat/completions"):
                return self._fail(404, f"nothing is at {self.path}")
            try:
                answer = model.answer(request)
            except (KeyError, TypeError, ValueError, RuntimeError) as error:
                return self._fail(400, repr(error))
            if "choices" not in answer:
                return self._fail(400, json.dumps(answer))
            if request.get("stream"):
                return self._send(200, as_stream(answer), "text/event-stream")
            return self._send(200, json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _fail(self, status: int, why: str) -> None:
            self._send(status, json.dumps({"error": {"message": why}}).encode())

        def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main() -> None:
    """Serve until standard input ends, so that nothing is left when the parent is gone."""
    model = LocalModel(sys.argv[1])
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(model)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}/v1\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
