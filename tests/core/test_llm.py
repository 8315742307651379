"""litellm behind the seam, against a real server on the loopback that speaks OpenAI's protocol."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType

import anyio
import anyio.to_thread
import pytest

from trace_agents.errors import ExtraNotInstalled, ModelError, UnknownModel
from trace_agents.llm import LiteLLM, Message, Reply, as_model, check_model
from trace_agents.testing import FunctionModel, ScriptedModel

HELLO: list[Message] = [{"role": "user", "content": "hello"}]


def answer(content: str | None, name: str = "gpt-4o-mini") -> tuple[int, str]:
    message = {"role": "assistant", "content": content}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": name,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }
    return 200, json.dumps(body)


def failure(status: int) -> tuple[int, str]:
    return status, json.dumps({"error": {"message": f"status {status}", "type": "t", "code": "c"}})


@dataclass
class Server:
    url: str
    requests: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    asked: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(*answers: tuple[int, str], held: bool = False) -> Generator[Server]:
    """Serve the answers in order; `held` keeps every answer back until the block ends."""
    queue = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            server.requests.append(json.loads(self.rfile.read(length)))
            server.asked.set()
            if held:
                server.done.wait(30)
                return
            status, body = next(queue)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        server = Server(f"http://127.0.0.1:{httpd.server_address[1]}/v1")
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            httpd.shutdown()
            thread.join()


def model(server: Server, *, name: str = "openai/gpt-4o-mini", **options: float) -> LiteLLM:
    settings: dict[str, float] = {"timeout": 20.0, "backoff": 0.0, **options}
    return LiteLLM(
        name,
        base_url=server.url,
        api_key="none",
        temperature=0.5,
        max_tokens=50,
        timeout=settings["timeout"],
        retries=int(settings.get("retries", 2)),
        backoff=settings["backoff"],
    )


async def test_a_reply_brings_text_tokens_and_price() -> None:
    """The server receives the messages and settings; the price is litellm's."""
    with serving(answer("hi")) as server:
        reply = await model(server).complete(HELLO)
    assert (reply.text, reply.tokens) == ("hi", 12)
    assert reply.usd > 0
    assert server.requests[0]["messages"] == HELLO
    assert (server.requests[0]["temperature"], server.requests[0]["max_tokens"]) == (0.5, 50)


async def test_a_model_without_a_known_price_costs_nothing() -> None:
    """An unknown price is 0, not an error."""
    with serving(answer("hi", "of-my-own")) as server:
        reply = await model(server, name="openai/of-my-own").complete(HELLO)
    assert reply == Reply("hi", 9, 3, 0.0)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_tried_again(status: int) -> None:
    """A rate limit or a server error is no end."""
    with serving(failure(status), answer("hi")) as server:
        assert (await model(server).complete(HELLO)).text == "hi"
    assert len(server.requests) == 2


async def test_retries_end() -> None:
    """After the last try the error says which model and why."""
    with (
        serving(*[failure(500)] * 3) as server,
        pytest.raises(ModelError, match=r"openai/gpt-4o-mini.*status 500"),
    ):
        await model(server, retries=2).complete(HELLO)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "said"), [(400, "could not answer"), (401, "api_key"), (404, "does not know")]
)
async def test_what_no_retry_can_mend_is_raised_at_once(status: int, said: str) -> None:
    """A wrong request, key or name costs one call."""
    with serving(failure(status)) as server, pytest.raises(ModelError, match=said):
        await model(server).complete(HELLO)
    assert len(server.requests) == 1


async def test_broken_json_is_a_model_error() -> None:
    """A body that is no JSON is told as what it is."""
    with serving(*[(200, '{"choices": [')] * 3) as server, pytest.raises(ModelError):
        await model(server).complete(HELLO)


async def test_an_answer_without_text_is_a_model_error() -> None:
    """No content is not an empty string."""
    with serving(answer(None)) as server, pytest.raises(ModelError, match="without text"):
        await model(server).complete(HELLO)


async def test_a_slow_answer_is_given_up() -> None:
    """The timeout bounds one try."""
    with serving(held=True) as server, pytest.raises(ModelError, match="in time"):
        await model(server, timeout=0.3, retries=0).complete(HELLO)


async def test_a_cancelled_call_ends_at_once() -> None:
    """Cancellation passes through and is not taken for an error of the model."""
    with serving(held=True) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(model(server).complete, HELLO)
            await anyio.to_thread.run_sync(server.asked.wait, 30)
            tasks.cancel_scope.cancel()
    assert len(server.requests) == 1


async def test_two_models_answer_at_once() -> None:
    """Concurrent calls keep to their own servers."""
    texts: dict[str, str] = {}

    async def ask(server: Server, key: str) -> None:
        texts[key] = (await model(server).complete(HELLO)).text

    with serving(answer("one")) as first, serving(answer("two")) as second:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, first, "a")
            tasks.start_soon(ask, second, "b")
    assert texts == {"a": "one", "b": "two"}


async def test_an_unknown_provider_is_said_before_any_call() -> None:
    """The sentence names the model and what to write."""
    with pytest.raises(UnknownModel, match=r"'nobody/nothing'.*provider/model"):
        check_model("nobody/nothing")
    with pytest.raises(UnknownModel):
        as_model("nobody/nothing")
    with pytest.raises(UnknownModel):
        await LiteLLM("nobody/nothing").complete(HELLO)


def test_without_litellm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package tells the command that installs it."""
    original: Callable[..., ModuleType] = importlib.import_module

    def missing(name: str, package: str | None = None) -> ModuleType:
        if name == "litellm":
            raise ModuleNotFoundError(name)
        return original(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ExtraNotInstalled, match=r"trace-agents\[llm\]"):
        check_model("openai/gpt-4o")


def test_importing_the_seam_does_not_import_litellm() -> None:
    """The package that takes seconds to load is loaded at the first call."""
    code = "import sys, trace_agents.llm; sys.exit('litellm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_model_object_is_taken_as_it_is() -> None:
    """`as_model` leaves a model alone."""
    mine = FunctionModel(lambda messages: messages[-1]["content"].upper())
    assert as_model(mine) is mine
    assert (await mine.complete(HELLO)).text == "HELLO"


async def test_a_scripted_model_gives_its_replies_in_order() -> None:
    """Prompts are kept, and an exhausted script says so."""
    scripted = ScriptedModel(["one", Reply("two", 1, 2)])
    assert [(await scripted.complete(HELLO)).text for _ in range(2)] == ["one", "two"]
    assert scripted.prompts == [tuple(HELLO)] * 2
    with pytest.raises(ModelError, match="prompt 3"):
        await scripted.complete(HELLO)
