"""What is trained in the soak: an agent of two parameters, whose work others may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio.lowlevel

import trace_agents as ta
from benchmarks.soaking.plan import Plan
from benchmarks.soaking.work import answer, number
from trace_agents.training import Retry, TrainingEvent, TrainResult, resume, train
from trace_agents.training.episodes.executors import Executor
from trace_agents.training.episodes.retrying import FAULTS
from trace_agents.workflow import Workflow

Work = Callable[[str, int, str], Awaitable[str]]
OnEvent = Callable[[TrainingEvent], None]

TRAIN = [f"order {index}" for index in range(40)]
GATE = [f"held out {index}" for index in range(8)]
TONES = {"cold": 0.0, "plain": 0.1, "polite": 0.2, "warm": 0.3}
BEST, BATCH = 42, 8
LOST = "trace_agents_adapters.ray.pool.WorkerLost"

dial = ta.node(0, "dial", trainable=True, constraint=ta.Number(0, 100, integer=True))
tone = ta.node("cold", "tone", trainable=True, constraint=ta.Choice(tuple(TONES)))


async def here(task: str, dial: int, tone: str) -> str:
    """Do the work in this process, where nothing happens to it."""
    await anyio.lowlevel.checkpoint()
    return answer(task, dial, tone)


def workflow(work: Work = here) -> Workflow:
    """Return the agent."""

    @ta.bundle
    async def write(task: str, dial: int, tone: str) -> str:
        """Answer a customer."""
        return await work(task, dial, tone)

    async def agent(task: ta.Node) -> object:
        return await write(task, dial, tone)

    return ta.wrap(agent, name="agent", parameters=[dial, tone])


def score(task: object, output: object) -> tuple[float, str]:
    """Ask for a tone and a number, not the same for every task."""
    said, dialled = str(output).rsplit(": ", 1)[1].split(", ")
    wanted = BEST + number(str(task)) % 11 - 5
    words = f"{dialled} is not {wanted}, and {said} could be warm"
    return TONES[said] - abs(wanted - int(dialled)) / 100, words


async def trained(
    plan: Plan, work: Work, on_event: OnEvent, executor: Executor | None = None
) -> TrainResult:
    """Begin the plan's run, or go on with it."""
    agent, folder = workflow(work), plan.run_dir or None
    if plan.begun:
        return await resume(
            folder, agent, guide=score, store=plan.store, on_event=on_event, executor=executor
        )
    return await train(
        agent,
        TRAIN,
        gate_tasks=GATE,
        guide=score,
        proposals=plan.decisions,
        batch_size=BATCH,
        deterministic=plan.deterministic,
        seed=plan.seed,
        run_dir=folder,
        store=plan.store,
        retry=Retry(attempts=6, wait=0.05, on=(*FAULTS, LOST)),
        on_event=on_event,
        executor=executor,
    )
