"""One training by trace-agents on the problem of `rules.py`: `rules_run.py MODEL_SECONDS SEED`."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence

import trace_agents as ta
from benchmarks.trainingcosts import rules
from trace_agents.llm import Message, Reply, Schema
from trace_agents.optimizers import OptoPrime
from trace_agents.training import Budget, Gate, train


class Reflection:
    """The stand-in for the reflecting model: what gepa's is, in our form of an answer."""

    name = "stand-in"

    def __init__(self, seconds: float, seed: int) -> None:
        self.seconds, self.draw = seconds, random.Random(seed)

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return a prompt that heeds some of the complaints."""
        await asyncio.sleep(self.seconds)
        text = "\n".join(message["content"] for message in messages)
        better = rules.reflected(text, text, self.draw)
        return Reply(f"<variable>\n<name>prompt</name>\n<value>\n{better}\n</value>\n</variable>")


PROMPT = ta.node(rules.START, trainable=True, name="prompt")


@ta.bundle()
async def follow(prompt: str, task: str) -> str:
    """Do the task as the prompt says."""
    await asyncio.sleep(rules.seconds(task))
    return prompt


async def agent(task: ta.Node) -> object:
    """Do the task."""
    return await follow(PROMPT, task)


def guide(task: object, output: object) -> tuple[float, str]:
    """Judge what the agent did."""
    return rules.judged(str(task), str(output))


async def main(model_seconds: float, seed: int, plan: Mapping[str, int]) -> dict[str, float]:
    """Train once; return the wall time, the final score on unseen tasks, and the episodes."""
    workflow = ta.wrap(agent, parameters=[PROMPT])
    began = time.perf_counter()
    result = await train(
        workflow,
        rules.tasks(seed, 0, plan["train"]),
        guide=guide,
        gate_tasks=rules.tasks(seed, 1000, plan["gate"]),
        optimizer=OptoPrime(workflow.parameters(), llm=Reflection(model_seconds, seed)),
        budget=Budget(episodes=plan["episodes"]),
        concurrency=plan["concurrency"],
        batch_size=plan["concurrency"],
        lag=2,
        gate=Gate(z=0, rounds=(1.0,)),
        seed=seed,
    )
    wall = time.perf_counter() - began
    (best,) = (str(value) for value in result.best.values.values())
    score = rules.mean_score(best, rules.tasks(seed, 2000, 200))
    return {"wall": wall, "score": score, "episodes": result.episodes}


if __name__ == "__main__":
    plan: dict[str, int] = json.loads(sys.argv[3])
    print(json.dumps(asyncio.run(main(float(sys.argv[1]), int(sys.argv[2]), plan))))
