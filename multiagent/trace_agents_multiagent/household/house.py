"""The simulator: agents act at once, see their own room, and are told why they were refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trace_agents.errors import InvalidValue
from trace_agents_multiagent.household.grammar import NOOP, Action, Ref, parse
from trace_agents_multiagent.household.layout import Furniture, Layout
from trace_agents_multiagent.household.rules import HANDS, REACH, apply, refusal
from trace_agents_multiagent.household.state import STRIDE, Body, State, first_state
from trace_agents_multiagent.household.tasks import HouseTask, make_house

__all__ = ["HANDS", "MAX_STEPS", "REACH", "STRIDE", "Body", "House", "Observation", "State"]

MAX_STEPS = 250


@dataclass(frozen=True, slots=True)
class Observation:
    """What one agent sees after a step: its room, its hands, teammates in the room, its mail."""

    step: int
    room: str
    held: tuple[Ref, ...]
    furniture: tuple[Furniture, ...]
    opened: frozenset[int]
    visible: Mapping[int, tuple[Ref, ...]]
    """Objects by furniture, where the furniture is a surface or stands open."""
    teammates: Mapping[str, tuple[Ref, ...]]
    """Teammates in the same room, with what they hold."""
    messages: tuple[tuple[str, str], ...]
    refusal: str = ""
    """Why the last action did not happen, or nothing."""


class House:
    """A household with several agents that act simultaneously, in the style of a ParallelEnv."""

    def __init__(
        self, task: HouseTask, *, max_steps: int = MAX_STEPS, agents: tuple[str, ...] | None = None
    ) -> None:
        self.task = task
        self.max_steps = max_steps
        self._layout = make_house(task)
        self.possible_agents = list(agents or self._layout.starts)
        self.agents = list(self.possible_agents)
        self._state = first_state(self._layout, self.possible_agents)

    @property
    def layout(self) -> Layout:
        """The house as it was built."""
        return self._layout

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return self._state.step

    @property
    def solved(self) -> bool:
        """Whether every goal object is at its place."""
        return self.goals_done() == self._layout.goal.total

    def reset(
        self, seed: int | None = None, options: Mapping[str, object] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, object]]]:
        """Start again; another `seed` builds another house of the same family and split."""
        del options
        if seed is not None and seed != self.task.seed:
            self.task = HouseTask(self.task.family, self.task.split, seed)
            self._layout = make_house(self.task)
        self.agents = list(self.possible_agents)
        self._state = first_state(self._layout, self.possible_agents)
        return {name: self.observe(name) for name in self.agents}, {n: {} for n in self.agents}

    def snapshot(self) -> State:
        """Return a copy of the state; `restore` takes it back."""
        return self._state.copy()

    def restore(self, state: State) -> None:
        """Continue from a snapshot."""
        self._state = state.copy()
        over = self.solved or state.step >= self.max_steps
        self.agents = [] if over else list(self.possible_agents)

    def clone(self) -> House:
        """Return an independent house in the same state."""
        twin = House(self.task, max_steps=self.max_steps, agents=tuple(self.possible_agents))
        twin.restore(self._state)
        return twin

    def body(self, agent: str) -> Body:
        """Return where the agent stands; treat it as read-only."""
        return self._state.bodies[agent]

    def is_open(self, furniture: int) -> bool:
        """Whether one can see and reach what the furniture holds."""
        return self._state.accessible(self._layout.furniture[furniture])

    def contents(self, furniture: int) -> tuple[int, ...]:
        """Return the numbers of the objects in or on the furniture."""
        return tuple(self._state.contents[furniture])

    def goals_done(self) -> int:
        """Return how many wanted objects are at their place."""
        goal, objects = self._layout.goal, self._layout.objects
        there = [objects[number].name for number in self._state.contents[goal.target]]
        return sum(min(there.count(name), count) for name, count in goal.counts.items())

    def observe(self, agent: str, refusal: str = "") -> Observation:
        """Return what `agent` sees now."""
        state, objects = self._state, self._layout.objects
        body = state.bodies[agent]
        around = tuple(f for f in self._layout.furniture.values() if f.room == body.room)
        visible = {
            f.id: tuple(objects[number] for number in state.contents[f.id])
            for f in around
            if state.accessible(f)
        }
        near = {
            name: tuple(objects[number] for number in other.held)
            for name, other in state.bodies.items()
            if name != agent and other.room == body.room
        }
        return Observation(
            step=state.step,
            room=body.room,
            held=tuple(objects[number] for number in body.held),
            furniture=around,
            opened=frozenset(f.id for f in around if f.id in state.opened),
            visible=visible,
            teammates=near,
            messages=tuple(state.mail[agent]),
            refusal=refusal,
        )

    def step(
        self, actions: Mapping[str, Action | str]
    ) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, object]],
    ]:
        """Act for all at once; return observations, rewards, terminations, truncations, infos.

        An agent without an action waits. Where two want the same thing, who comes first rotates
        with the step number.
        """
        live, before = list(self.agents), self.goals_done()
        refusals = self._resolve(actions)
        self._state.step += 1
        solved = self.solved
        truncated = not solved and self._state.step >= self.max_steps
        reward = float(self.goals_done() - before)
        if solved or truncated:
            self.agents = []
        return (
            {name: self.observe(name, refusals[name]) for name in live},
            dict.fromkeys(live, reward),
            dict.fromkeys(live, solved),
            dict.fromkeys(live, truncated),
            {name: {"refusal": refusals[name]} for name in live},
        )

    def _resolve(self, actions: Mapping[str, Action | str]) -> dict[str, str]:
        shift = self._state.step % max(len(self.agents), 1)
        order = self.agents[shift:] + self.agents[:shift]
        refusals = dict.fromkeys(self.agents, "")
        chosen: dict[str, Action] = {}
        for agent in self.agents:
            given = actions.get(agent, NOOP)
            try:
                chosen[agent] = parse(given) if isinstance(given, str) else given
            except InvalidValue as error:
                refusals[agent] = str(error)
        before = {agent: self._refusal(agent, action) for agent, action in chosen.items()}
        for box in self._state.mail.values():
            box.clear()
        for agent in order:
            if agent not in chosen:
                continue
            refusals[agent] = before[agent]
            if not before[agent]:
                late = self._refusal(agent, chosen[agent])
                refusals[agent] = f"{late}; a teammate was first in this step" if late else ""
                if not late:
                    apply(self._layout, self._state, agent=agent, action=chosen[agent])
        return refusals

    def legal_actions(self, agent: str) -> list[Action]:
        """Return every low-level action that would not be refused now; messages aside."""
        body, layout = self._state.bodies[agent], self._layout
        here = [f.ref for f in layout.furniture.values() if f.room == body.room]
        seen = [layout.objects[n] for f in here for n in self._state.contents[f.id or 0]]
        held = [layout.objects[number] for number in body.held]
        walks = [Action("walktowards", (Ref(name),)) for name in layout.rooms]
        walks += [Action("walktowards", (ref,)) for ref in here]
        handle = [Action(verb, (ref,)) for verb in ("open", "close") for ref in here]
        grabs = [Action("grab", (ref,)) for ref in seen]
        puts = [Action(v, (o, ref)) for v in ("putin", "putback") for o in held for ref in here]
        options = [NOOP, *walks, *handle, *grabs, *puts]
        return [action for action in options if not self._refusal(agent, action)]

    def distance(self, agent: str, furniture: Furniture) -> float:
        """Return the straight distance, or infinity through a wall."""
        return self._state.bodies[agent].distance(furniture)

    def _refusal(self, agent: str, action: Action) -> str:
        return refusal(self._layout, self._state, agent=agent, action=action)
