"""A training run is killed in the middle, and goes on from where it was. Needs no network.

    python examples/resume.py

The first run happens in a process of its own that kills itself (SIGKILL) while it trains.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio
import anyio.lowlevel

import trace_agents as ta
from trace_agents.store import ParameterStore
from trace_agents.training import Budget, TrainingEvent, resume, train

TASKS = [f"order {number}" for number in range(12)]
BUDGET = Budget(episodes=300)

tone = ta.node("cold", "tone", trainable=True, constraint=ta.Choice(("cold", "polite", "warm")))
words = ta.node(2, "words", trainable=True, constraint=ta.Number(1, 40, integer=True))


@ta.bundle
async def write(order: str, tone: str, words: int) -> str:
    """Answer a customer; this stands in for an agent."""
    await anyio.lowlevel.checkpoint()
    return f"{order}: {tone}, {words} words"


async def answer(order: ta.Node) -> object:
    """Do one task."""
    return await write(order, tone, words)


def score(_task: object, output: object) -> tuple[float, str]:
    """Ask for a warm answer of about twenty words."""
    text = str(output)
    length = int(text.split(", ")[1].split()[0])
    return float("warm" in text) - abs(20 - length) / 40, "be warm; about twenty words"


def kill_after(events: int, event: TrainingEvent) -> None:
    """End this process, as `kill -9` would, after so many finished episodes."""
    if event.status.episodes >= events:
        os.kill(os.getpid(), signal.SIGKILL)


async def first_run(folder: Path) -> None:
    """Train, until the process dies."""
    await train(
        ta.wrap(answer, parameters=[tone, words]),
        TASKS,
        guide=score,
        budget=BUDGET,
        proposals=12,
        batch_size=3,
        run_dir=folder,
        on_event=lambda event: kill_after(40, event),
    )


async def second_run(folder: Path) -> None:
    """Show what is there, and go on."""
    workflow = ta.wrap(answer, parameters=[tone, words])
    with ParameterStore(folder, workflow.parameters()) as store:
        print(f"killed with {len(store.episodes())} episodes and version {store.head.id} kept")
    result = await resume(folder, workflow, guide=score)
    print(f"finished with {result.episodes} episodes and {len(result.curve) - 1} decisions")
    print(f"best: version {result.best.id}, {dict(result.best.values)}")
    print(f"mean score {result.curve[0].mean:.2f} -> {result.curve[-1].mean:.2f}")


def main() -> None:
    """Run the first half in a child, the second half here."""
    if len(sys.argv) > 1:
        anyio.run(first_run, Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.run([sys.executable, __file__, folder], check=False)
        print(f"the first process ended with status {child.returncode}")
        anyio.run(second_run, Path(folder))


if __name__ == "__main__":
    main()
