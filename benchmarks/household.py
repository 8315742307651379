"""What an episode of the demo's team costs: `python benchmarks/household.py`.

Prints CPU milliseconds per episode and per agent's decision, without and with recording, and the
ratio of the two, for the AutoGen and LangChain team on the rule-following stand-in.
"""

from __future__ import annotations

import time
from pathlib import Path

import anyio

from trace_agents.training import Rollout, evaluate
from trace_agents_multiagent.demo.build import build_team, tasks_of
from trace_agents_multiagent.demo.settings import Settings
from trace_agents_multiagent.household import HouseholdResult, judge

EPISODES = 40


async def main() -> None:
    """Measure the same episodes with and without recording, in turn."""
    team = build_team(Settings(run_dir=Path()))
    tasks = tasks_of("dev", EPISODES, 0)
    values = team.parameters().defaults()
    await evaluate(team, tasks[:8], values, guide=judge)  # imports and caches
    costs: dict[bool, list[float]] = {False: [], True: []}
    decisions = 1
    for keep in (False, True, False, True):
        began = time.process_time()
        rollouts = await evaluate(team, tasks, values, guide=judge, keep_graphs=keep)
        costs[keep].append((time.process_time() - began) * 1000 / EPISODES)
        decisions = sum(map(decided, rollouts))
    bare, recorded = min(costs[False]), min(costs[True])
    print(f"{decisions / EPISODES:.1f} decisions an episode")
    for name, cost in (("not recorded", bare), ("recorded", recorded)):
        per = cost * EPISODES / decisions
        print(f"{name:13} {cost:6.1f} ms an episode, {per:5.2f} ms a decision")
    print(f"recorded / not recorded: {recorded / bare:.2f}")


def decided(rollout: Rollout) -> int:
    """Return how many decisions the agents of an episode made."""
    result = rollout.output
    return sum(result.decisions.values()) if isinstance(result, HouseholdResult) else 0


if __name__ == "__main__":
    anyio.run(main)
