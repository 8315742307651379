"""What each directive of the rule-following stand-in is worth: `python benchmarks/directives.py`.

Both agents follow the directive, on paired tasks of the `dev` split; no framework is involved, the
policy acts in the household itself. Prints mean steps, the gain over the seed prompt with its
standard error, and how many tasks were solved.
"""

from __future__ import annotations

import math
import statistics

import anyio

from trace_agents_multiagent.agents import PLAN
from trace_agents_multiagent.demo.build import tasks_of
from trace_agents_multiagent.household import Actor, Household, HouseholdResult, HouseTask
from trace_agents_multiagent.standin.directives import DIRECTIVES
from trace_agents_multiagent.standin.policy import decide

TASKS = 100


async def play(task: HouseTask, plan: str) -> HouseholdResult:
    """Return the result of one episode in which both agents follow `plan`."""
    household = Household(task)
    async with anyio.create_task_group() as group:
        for name in household.memories:
            group.start_soon(act, household, name, plan)
    return household.result()


async def act(household: Household, name: str, plan: str) -> None:
    """Let the policy decide for one agent until the episode is over."""
    async with household.actor(name) as actor:
        while not actor.over:
            await choose(actor, plan)


async def choose(actor: Actor, plan: str) -> None:
    """Do what the policy decides."""
    decision = decide(plan, actor.prompt())
    await getattr(actor, decision.tool)(**decision.arguments)


async def main() -> None:
    """Print a row for each directive, and for all the helpful ones together."""
    tasks = tasks_of("dev", TASKS, 0)
    seed = [(await play(task, PLAN)).steps for task in tasks]
    print(f"{'seed prompt':58} {statistics.mean(seed):6.1f}")
    helpful = " ".join(d.text for d in DIRECTIVES if d.pool == "helpful")
    rows = [(f"{d.pool:8} {d.text}", d.text) for d in DIRECTIVES]
    for label, words in [*rows, ("all helpful ones", helpful)]:
        results = [await play(task, f"{PLAN}\n{words}") for task in tasks]
        gains = [before - result.steps for before, result in zip(seed, results, strict=True)]
        error = statistics.stdev(gains) / math.sqrt(len(gains))
        mean, gain = statistics.mean(r.steps for r in results), statistics.mean(gains)
        solved = sum(result.solved for result in results)
        print(f"{label:58} {mean:6.1f}  gain {gain:6.1f} ± {error:.1f}  solved {solved}/{TASKS}")


if __name__ == "__main__":
    anyio.run(main)
