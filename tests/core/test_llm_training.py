"""A whole training over HTTP, with a server that fails in all the ways that servers fail."""

from __future__ import annotations

from collections import Counter
from itertools import cycle

import anyio
import pytest

import trace_agents as ta
from tests.core.llm_http import (
    BROKEN,
    HELD,
    HELLO,
    RESET,
    Answer,
    Request,
    Server,
    answer,
    failure,
    serving_by,
)
from trace_agents.errors import TraceAgentsError
from trace_agents.guides import contains
from trace_agents.llm import Backoff, Limited, LiteLLM, Model, Retrying
from trace_agents.operators import call_llm
from trace_agents.optimizers import OptoPrime
from trace_agents.tracing.context import Trace, recording
from trace_agents.training import Budget, train

BETTER = (
    "<reasoning>The answer was cold.</reasoning>"
    "<variable><name>prompt</name><value>Be warm.</value></variable>"
)

FAULTS = {
    "limit with a time": failure(429, retry_after="0"),
    "limit without a time": failure(429),
    "server error": failure(500),
    "overloaded": failure(503, retry_after_ms="1"),
    "broken JSON": BROKEN,
    "reset": RESET,
    "slow": HELD,
}


class Unreliable:
    """Answers agents and the optimizer; in between it fails, each time in the next way."""

    def __init__(self, *faults: Answer, every: int) -> None:
        self._faults = cycle(faults)
        self._every = every
        self.failed: Counter[str] = Counter()
        self._names = {id(fault): name for name, fault in FAULTS.items()}

    def __call__(self, request: Request, number: int) -> Answer:
        if number % self._every == 1:
            fault = next(self._faults)
            self.failed[self._names[id(fault)]] += 1
            return fault
        system = request["messages"][0]["content"]
        # no two calls cost the same, so that a lost one shows
        said = "a warm answer" if "warm" in system else "an answer"
        if request["model"] == "optimizer":
            said = BETTER
        return answer(said, read=10 + number, written=1 + number % 7)


def asking(server: Server, name: str, *, retries: int = 4, timeout: float = 0.4) -> Model:
    inside = LiteLLM(f"openai/{name}", base_url=server.url, api_key="none", timeout=timeout)
    return Retrying(Limited(inside, max_concurrency=4), Backoff(retries, first=0.0))


def agent(model: Model) -> ta.Workflow:
    prompt = ta.node("Be cold.", "prompt", trainable=True)

    async def run(task: ta.Node) -> object:
        return await call_llm(model, prompt, task)

    return ta.wrap(run, parameters=[prompt])


async def learn(server: Server, budget: Budget, *, concurrency: int = 4) -> ta.TrainResult:
    workflow = agent(asking(server, "agent"))
    return await train(
        workflow,
        [f"task {number}" for number in range(12)],
        guide=contains("warm"),
        optimizer=OptoPrime(workflow.parameters(), llm=asking(server, "optimizer")),
        budget=budget,
        concurrency=concurrency,
        batch_size=4,
        proposals=3,
    )


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Load litellm once, before the short timeouts of these tests begin."""
    with serving_by(lambda _request, _number: answer("hi")) as server:
        anyio.run(asking(server, "first", timeout=60).complete, HELLO)


async def test_nothing_is_lost_and_the_budget_is_right_to_the_token() -> None:
    """Every fault comes several times; every episode is judged, and the ledger is the bill."""
    unreliable = Unreliable(*FAULTS.values(), every=3)
    with serving_by(unreliable) as server:
        result = await learn(server, Budget(tokens=1_000_000))
    assert result.spent.calls == len(server.requests)
    assert set(unreliable.failed) == set(FAULTS)
    assert result.best.values == {"prompt": "Be warm."}
    assert result.spent.tokens == server.billed > 0
    assert not [record for record in server.requests if record.get("stream")]
    assert (result.stopped, result.failed) == ("complete", 0)


async def test_a_budget_of_tokens_ends_the_run_with_the_true_bill() -> None:
    """One call at a time passes the limit by no more than the last call."""
    unreliable = Unreliable(FAULTS["server error"], FAULTS["broken JSON"], every=4)
    with serving_by(unreliable) as server:
        result = await learn(server, Budget(tokens=300), concurrency=1)
    assert result.spent.tokens == server.billed
    assert 0 < result.spent.tokens <= 300 + 60


async def test_an_optimizer_without_an_answer_is_billed() -> None:
    """Its steps change nothing, and what they cost is in the ledger all the same."""

    def respond(request: Request, number: int) -> Answer:
        text = None if request["model"] == "optimizer" else "an answer"
        return answer(text, read=10 + number)

    with serving_by(respond) as server:
        result = await learn(server, Budget(tokens=1_000_000))
    thought = [request for request in server.requests if request["model"] == "optimizer"]
    assert len(thought) == 3
    assert result.best.values == {"prompt": "Be cold."}
    assert result.spent.tokens == server.billed > 0


async def test_an_answer_without_text_is_billed_to_its_episode() -> None:
    """The episode fails, and what the provider charged is spent all the same."""
    trace = Trace("e")
    with (
        serving_by(lambda _request, _number: answer(None)) as server,
        recording(trace),
        pytest.raises(TraceAgentsError, match="without text"),
    ):
        await agent(asking(server, "agent")).run("task")
    assert trace.tokens == server.billed == 12


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_alone_is_survived(name: str) -> None:
    """Whatever goes wrong in the second call, the episode does not see it."""
    with serving_by(Unreliable(FAULTS[name], every=2)) as server:
        workflow = agent(asking(server, "agent"))
        assert [str(await workflow.run(task)) for task in ("one", "two")] == ["an answer"] * 2
    assert len(server.requests) == 3
