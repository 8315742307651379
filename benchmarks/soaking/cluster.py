"""The same agent on a Ray cluster of the soak's own, whose workers die in their episodes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

import anyio.to_thread

from benchmarks.soaking.plan import Plan
from benchmarks.soaking.training import workflow
from benchmarks.soaking.work import worked
from trace_agents.workflow import Workflow
from trace_agents_adapters.ray import RayExecutor
from trace_agents_adapters.ray.executor import load_ray

WORKERS, AT_ONCE = 2, 4


@contextmanager
def cluster() -> Generator[str]:
    """Start a cluster on this machine, give its address, and stop it at the end."""
    ray = load_ray()
    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        yield str(ray.get_runtime_context().gcs_address)
    finally:
        ray.shutdown()


def executor(plan: Plan) -> RayExecutor | None:
    """Return what runs the plan's episodes, if that is a cluster."""
    if plan.cluster is None:
        return None
    return RayExecutor(
        partial(deadly_workflow, plan.deadly, str(plan.toll)),
        workers=WORKERS,
        per_worker=AT_ONCE,
        address=plan.cluster,
        cluster={"log_to_driver": False, "logging_level": "error"},
        options={"max_restarts": 0},
    )


def deadly_workflow(deadly: float, toll: str) -> Workflow:
    """Return the agent as a worker runs it; a death takes along all that the worker is doing."""

    async def work(task: str, dial: int, tone: str) -> str:
        return await anyio.to_thread.run_sync(worked, task, dial, tone, deadly, toll)

    return workflow(work)
