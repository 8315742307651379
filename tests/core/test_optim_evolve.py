"""GEPA's published loop: ours, and that of the gepa package, on the same toy."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import anyio
import pytest

import trace_agents as ta
from trace_agents.errors import BudgetExhausted, InvalidValue, ModelError
from trace_agents.graph import Text
from trace_agents.llm import Message, Reply
from trace_agents.optimizers import GEPA
from trace_agents.optimizers.gepa import EngineName
from trace_agents.testing import FunctionModel
from trace_agents.training import Budget, GuideFailed
from trace_agents.training.search.arena import Entrant
from trace_agents.training.search.evolving import evolve
from trace_agents.workflow import Workflow

engines = pytest.mark.parametrize("engine", ["own", "gepa"])
TASKS = list("abcdef")


def school() -> Workflow:
    """Return a workflow that solves the tasks which its plan names."""
    plan = ta.node("know: ", "plan", trainable=True, constraint=Text(max_length=40))

    @ta.bundle()
    def solve(plan: str, task: str) -> str:
        """Solve the task."""
        return "solved" if task in plan.partition(":")[2] else "lost"

    async def run(task: str) -> object:
        return solve(plan, task)

    return ta.wrap(run, parameters=[plan])


def guide(task: object, output: object) -> tuple[float, str]:
    return (1.0, "fine") if output == "solved" else (0.0, f"the plan does not know {task}")


def reflect(messages: Sequence[Message]) -> Reply:
    """Add what the runs lacked, in the form that the prompt asks for."""
    text = messages[-1]["content"]
    lacked = sorted(set(re.findall(r"does not know (\w)", text)))
    known = re.search(r"know:[ \w]*", text)
    plan = f"{known[0] if known else 'know:'} {' '.join(lacked)}"
    if "<variable" in text:
        plan = f"<variable><name>plan</name><value>{plan}</value></variable>"
    else:
        plan = f"```\n{plan}\n```"
    return Reply(plan, 10, 5, 0.5)


def gepa(engine: EngineName, workflow: Workflow, answer: object = reflect) -> GEPA:
    model = answer if hasattr(answer, "complete") else FunctionModel(answer)  # type: ignore[arg-type]
    return GEPA(workflow.parameters(), llm=model, engine=engine, seed=3)  # type: ignore[arg-type]


@engines
async def test_the_loop_finds_what_the_feedback_says(engine: EngineName) -> None:
    """Both engines learn the whole toy, from the same prompts' worth of feedback."""
    workflow = school()
    result = await evolve(
        workflow,
        TASKS,
        guide=guide,
        optimizer=gepa(engine, workflow),
        budget=Budget(episodes=100),
    )
    assert (result.start, result.score) == (0.0, 1.0)
    assert all(task in str(result.best.values["plan"]) for task in TASKS)


@engines
@pytest.mark.parametrize("episodes", [6, 7, 11, 12, 20, 33])
async def test_the_budget_is_never_passed(engine: EngineName, episodes: int) -> None:
    """No episode is begun that the budget has no room for, and the result says why it ended."""
    workflow, ran = school(), list[object]()

    def counting(task: object, output: object) -> tuple[float, str]:
        ran.append(task)
        return guide(task, output)

    result = await evolve(
        workflow,
        TASKS,
        guide=counting,
        optimizer=gepa(engine, workflow),
        budget=Budget(episodes=episodes),
    )
    assert len(ran) == result.spent.episodes <= episodes
    assert "episodes" in result.stopped


@engines
async def test_what_the_model_costs_is_counted_and_ends_the_run(engine: EngineName) -> None:
    """A reflection of half a dollar counts; with less than that left none is begun."""
    workflow = school()
    result = await evolve(
        workflow,
        TASKS,
        guide=guide,
        optimizer=gepa(engine, workflow),
        budget=Budget(episodes=1000, usd=2.0, estimate=ta.Spent()),
    )
    assert result.spent.usd == 2.0
    assert result.spent.tokens == 60
    assert "US dollars" in result.stopped


@engines
async def test_a_text_that_does_not_fit_is_never_run(engine: EngineName) -> None:
    """What is too long for its parameter is said, and no episode sees it."""
    workflow = school()

    def shout(messages: Sequence[Message]) -> str:
        long = "know: " + "x" * 50
        tagged = "<variable" in messages[1]["content"] if len(messages) > 1 else False
        block = f"<variable><name>plan</name><value>{long}</value></variable>"
        return block if tagged else f"```\n{long}\n```"

    result = await evolve(
        workflow,
        TASKS,
        guide=guide,
        optimizer=gepa(engine, workflow, shout),
        budget=Budget(episodes=30),
    )
    assert len(result.candidates) == 1
    assert any("at most 40 characters" in problem for problem in result.problems)


@engines
async def test_a_model_that_fails_ends_nothing(engine: EngineName) -> None:
    """The loop goes on to the end of its budget, and the failure is said."""

    def fail(_: Sequence[Message]) -> str:
        raise ModelError("busy")

    workflow = school()
    result = await evolve(
        workflow,
        TASKS,
        guide=guide,
        optimizer=gepa(engine, workflow, fail),
        budget=Budget(episodes=30),
    )
    assert result.problems == ("a reflection is missing: busy",)
    assert result.score == 0.0


class Slow:
    """A model that never answers."""

    name = "slow"

    def __init__(self) -> None:
        self.asked = anyio.Event()

    async def complete(self, messages: Sequence[Message], *, schema: object = None) -> Reply:
        self.asked.set()
        await anyio.sleep_forever()
        raise AssertionError


@engines
@pytest.mark.parametrize("native", [False, True])
async def test_a_cancelled_caller_leaves_nothing_running(engine: EngineName, native: bool) -> None:
    """When the caller is gone, so is the thread, and no episode begins any more."""
    workflow, slow, ran = school(), Slow(), list[object]()

    def counting(task: object, output: object) -> tuple[float, str]:
        ran.append(task)
        return guide(task, output)

    async def go() -> None:
        await evolve(
            workflow,
            TASKS,
            guide=counting,
            optimizer=gepa(engine, workflow, slow),
            budget=Budget(episodes=1000),
        )

    if native:
        task = asyncio.create_task(go())
        await slow.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(go)
            await slow.asked.wait()
            group.cancel_scope.cancel()
    count = len(ran)
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
    assert len(ran) == count
    limiter = anyio.to_thread.current_default_thread_limiter()
    assert limiter.borrowed_tokens == 0


@engines
async def test_the_same_seed_gives_the_same_pool_at_any_concurrency(engine: EngineName) -> None:
    """How many episodes run at once changes nothing of what is found."""
    pools: list[object] = []
    for concurrency in (1, 8):
        workflow = school()
        result = await evolve(
            workflow,
            TASKS,
            guide=guide,
            optimizer=gepa(engine, workflow),
            budget=Budget(episodes=60),
            concurrency=concurrency,
        )
        pools.append(result.candidates)
    assert pools[0] == pools[1]


@engines
async def test_an_episode_under_way_is_stopped_with_the_caller(engine: EngineName) -> None:
    """A workflow that waits for ever does not keep the caller, nor the thread."""
    begun, over = anyio.Event(), list[object]()

    async def wait(task: object) -> None:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            over.append(task)

    plan = ta.node("know: ", "plan", trainable=True)
    workflow = ta.wrap(wait, parameters=[plan])

    async def go() -> None:
        optimizer, budget = gepa(engine, workflow), Budget(episodes=100)
        await evolve(workflow, TASKS, guide=guide, optimizer=optimizer, budget=budget)

    task = asyncio.create_task(go())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(over) == len(TASKS)


def pair() -> Workflow:
    """Return a workflow of two parameters, each good for one task and both for a third."""
    left = ta.node("bad", "left", trainable=True)
    right = ta.node("bad", "right", trainable=True)

    @ta.bundle()
    def join(left: str, right: str, task: str) -> str:
        """Join what both say of the task."""
        return f"{task} {left} {right}"

    async def run(task: str) -> object:
        return join(left, right, task)

    return ta.wrap(run, parameters=[left, right])


def judge_pair(task: object, output: object) -> tuple[float, str]:
    name, left, right = str(output).split()
    scores = {"left": 2 * (left == "good"), "right": 2 * (right == "good"), "both": left == right}
    return float(scores[name]), f"{name} could be better"


def improve(messages: Sequence[Message]) -> str:
    text = messages[-1]["content"]
    name = "left" if '<variable name="left">' in text else "right"
    tagged = f"<variable><name>{name}</name><value>good</value></variable>"
    return tagged if "<variable" in text else "```\ngood\n```"


@engines
async def test_two_lineages_are_merged(engine: EngineName) -> None:
    """Values with two parents appear, made of what each of them learned."""
    merged: list[Entrant] = []
    for seed in range(8):
        workflow = pair()
        model = FunctionModel(improve)
        optimizer = GEPA(workflow.parameters(), llm=model, engine=engine, seed=seed)
        result = await evolve(
            workflow,
            ["left", "right", "both"] * 2,
            guide=judge_pair,
            optimizer=optimizer,
            budget=Budget(episodes=200),
        )
        assert result.best.values == {"left": "good", "right": "good"}
        merged.extend(entrant for entrant in result.candidates if len(entrant.parents) == 2)
    assert merged
    assert all(entrant.values == {"left": "good", "right": "good"} for entrant in merged)


@engines
async def test_a_guide_with_a_mistake_ends_the_run(engine: EngineName) -> None:
    """Episodes that nobody can judge cost nothing, so that nothing else would end it."""

    def broken(task: object, output: object) -> float:
        raise TypeError("no such thing")

    workflow = school()
    with pytest.raises(GuideFailed, match="no such thing"):
        await evolve(
            workflow,
            TASKS,
            guide=broken,
            optimizer=gepa(engine, workflow),
            budget=Budget(episodes=40),
        )


@engines
async def test_too_small_a_budget_is_said(engine: EngineName) -> None:
    """Without room for the first values there is no result."""
    workflow = school()
    with pytest.raises(BudgetExhausted, match="episodes"):
        await evolve(
            workflow,
            TASKS,
            guide=guide,
            optimizer=gepa(engine, workflow),
            budget=Budget(episodes=5),
        )


async def test_the_package_makes_no_single_proposals() -> None:
    """Who steps, or trains, is told what to call instead."""
    workflow = school()
    with pytest.raises(InvalidValue, match=r"evolve\(\)"):
        await gepa("gepa", workflow).propose()


async def test_an_evolution_needs_an_end_and_something_to_judge_by() -> None:
    """A budget that free episodes never use up would never end."""
    workflow = school()
    optimizer = gepa("own", workflow)
    with pytest.raises(InvalidValue, match="limit"):
        await evolve(workflow, TASKS, guide=guide, optimizer=optimizer, budget=Budget(usd=1))
    few = Budget(episodes=9)
    with pytest.raises(InvalidValue, match="to judge by"):
        await evolve(workflow, TASKS, guide=guide, optimizer=optimizer, budget=few, gate_tasks=[])
