"""One request for one question: on disk, at the same time, and across processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.core.llm_http import HELLO, answer, serving
from trace_agents.errors import InvalidValue, ModelError, StoreError
from trace_agents.llm import (
    Cached,
    LiteLLM,
    Message,
    Model,
    Reply,
    Retrying,
    Schema,
    as_model,
    varied,
)
from trace_agents.testing import FunctionModel, ScriptedModel


class Counting:
    """A model whose answers are numbered; it answers when the gate is open."""

    name = "counting"

    def __init__(self, *, open_now: bool = True, error: ModelError | None = None) -> None:
        self.gate, self.asked, self.error = anyio.Event(), anyio.Event(), error
        self.calls = 0
        if open_now:
            self.gate.set()

    def identity(self) -> Mapping[str, object]:
        return {"name": self.name}

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        self.calls += 1
        number = self.calls
        self.asked.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Reply(f"answer {number}", 9, 3, 0.5)


async def test_the_same_question_is_asked_once(tmp_path: Path) -> None:
    """The second answer is free and says so; another process would find it too."""
    first = await Cached(Counting(), tmp_path / "c.db").complete(HELLO)
    again = Counting()
    second = await Cached(again, tmp_path / "c.db").complete(HELLO)
    assert first == Reply("answer 1", 9, 3, 0.5)
    assert second == Reply("answer 1", cached=True)
    assert again.calls == 0


QUESTIONS: list[tuple[str, dict[str, object]]] = [
    ("openai/one", {}),
    ("openai/two", {}),
    ("openai/one", {"base_url": "http://127.0.0.1:9/v1"}),
    ("openai/one", {"temperature": 0.0}),
    ("openai/one", {"temperature": 1.0}),
    ("openai/one", {"seed": 1}),
    ("openai/one", {"max_tokens": 10}),
    ("openai/one", {"structured": True}),
    ("openai/one", {"top_p": 0.5}),
]
ASKED: list[tuple[list[Message], Schema | None]] = [
    (HELLO, None),
    ([{"role": "system", "content": "hello"}], None),
    ([*HELLO, *HELLO], None),
    (HELLO, {"type": "object"}),
    (HELLO, {"type": "object", "maxProperties": 1}),
]


class Relayed:
    """A stand-in that is as particular as the model whose identity it has."""

    def __init__(self, like: LiteLLM, answers: Model) -> None:
        self.name, self.identity, self._answers = like.name, like.identity, answers

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        return await self._answers.complete(messages)


async def test_everything_that_may_change_an_answer_is_in_the_key(tmp_path: Path) -> None:
    """Model, address, every option, messages and schema: each makes another question."""
    counting = Counting()
    texts: list[str] = []
    for _ in range(2):
        for name, options in QUESTIONS:
            like = LiteLLM(name, api_key="k", **options)  # type: ignore[arg-type]
            cached = Cached(Relayed(like, counting), tmp_path / "c.db")
            texts += [(await cached.complete(m, schema=schema)).text for m, schema in ASKED]
    assert counting.calls == len(set(texts)) == len(QUESTIONS) * len(ASKED)


async def test_the_key_of_an_account_is_no_part_of_the_question(tmp_path: Path) -> None:
    """A new API key, timeout or retry finds the old answers, and no secret is in the file."""
    counting = Counting()
    for key in ("secret-one", "secret-two"):
        like = LiteLLM("openai/one", api_key=key, timeout=float(len(key)))
        cached = Cached(Retrying(Relayed(like, counting)), tmp_path / "c.db")
        await cached.complete([{"role": "user", "content": "a private question"}])
    assert counting.calls == 1
    kept = (tmp_path / "c.db").read_bytes()
    assert b"answer 1" in kept
    assert b"secret" not in kept
    assert b"private" not in kept


async def test_samples_are_questions_of_their_own(tmp_path: Path) -> None:
    """Three samples of one prompt are three answers, and the same three the next time."""
    counting = Counting()
    cached = Cached(counting, tmp_path / "c.db")
    for _ in range(2):
        texts = [(await varied(cached, sample=i).complete(HELLO)).text for i in range(3)]
        assert texts == ["answer 1", "answer 2", "answer 3"]
    assert (await varied(cached, sample=0, temperature=1.0).complete(HELLO)).text == "answer 4"
    assert counting.calls == 4


async def test_the_same_question_at_the_same_time_is_one_request(tmp_path: Path) -> None:
    """One caller pays; the others get its answer for nothing."""
    counting = Counting(open_now=False)
    cached = Cached(counting, tmp_path / "c.db")
    replies: list[Reply] = []

    async def ask() -> None:
        replies.append(await cached.complete(HELLO))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask)
        await counting.asked.wait()
        await anyio.wait_all_tasks_blocked()
        counting.gate.set()
    assert counting.calls == 1
    assert sorted(reply.tokens for reply in replies) == [0] * 9 + [12]
    assert {reply.text for reply in replies} == {"answer 1"}


async def test_a_failure_goes_to_all_that_wait_and_is_not_kept(tmp_path: Path) -> None:
    """Its cost is told once; the next caller asks again."""
    counting = Counting(open_now=False, error=ModelError("no").costing(5, 0.5))
    cached = Cached(counting, tmp_path / "c.db")
    costs: list[int] = []

    async def ask() -> None:
        with pytest.raises(ModelError, match="no") as caught:
            await cached.complete(HELLO)
        costs.append(caught.value.tokens)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
        await counting.asked.wait()
        await anyio.wait_all_tasks_blocked()
        counting.gate.set()
    assert (counting.calls, sorted(costs)) == (1, [0, 0, 5])
    counting.error = None
    assert (await cached.complete(HELLO)).text == "answer 2"


async def test_where_the_first_caller_is_cancelled_the_next_takes_over(tmp_path: Path) -> None:
    """Nobody waits for an answer that nobody asks for any more."""
    counting = Counting(open_now=False)
    cached = Cached(counting, tmp_path / "c.db")
    first, texts = anyio.CancelScope(), list[str]()

    async def leave() -> None:
        with first:
            await cached.complete(HELLO)

    async def stay() -> None:
        texts.append((await cached.complete(HELLO)).text)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(leave)
        await counting.asked.wait()
        tasks.start_soon(stay)
        tasks.start_soon(stay)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        counting.gate.set()
    assert (counting.calls, texts) == (2, ["answer 2", "answer 2"])


async def test_an_answer_that_came_is_kept_though_its_caller_is_cancelled(tmp_path: Path) -> None:
    """It is paid for."""
    with anyio.CancelScope() as scope:

        def answered(_messages: Sequence[Message]) -> str:
            scope.cancel()
            return "paid"

        mine = FunctionModel(answered)
        await Cached(mine, tmp_path / "c.db", identity={"is": "mine"}).complete(HELLO)
    nobody = ScriptedModel([])
    kept = await Cached(nobody, tmp_path / "c.db", identity={"is": "mine"}).complete(HELLO)
    assert kept == Reply("paid", cached=True)


def test_one_cache_serves_one_event_loop_after_another(tmp_path: Path) -> None:
    """As `step_sync` does, under either backend."""
    counting = FunctionModel(lambda _: "hi")
    cached = Cached(counting, tmp_path / "c.db", identity={})
    replies = [anyio.run(cached.complete, HELLO, backend=b) for b in ("asyncio", "trio", "asyncio")]
    assert [reply.cached for reply in replies] == [False, True, True]


def test_a_model_that_does_not_say_what_it_is_needs_an_identity(tmp_path: Path) -> None:
    """Two functions of one name would get each other's answers."""
    with pytest.raises(InvalidValue, match="identity="):
        Cached(FunctionModel(lambda _: "hi"), tmp_path / "c.db")


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    """The sentence names it."""
    (tmp_path / "notes.txt").write_text("not a database, and long enough to tell" * 40)
    with pytest.raises(StoreError, match=r"notes\.txt"):
        Cached(Counting(), tmp_path / "notes.txt")


PROCESS = """
import anyio, sys
from trace_agents.llm import Cached
from trace_agents.testing import FunctionModel

async def main():
    cached = Cached(FunctionModel(lambda m: sys.argv[2]), sys.argv[1], identity={})
    async with anyio.create_task_group() as tasks:
        for number in range(40):
            question = [{"role": "user", "content": str(number)}]
            tasks.start_soon(cached.complete, question)

anyio.run(main)
"""


def test_several_processes_share_a_file(tmp_path: Path) -> None:
    """All write at once; every question ends with one whole answer that all see from then on."""
    path = tmp_path / "c.db"
    command = [sys.executable, "-c", PROCESS, str(path)]
    running = [subprocess.Popen([*command, f"process {n}"]) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    cached = Cached(ScriptedModel([]), path, identity={})
    for number in range(40):
        ask = partial(cached.complete, [{"role": "user", "content": str(number)}])
        assert anyio.run(ask).text in {"process 0", "process 1", "process 2"}


async def test_as_model_caches_a_real_model(tmp_path: Path) -> None:
    """Over HTTP: two questions, three calls, two requests."""
    with serving(answer("one"), answer("two")) as server:
        mine = as_model(
            "openai/toy", base_url=server.url, api_key="none", cache=tmp_path / "c.db", rpm=1000
        )
        other: list[Message] = [{"role": "user", "content": "other"}]
        texts = [(await mine.complete(asked)).text for asked in (HELLO, other, HELLO)]
    assert texts == ["one", "two", "one"]
    assert len(server.requests) == 2
