"""Many household episodes of real agents at once: isolated, pinned, and robust."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from autogen_core.models import CreateResult, LLMMessage, RequestUsage

import trace_agents as ta
from trace_agents.graph import Graph, Kind
from trace_agents.store import Version
from trace_agents.training import Rollout, evaluate
from trace_agents_multiagent.agents import autogen_factory, langchain_agent
from trace_agents_multiagent.demo import Settings, run_experiment
from trace_agents_multiagent.demo.build import build_team, tasks_of
from trace_agents_multiagent.household import HouseTask, judge
from trace_agents_multiagent.standin.autogen import RuleFollowingClient
from trace_agents_multiagent.standin.langchain import RuleFollowingChatModel
from trace_agents_multiagent.standin.policy import decide
from trace_agents_multiagent.team import HouseholdTeam

TASK = HouseTask("put_dishwasher", "dev", 1)


class Hesitating(RuleFollowingClient):
    """The stand-in, which lets others run a random number of times before it answers."""

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        for _ in range(random.Random(str(messages)).randrange(12)):
            await anyio.lowlevel.checkpoint()
        return await super().create(messages, **options)


class Broken(RuleFollowingClient):
    """A client whose model is down."""

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        raise ConnectionError("the model is down")


class Garbage(RuleFollowingClient):
    """A client whose model answers with prose, and calls no tool."""

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        return CreateResult(
            finish_reason="stop", content="}{ I cannot", usage=RequestUsage(1, 1), cached=False
        )


def team_with(client: RuleFollowingClient) -> HouseholdTeam:
    """Return the demo's team with another client for the AutoGen agent."""
    alice = ta.wrap(autogen_factory("alice", client), name="alice")
    bob = ta.wrap(langchain_agent("bob", RuleFollowingChatModel()), name="bob")
    return HouseholdTeam({"alice": alice, "bob": bob}).only("*.system_message")


def texts(graph: Graph) -> set[object]:
    """Return the values of the planning prompts that an episode's calls were bound to."""
    return {n.value for n in graph.of_kind(Kind.PARAMETER) if n.name.endswith("system_message")}


async def test_64_episodes_of_two_versions_do_not_mix() -> None:
    """No graph holds a node of another episode, and each saw its own version only."""
    team = team_with(Hesitating())
    versions = [
        Version(
            number,
            None,
            team.parameters().check(
                {f"{name}.system_message": f"Plan {number} of {name}." for name in team.members}
            ),
        )
        for number in (1, 2)
    ]
    tasks = tasks_of("dev", 32, 0)
    found: dict[int, tuple[Rollout, ...]] = {}

    async def run(version: Version) -> None:
        found[version.id] = await evaluate(
            team, tasks, version, guide=judge, concurrency=32, keep_graphs=True
        )

    async with anyio.create_task_group() as group:
        for version in versions:
            group.start_soon(run, version)

    owners: dict[str, str] = {}
    for number, rollouts in found.items():
        for rollout in rollouts:
            assert rollout.status == "done", rollout.error
            assert rollout.graph is not None
            assert rollout.graph.version == number
            assert texts(rollout.graph) == {f"Plan {number} of {n}." for n in team.members}
            episode = f"{number}/{rollout.episode}"
            for span in (span for node in rollout.graph.nodes for span in node.spans):
                assert owners.setdefault(span, episode) == episode
    assert len(set(owners.values())) == 64


async def test_the_file_of_a_run_holds_the_same_graphs(tmp_path: Path) -> None:
    """What was captured live is what is read back from the OTLP/JSON that the run wrote."""
    team = team_with(RuleFollowingClient())
    file = tmp_path / "spans.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        rollouts = await evaluate(
            team,
            tasks_of("dev", 4, 0),
            team.parameters().defaults(),
            guide=judge,
            keep_graphs=True,
            on_trace=lambda trace: lines.writelines(
                f"{line}\n" for recorder in trace.recorders for line in recorder.lines()
            ),
        )
    read = {graph.episode: graph for graph in ta.load_traces(file)}
    assert read == {rollout.episode: rollout.graph for rollout in rollouts}


async def test_delays_do_not_change_what_happens() -> None:
    """The lock-step house gives the same result whatever the order of the answers."""
    values = team_with(RuleFollowingClient()).parameters().defaults()
    outputs = [
        (await evaluate(team_with(client), [TASK], values, guide=judge))[0].output
        for client in (RuleFollowingClient(), Hesitating())
    ]
    assert outputs[0] == outputs[1]


async def test_a_model_that_is_down_fails_the_episode_and_nothing_else() -> None:
    """The failed episode is counted with its reason; one beside it is unharmed."""
    values = team_with(RuleFollowingClient()).parameters().defaults()
    (failed,) = await evaluate(team_with(Broken()), [TASK], values, guide=judge)
    (fine,) = await evaluate(team_with(RuleFollowingClient()), [TASK], values, guide=judge)
    assert failed.status == "failed"
    assert "the model is down" in (failed.error or "")
    assert fine.status == "done"


async def test_an_agent_that_calls_no_tool_loses_its_steps() -> None:
    """Garbage from a model costs steps, and the partner goes on."""
    team = team_with(Garbage())
    (rollout,) = await evaluate(team, [TASK], team.parameters().defaults(), guide=judge)
    assert rollout.status == "done"
    assert "alice: waited" in (rollout.feedback.text if rollout.feedback else "")


async def test_a_task_of_another_sort_fails_with_a_sentence() -> None:
    """The episode says what a task must be."""
    team = team_with(RuleFollowingClient())
    (rollout,) = await evaluate(team, ["tidy up"], team.parameters().defaults(), guide=judge)
    assert "is no household task" in (rollout.error or "")


async def test_a_cancelled_episode_leaves_no_task() -> None:
    """After a cancellation in the middle, only the test's own task is left."""
    import asyncio

    team = team_with(Hesitating())
    tasks = tasks_of("dev", 8, 0)
    with anyio.move_on_after(0.2):
        await evaluate(team, tasks, team.parameters().defaults(), guide=judge)
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
    assert asyncio.all_tasks() == {asyncio.current_task()}


class OpenAIStandIn(BaseHTTPRequestHandler):
    """The rule-following stand-in behind the OpenAI chat protocol, on loopback."""

    def do_POST(self) -> None:
        """Answer one chat completion."""
        size = int(self.headers["Content-Length"])
        messages = cast("dict[str, Any]", json.loads(self.rfile.read(size)))["messages"]
        said = {m["role"]: m["content"] for m in messages}
        decision = decide(said.get("system", ""), said.get("user", ""))
        call = {
            "id": f"call_{random.Random(str(messages)).getrandbits(48):x}",
            "type": "function",
            "function": {"name": decision.tool, "arguments": json.dumps(decision.arguments)},
        }
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        answer = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "stand-in",
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def openai_server() -> Iterator[str]:
    """Serve the stand-in on loopback and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), OpenAIStandIn)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
async def test_a_named_model_takes_the_stand_ins_place(tmp_path: Path, openai_server: str) -> None:
    """Over real HTTP, by litellm, for both frameworks: the same episode as in this process."""
    named = Settings(run_dir=tmp_path, model="house-model", base_url=openai_server)
    away, here = build_team(named), build_team(Settings(run_dir=tmp_path))
    values = here.parameters().defaults()
    (remote,) = await evaluate(away, [TASK], values, guide=judge)
    (local,) = await evaluate(here, [TASK], values, guide=judge)
    assert remote.status == "done", remote.error
    assert remote.output == local.output
    assert remote.tokens > 0


async def test_a_stop_before_the_test_keeps_the_training(tmp_path: Path) -> None:
    """A run that is stopped at once still returns its best version."""
    stop = anyio.Event()
    stop.set()
    settings = Settings(run_dir=tmp_path, controls=False, batch_size=2, gate_tasks=2)
    outcome = await run_experiment(settings, lambda _arm, _event: None, stop)
    assert outcome.stopped
    assert outcome.trained.best.id == 0
