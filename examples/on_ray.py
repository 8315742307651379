"""Training whose episodes run on a Ray cluster; needs the extra `ray`, and no network.

    python examples/on_ray.py

Starts a cluster on this machine, or uses the one that the variable RAY_ADDRESS names.
"""

from __future__ import annotations

import anyio

import trace_agents as ta
from trace_agents_adapters.ray import RayExecutor


@ta.bundle
async def write(order: str, tone: str, words: int) -> str:
    """Answer a customer; this stands in for an agent that waits for its model."""
    await anyio.sleep(0.05)
    return f"{order}: {tone}, {words} words"


def make_workflow() -> ta.Workflow:
    """Return the workflow; each worker calls this once."""
    tone = ta.node("cold", "tone", trainable=True, constraint=ta.Choice(("cold", "polite", "warm")))
    words = ta.node(40, "words", trainable=True, constraint=ta.Number(1, 40, integer=True))

    async def answer(order: ta.Node) -> object:
        return await write(order, tone, words)

    return ta.wrap(answer, parameters=[tone, words])


def guide(task: object, output: object) -> ta.Feedback:
    """Judge an answer: friendly, and about twelve words. It runs in this process."""
    words = int(str(output).split()[-2])
    return ta.Feedback(("warm" in str(output)) - abs(words - 12) / 40, f"{words} words")


async def main() -> None:
    """Train, and print the learning curve."""
    result = await ta.train(
        make_workflow(),
        [f"order {number}" for number in range(16)],
        guide=guide,
        budget=ta.Budget(episodes=400),
        concurrency=32,
        executor=RayExecutor(make_workflow, workers=2),
    )
    for point in result.curve:
        print(f"decision {point.decision:>3}  version {point.version}  mean {point.mean:+.3f}")
    print(f"{result.episodes} episodes, at most {result.peak_concurrency} at once")
    print(f"best: {dict(result.best.values)}")


if __name__ == "__main__":
    anyio.run(main)
