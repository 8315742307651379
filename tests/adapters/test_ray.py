from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import trace_agents as ta
from tests.adapters.ray_workflows import Unlucky, make_chain, make_dials, make_team
from trace_agents.errors import ExtraNotInstalled, InvalidValue, NotWrappable
from trace_agents.loading import load_traces
from trace_agents.training import Rollout, evaluate
from trace_agents_adapters.ray import RayExecutor

ray: Any = pytest.importorskip("ray", reason="the extra 'ray' is not installed")


pytestmark = [
    # Ray leaves a socket to its own collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """A local cluster, for all tests of the module."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield
    ray.shutdown()


def guide(_task: object, output: object) -> float:
    return float(str(output).rpartition(" ")[2]) if isinstance(output, str) else 0.0


def on_ray(make: Callable[[], ta.Workflow], workers: int = 1) -> RayExecutor:
    return RayExecutor(make, workers=workers, options={"max_restarts": 0})


async def run(
    make: Callable[[], ta.Workflow], tasks: list[str], **values: object
) -> tuple[list[Rollout], list[Rollout]]:
    workflow = make()
    here = await evaluate(workflow, tasks, values, guide=guide, keep_graphs=True)
    there = await evaluate(
        workflow, tasks, values, guide=guide, keep_graphs=True, executor=on_ray(make)
    )
    return [*here], [*there]


@pytest.mark.parametrize("make", [make_dials, make_team, make_chain])
async def test_an_episode_on_the_cluster_is_the_same(make: Callable[[], ta.Workflow]) -> None:
    """Nodes, kinds, values and edges, what was read and spent: plain code, AutoGen, LangChain."""
    here, there = await run(make, ["one", "two"])
    for one, other in zip(here, there, strict=True):
        assert (one.status, one.error, one.read) == (other.status, other.error, other.read)
        assert (one.tokens, one.usd, one.calls) == (other.tokens, other.usd, other.calls)
        assert one.graph is not None
        assert other.graph is not None
        assert shape(one.graph) == shape(other.graph)
        assert len(one.graph.nodes) > 2


async def until(true: Callable[[], bool]) -> None:
    # another process writes the file: no event of this loop tells of it
    while not true():  # noqa: ASYNC110
        await anyio.sleep(0.01)


def shape(graph: ta.Graph) -> tuple[object, ...]:
    """Return a graph without the ids that each run makes up."""
    place = {node.id: number for number, node in enumerate(graph.nodes)}
    nodes = [(node.kind, node.name, node.agent, repr(node.value)) for node in graph.nodes]
    edges = sorted((place[e.source], place[e.target], str(e.reason)) for e in graph.edges)
    return graph.episode, graph.version, nodes, edges


async def test_each_episode_runs_its_own_version() -> None:
    """Two versions at once on the same workers: each output and graph has its own values."""
    executor = on_ray(make_dials, workers=2)
    found: dict[int, list[Rollout]] = {}

    async def one(dial: int) -> None:
        tasks = [f"task {number}" for number in range(20)]
        found[dial] = [
            *await evaluate(
                make_dials(),
                tasks,
                {"dial": dial},
                guide=guide,
                keep_graphs=True,
                executor=executor,
            )
        ]

    async with anyio.create_task_group() as group:
        group.start_soon(one, 5)
        group.start_soon(one, 6)
    for dial, rollouts in found.items():
        assert {rollout.output for rollout in rollouts} == {
            f"task {number}: {dial}" for number in range(20)
        }
        for rollout in rollouts:
            assert rollout.graph is not None
            assert {n.value for n in rollout.graph.nodes if n.name == "dial"} == {dial}


async def test_errors_arrive_as_they_were() -> None:
    """Type and words of an error; one that cannot travel arrives as text; others go on."""
    here, there = await run(make_dials, ["raise this", "fine"])
    assert here[0].error == there[0].error == "the workflow raised Unlucky: this was too hard"
    assert there[1].status == "done"
    assert Unlucky.__name__ in str(there[0].error)
    (stubborn,) = await evaluate(
        make_dials(), ["stubborn"], {}, guide=guide, executor=on_ray(make_dials)
    )
    assert "Stubborn: no (sent as text" in str(stubborn.error)


async def test_a_workflow_that_cancels_itself_is_said_to() -> None:
    """It ends nothing but its own episode."""
    _, there = await run(make_dials, ["cancel", "fine"])
    assert [rollout.status for rollout in there] == ["cancelled", "done"]


async def test_a_worker_that_dies_costs_one_retry(tmp_path: Path) -> None:
    """The episode that killed it and all beside it end well."""
    tasks = [f"die-once {tmp_path}", *(f"task {number}" for number in range(10))]
    rollouts = await evaluate(make_dials(), tasks, {}, guide=guide, executor=on_ray(make_dials))
    assert [rollout.status for rollout in rollouts] == ["done"] * 11


async def test_an_episode_that_kills_every_worker_fails_alone() -> None:
    """Its second worker is its own, so that the episodes beside it lose one try at most."""
    tasks = ["die", *(f"task {number}" for number in range(10))]
    rollouts = await evaluate(make_dials(), tasks, {}, guide=guide, executor=on_ray(make_dials))
    assert [rollout.status for rollout in rollouts] == ["failed", *["done"] * 10]
    assert "two workers died" in str(rollouts[0].error)


async def test_a_deadline_ends_the_remote_episode(tmp_path: Path) -> None:
    """The episode is timed out here and cancelled there."""
    executor = on_ray(make_dials)
    workflow = executor.carry(make_dials())
    with workflow.instrumented():
        await evaluate(workflow, ["warm up"], {}, guide=guide)
        (rollout,) = await evaluate(workflow, [f"wait {tmp_path}"], {}, guide=guide, deadline=1.0)
        assert rollout.status == "timeout"
        await until((tmp_path / "ended").exists)


async def test_cancelling_the_caller_leaves_no_remote_episode(tmp_path: Path) -> None:
    """Each that began over there ends over there."""
    executor = on_ray(make_dials)
    workflow = executor.carry(make_dials())
    began, ended = tmp_path / "began", tmp_path / "ended"
    with workflow.instrumented():
        async with anyio.create_task_group() as group:
            tasks = [f"wait {tmp_path}"] * 5

            async def wait() -> None:
                await evaluate(workflow, tasks, {}, guide=guide)

            group.start_soon(wait)
            await until(began.exists)
            group.cancel_scope.cancel()
        await until(ended.exists)


async def test_a_deterministic_run_decides_as_it_does_locally(tmp_path: Path) -> None:
    """The same versions, and a trace file that reads back as as many episodes."""
    tasks = [f"task {number}" for number in range(12)]
    curves: list[object] = []
    counts: list[int] = []
    for executor in (None, on_ray(make_dials, workers=2)):
        result = await ta.train(
            make_dials(),
            tasks,
            guide=guide,
            proposals=4,
            deterministic=True,
            budget=ta.Budget(episodes=200),
            executor=executor,
            run_dir=tmp_path / ("there" if executor else "here"),
        )
        counts.append(len(result.versions))
        curves.append([(version.values, version.changed) for version in result.versions])
    assert curves[0] == curves[1]
    assert counts[0] > 1
    here, there = (load_traces(tmp_path / name / "graphs.jsonl") for name in ("here", "there"))
    assert sorted(map(str, map(shape, here))) == sorted(map(str, map(shape, there)))


async def test_the_head_goes_on_while_workers_work(tmp_path: Path) -> None:
    """Other tasks of the event loop take turns between the start and the end of an episode."""
    executor = on_ray(make_dials)
    workflow = executor.carry(make_dials())
    turns = 0
    rollouts: tuple[Rollout, ...] = ()
    with workflow.instrumented():
        async with anyio.create_task_group() as group:

            async def tick() -> None:
                nonlocal turns
                while True:
                    await anyio.lowlevel.checkpoint()
                    turns += 1

            group.start_soon(tick)
            rollouts = await evaluate(workflow, ["a", "b"], {}, guide=guide)
            group.cancel_scope.cancel()
    assert all(rollout.status == "done" for rollout in rollouts)
    assert turns > 100


async def test_what_cannot_be_sent_is_refused_with_advice() -> None:
    """Before an episode starts."""
    lock = __import__("threading").Lock()

    async def answer(task: ta.Node) -> object:
        with lock:
            return task

    dial = ta.node(1, "dial", trainable=True)
    with pytest.raises(NotWrappable, match=r"RayExecutor\(recipe=make\)"):
        await evaluate(ta.wrap(answer, parameters=[dial]), ["a"], {}, guide=guide, executor="ray")


async def test_mistakes_are_named() -> None:
    """An executor that there is not, and no workers."""
    with pytest.raises(InvalidValue, match="there is no executor 'dask'; installed: local, ray"):
        await evaluate(make_dials(), ["a"], {}, guide=guide, executor="dask")
    with pytest.raises(InvalidValue, match="at least 1"):
        RayExecutor(workers=0)


def test_a_missing_ray_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the executor is made."""
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ExtraNotInstalled, match=r"trace-agents\[ray\]"):
        RayExecutor()


async def test_the_example_learns(capsys: pytest.CaptureFixture[str]) -> None:
    """`examples/on_ray.py` finds the best values on the cluster that there is."""
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "on_ray.py"))
    await example["main"]()
    assert "best: {'tone': 'warm', 'words': 12}" in capsys.readouterr().out
