"""The simulator: agents act at once, see their own room, and are told why they were refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from trace_agents.errors import InvalidValue
from trace_agents_multiagent.household.grammar import MAX_MESSAGE, NOOP, Action, Ref, parse
from trace_agents_multiagent.household.layout import Furniture, Layout, Point
from trace_agents_multiagent.household.tasks import HouseTask, make_house

REACH = 1.5
STRIDE = 1.0
HANDS = 2
MAX_STEPS = 250


@dataclass(slots=True)
class Body:
    """Where an agent stands and what it holds."""

    at: Point
    room: str
    held: list[int] = field(default_factory=list[int])
    metres: float = 0.0


@dataclass(slots=True)
class State:
    """All that changes during an episode."""

    step: int
    bodies: dict[str, Body]
    contents: dict[int, list[int]]
    """Objects by the furniture that holds them."""
    opened: set[int]
    mail: dict[str, list[tuple[str, str]]]
    """Messages (sender, text) that the next observation delivers."""

    def copy(self) -> State:
        """Return an independent copy."""
        bodies = {n: Body(b.at, b.room, list(b.held), b.metres) for n, b in self.bodies.items()}
        contents = {number: list(held) for number, held in self.contents.items()}
        mail = {name: list(letters) for name, letters in self.mail.items()}
        return State(self.step, bodies, contents, set(self.opened), mail)


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
        self._state = self._start()

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
        self._state = self._start()
        return {name: self.observe(name) for name in self.agents}, {n: {} for n in self.agents}

    def _start(self) -> State:
        layout = self._layout
        contents: dict[int, list[int]] = {number: [] for number in layout.furniture}
        for number, place in layout.places.items():
            contents[place].append(number)
        starts = {n: layout.starts.get(n, next(iter(layout.rooms))) for n in self.possible_agents}
        bodies = {n: Body(layout.rooms[room].centre, room) for n, room in starts.items()}
        return State(0, bodies, contents, set(layout.opened), {n: [] for n in bodies})

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
        return not self._layout.furniture[furniture].container or furniture in self._state.opened

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
            if self.is_open(f.id)
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
                    self._apply(agent, chosen[agent])
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
        body = self._state.bodies[agent]
        return math.dist(body.at, furniture.at) if body.room == furniture.room else math.inf

    def _refusal(self, agent: str, action: Action) -> str:
        match action.verb:
            case "noop":
                return ""
            case "walktowards":
                return self._refuse_walk(action.targets[0])
            case "send_message":
                return self._refuse_message(agent, action)
            case "open" | "close":
                return self._refuse_handle(agent, action)
            case "grab":
                return self._refuse_grab(agent, action.targets[0])
            case "putin" | "putback":
                return self._refuse_put(agent, action)
            case _:
                return f"[{action.verb}] is a macro; this step takes low-level actions only"

    def _refuse_walk(self, target: Ref) -> str:
        known = target.name in self._layout.rooms if target.id is None else self._stands(target)
        return "" if known else f"there is no {target} to walk to"

    def _stands(self, target: Ref) -> bool:
        found = self._layout.furniture.get(target.id or 0)
        return found is not None and found.name == target.name

    def _refuse_message(self, agent: str, action: Action) -> str:
        to = action.targets[0].name
        if to == agent or to not in self._state.bodies:
            return f"{agent} cannot send a message to <{to}>: no such teammate"
        if len(action.text) > MAX_MESSAGE:
            return f"{agent}'s message has {len(action.text)} characters; {MAX_MESSAGE} are allowed"
        return ""

    def _far(self, agent: str, target: Ref) -> str:
        if not self._stands(target):
            return f"there is no {target} here"
        furniture = self._layout.furniture[target.id or 0]
        away = self.distance(agent, furniture)
        if away <= REACH + 1e-9:
            return ""
        if math.isinf(away):
            return f"{agent} is not close to {target}; it is in another room"
        return f"{agent} is not close to {target}; {away:.1f} m away"

    def _refuse_handle(self, agent: str, action: Action) -> str:
        target = action.targets[0]
        if far := self._far(agent, target):
            return far
        furniture = self._layout.furniture[target.id or 0]
        if not furniture.container:
            return f"{target} cannot be opened or closed"
        if (furniture.id in self._state.opened) == (action.verb == "open"):
            return f"{target} is already {'open' if action.verb == 'open' else 'closed'}"
        if len(self._state.bodies[agent].held) >= HANDS:
            return f"{agent} has no free hand to {action.verb} {target}"
        return ""

    def _refuse_grab(self, agent: str, target: Ref) -> str:
        number = target.id or 0
        if self._layout.objects.get(number) != target:
            return f"there is no {target} here"
        for name, body in self._state.bodies.items():
            if number in body.held:
                return f"{agent} cannot grab {target}: {name} holds it"
        place = next(f for f, held in self._state.contents.items() if number in held)
        furniture = self._layout.furniture[place]
        if far := self._far(agent, furniture.ref):
            return f"{agent} cannot grab {target}: {far}"
        if not self.is_open(place):
            return f"{agent} cannot grab {target}: {furniture.ref} is closed"
        if len(self._state.bodies[agent].held) >= HANDS:
            return f"{agent} has no free hand to grab {target}"
        return ""

    def _refuse_put(self, agent: str, action: Action) -> str:
        item, target = action.targets
        if item.id not in self._state.bodies[agent].held:
            return f"{agent} does not hold {item}"
        if far := self._far(agent, target):
            return far
        furniture = self._layout.furniture[target.id or 0]
        if furniture.container != (action.verb == "putin"):
            return f"{target} takes [{'putin' if furniture.container else 'putback'}] only"
        return "" if self.is_open(furniture.id) else f"{target} is closed"

    def _apply(self, agent: str, action: Action) -> None:
        state = self._state
        match action.verb:
            case "walktowards":
                self._walk(state.bodies[agent], action.targets[0])
            case "send_message":
                state.mail[action.targets[0].name].append((agent, action.text))
            case "open":
                state.opened.add(action.targets[0].id or 0)
            case "close":
                state.opened.discard(action.targets[0].id or 0)
            case "grab":
                self._grab(agent, action.targets[0].id or 0)
            case "putin" | "putback":
                item, place = (ref.id or 0 for ref in action.targets)
                state.bodies[agent].held.remove(item)
                state.contents[place].append(item)
            case _:
                pass

    def _grab(self, agent: str, item: int) -> None:
        for held in self._state.contents.values():
            if item in held:
                held.remove(item)
        self._state.bodies[agent].held.append(item)

    def _walk(self, body: Body, target: Ref) -> None:
        layout = self._layout
        if target.id is None:
            end, room = layout.rooms[target.name].centre, target.name
        else:
            end, room = layout.furniture[target.id].at, layout.furniture[target.id].room
        left = STRIDE
        for point, behind in layout.path(body.at, body.room, end, room):
            gap = math.dist(body.at, point)
            stride = min(gap, left)
            share = stride / gap if gap else 0.0
            (x, y), (px, py) = body.at, point
            body.at = (x + (px - x) * share, y + (py - y) * share)
            body.metres += stride
            left -= stride
            if stride < gap or (left <= 0 and behind == body.room):
                return
            body.room = behind
