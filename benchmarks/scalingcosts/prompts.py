"""What an optimizer asks for one decision: `prompts.py AGENT OPTIMIZER BATCH`, one JSON object."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.scalingcosts.stores import WORKFLOW, judged, tasks
from trace_agents.feedback import Guide
from trace_agents.graph import Parameters
from trace_agents.llm import Message
from trace_agents.optimizers import GEPA, OPRO, Optimizer, OptoPrime, TextGrad
from trace_agents.testing import FunctionModel
from trace_agents.training import train
from trace_agents.workflow import Workflow
from trace_agents_multiagent.demo.build import build_team, tasks_of
from trace_agents_multiagent.demo.settings import Settings
from trace_agents_multiagent.household import judge

MAKERS: dict[str, Callable[[Parameters, FunctionModel], Optimizer]] = {
    "OptoPrime": lambda parameters, model: OptoPrime(parameters, llm=model),
    "OPRO": lambda parameters, model: OPRO(parameters, llm=model),
    "TextGrad": lambda parameters, model: TextGrad(parameters, llm=model),
    "GEPA": lambda parameters, model: GEPA(parameters, llm=model),
}


def _agent(name: str, count: int) -> tuple[Workflow, Sequence[object], Sequence[object], Guide]:
    if name == "household":
        team = build_team(Settings(run_dir=Path()))
        return team, tasks_of("train", count, 0), tasks_of("gate", 2, 0), judge
    return WORKFLOW, tasks(count), [{"id": -1}, {"id": -2}], judged


async def asked(name: str, optimizer: str, batch: int) -> dict[str, float]:
    """Make one decision; return how often the model was asked, and how long the questions were."""
    sizes: list[int] = []

    def answer(messages: Sequence[Message]) -> str:
        sizes.append(sum(len(message["content"]) for message in messages))
        return "nothing to change"

    workflow, train_tasks, gate_tasks, guide = _agent(name, batch)
    await train(
        workflow,
        train_tasks,
        gate_tasks=gate_tasks,
        guide=guide,
        optimizer=MAKERS[optimizer](workflow.parameters(), FunctionModel(answer)),
        batch_size=batch,
        proposals=1,
        deterministic=True,
    )
    return {"calls": len(sizes), "longest": max(sizes, default=0), "all": sum(sizes)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(asked(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
