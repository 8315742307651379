"""Put an agent of your own into the household: here a second LangChain agent beside bob.

Both run on the rule-following stand-in, so that this needs no key.
Run it with `python examples/household_own_agent.py`.
"""

from __future__ import annotations

import anyio

import trace_agents as ta
from trace_agents_multiagent.agents import langchain_agent
from trace_agents_multiagent.household import HouseTask, judge
from trace_agents_multiagent.standin.langchain import RuleFollowingChatModel
from trace_agents_multiagent.team import HouseholdTeam


async def main() -> None:
    """Let a team of two LangChain agents do four tasks at once and print their feedback."""
    members = {name: langchain_agent(name, RuleFollowingChatModel()) for name in ("alice", "bob")}
    team = HouseholdTeam({name: ta.wrap(agent, name=name) for name, agent in members.items()})
    tasks = [HouseTask("put_dishwasher", "train", seed) for seed in range(4)]
    values = team.parameters().defaults()
    for rollout in await ta.evaluate(team, tasks, values, guide=judge):
        print(rollout.task, rollout.feedback.text if rollout.feedback else rollout.error, sep="\n")


if __name__ == "__main__":
    anyio.run(main)
