"""No-op rollouts by agentlightning's runner: `lightning.py rollouts COUNT`, where it lives.

Its fastest way: one process, the store in memory, a rollout that returns a reward and records no
span. The runner takes one rollout at a time.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any

# it has an environment of its own: no checker sees it
LIGHTNING: Any = importlib.import_module("agentlightning")


class Nothing(LIGHTNING.LitAgent):  # type: ignore[misc]
    """An agent that does nothing, well."""

    async def rollout_async(self, task: object, resources: object, rollout: object) -> float:
        """Return a reward."""
        await asyncio.sleep(0)
        return 1.0


async def rollouts(count: int) -> dict[str, float]:
    """Return CPU and wall seconds of a rollout."""
    store = LIGHTNING.InMemoryLightningStore()
    template = LIGHTNING.PromptTemplate(template="do", engine="f-string")
    await store.add_resources({"prompt": template})
    runner = LIGHTNING.LitAgentRunner(tracer=LIGHTNING.OtelTracer())
    with runner.run_context(agent=Nothing(), store=store):
        await _steps(runner, range(20))
        cpu, wall = time.process_time(), time.perf_counter()
        await _steps(runner, range(count))
        return {
            "cpu": (time.process_time() - cpu) / count,
            "wall": (time.perf_counter() - wall) / count,
        }


async def _steps(runner: Any, tasks: Sequence[int]) -> None:
    for task in tasks:
        await runner.step(task)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asyncio.run(rollouts(int(sys.argv[2])))))
