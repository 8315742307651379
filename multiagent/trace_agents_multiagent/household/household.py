"""One episode for several agents that think at their own pace and act in lock-step."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from trace_agents.errors import EpisodeFailed
from trace_agents_multiagent.household.actor import Actor
from trace_agents_multiagent.household.grammar import NOOP, Action
from trace_agents_multiagent.household.house import MAX_STEPS, House
from trace_agents_multiagent.household.memory import Memory
from trace_agents_multiagent.household.stats import HouseholdResult, Tally, findings_of
from trace_agents_multiagent.household.tasks import AGENTS, HouseTask


class Household:
    """A house in which a step happens when every agent that is still there has chosen.

    Every agent is awaited from the start, so enter all of `agents`. One that left does nothing.
    """

    def __init__(
        self, task: HouseTask, agents: tuple[str, ...] = AGENTS, *, max_steps: int = MAX_STEPS
    ) -> None:
        starts = House(task).layout.starts
        if not agents or not set(agents) <= set(starts):
            raise EpisodeFailed(f"{agents!r} cannot live here; choose from {list(starts)}")
        self.task = task
        self.house = House(task, max_steps=max_steps, agents=agents)
        goal = self.house.layout.goal
        self.memories = {name: Memory(goal) for name in agents}
        self.tallies = {name: Tally() for name in agents}
        self.informative = 0
        self._present = set(agents)
        self._pending: dict[str, Action] = {}
        self._refusals: dict[str, str] = {}
        self._turn = anyio.Event()
        self._checks: dict[int, dict[str, int]] = {}
        for name, memory in self.memories.items():
            memory.see(self.house.observe(name))

    @property
    def over(self) -> bool:
        """Whether the goal is reached or the steps are used up."""
        return not self.house.agents

    @asynccontextmanager
    async def actor(self, name: str) -> AsyncGenerator[Actor, None]:
        """Let `name` act; when the scope ends, however it ends, nobody waits for it any more."""
        if name not in self._present:
            raise EpisodeFailed(f"{name!r} is not in this house or has left it; enter it only once")
        try:
            yield Actor(self, name)
        finally:
            self._present.discard(name)
            self._pending.pop(name, None)
            self._advance()

    async def act(self, name: str, action: Action) -> str:
        """Take part in the next step; return the refusal, or nothing when the action was done."""
        self._pending[name] = action
        turn = self._turn
        self._advance()
        try:
            await turn.wait()
        finally:
            if not turn.is_set():
                self._pending.pop(name, None)
        return self._refusals.get(name, "")

    def _advance(self) -> None:
        if self.over or not self._present or not self._present <= self._pending.keys():
            return
        actions = {name: self._pending.get(name, NOOP) for name in self.memories}
        self._pending.clear()
        views, *_ = self.house.step(actions)
        for name, view in views.items():
            self._hear(name, view.messages)
            self.memories[name].see(view)
            self._refusals[name] = view.refusal
            self._count(name, actions[name], view.refusal)
        turn, self._turn = self._turn, anyio.Event()
        turn.set()

    def _hear(self, name: str, messages: tuple[tuple[str, str], ...]) -> None:
        for sender, text in messages:
            if self.memories[name].news_in(text):
                self.informative += 1
            else:
                self.tallies[sender].idle_chat += 1
            self.memories[name].told(text)

    def _count(self, name: str, action: Action, refusal: str) -> None:
        tally = self.tallies[name]
        tally.metres = self.house.body(name).metres
        tally.refused += bool(refusal)
        if refusal:
            return
        tally.waited += action.verb == "noop"
        tally.messages += action.verb == "send_message"
        in_goal = action.verb in {"putin", "putback"}
        tally.delivered += in_goal and action.targets[1].id == self.house.layout.goal.target

    def note_check(self, name: str, container: int) -> None:
        """Count a check that someone had made before."""
        steps = self._checks.setdefault(container, {})
        now = self.house.steps
        if name in steps:
            self.tallies[name].own_recheck += 1
        # a check in the same step was not known yet, whoever's coroutine happens to run first
        elif any(step < now for step in steps.values()):
            self.tallies[name].rechecked += 1
        steps.setdefault(name, now)

    def note_explore(self, name: str, room: str) -> None:
        """Count a first visit to a room that a teammate had explored."""
        others = [m.explored for other, m in self.memories.items() if other != name]
        if room not in self.memories[name].explored and any(room in seen for seen in others):
            self.tallies[name].reexplored += 1

    def note_delivery(self, name: str, carried: int) -> None:
        """Count a trip with one object while more were needed."""
        left = self.house.layout.goal.total - self.house.goals_done()
        if carried == 1 and left > 1:
            self.tallies[name].one_hand += 1

    def result(self) -> HouseholdResult:
        """Return how the episode stands now."""
        goal = self.house.layout.goal
        place = str(self.house.layout.furniture[goal.target].ref).split(" ")[0]
        return HouseholdResult(
            solved=self.house.solved,
            steps=self.house.steps,
            max_steps=self.house.max_steps,
            goals_done=self.house.goals_done(),
            goals_total=goal.total,
            findings=findings_of(self.tallies, goal.total, place),
            messages=sum(tally.messages for tally in self.tallies.values()),
            informative_messages=self.informative,
            decisions={name: tally.decisions for name, tally in self.tallies.items()},
        )
