"""What one agent knows: seen for itself, or told by its partner."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from trace_agents_multiagent.household.grammar import Ref
from trace_agents_multiagent.household.house import Observation
from trace_agents_multiagent.household.layout import Furniture, Goal

_MENTION = re.compile(r"<(\w+)> \((\d+)\)")
_FIND = re.compile(r"<(\w+)> \((\d+)\) is (?:inside|on) <\w+> \((\d+)\)")


@dataclass(slots=True)
class Memory:
    """The knowledge of one agent; changed only by what it sees, hears and does."""

    goal: Goal
    room: str = ""
    held: tuple[Ref, ...] = ()
    explored: list[str] = field(default_factory=list[str])
    checked: set[int] = field(default_factory=set[int])
    opened: set[int] = field(default_factory=set[int])
    furniture: dict[int, Furniture] = field(default_factory=dict[int, Furniture])
    seen: dict[int, tuple[Ref, int]] = field(default_factory=dict[int, tuple[Ref, int]])
    """Objects that may be fetched: number to (object, furniture)."""
    delivered: dict[int, Ref] = field(default_factory=dict[int, Ref])
    partner: str = ""
    dialogue: deque[str] = field(default_factory=lambda: deque[str](maxlen=3))
    actions: deque[str] = field(default_factory=lambda: deque[str](maxlen=5))
    result: str = ""

    def see(self, view: Observation) -> None:
        """Take in an observation."""
        self.room, self.held = view.room, view.held
        if view.room not in self.explored:
            self.explored.append(view.room)
        for furniture in view.furniture:
            self.furniture[furniture.id] = furniture
            (self.opened.add if furniture.id in view.opened else self.opened.discard)(furniture.id)
        for place, objects in view.visible.items():
            self._look(place, objects)
        for item in view.held:
            self.seen.pop(item.id or 0, None)
        for name, held in view.teammates.items():
            carried = " and ".join(map(str, held)) or "nothing"
            self.partner = f"{name} was in <{view.room}> at step {view.step}, holding {carried}."
            for item in held:
                self.seen.pop(item.id or 0, None)
        for sender, text in view.messages:
            self.dialogue.append(f"{sender}: {text}")

    def _look(self, place: int, objects: tuple[Ref, ...]) -> None:
        here = {item.id or 0: item for item in objects}
        if place == self.goal.target:
            self.delivered.update(here)
            for number in here:
                self.seen.pop(number, None)
            return
        for number in [n for n, (_, where) in self.seen.items() if where == place]:
            if number not in here:
                del self.seen[number]
        self.seen.update({number: (item, place) for number, item in here.items()})

    def news_in(self, text: str) -> bool:
        """Whether a message names a numbered thing that this agent does not know."""
        known = self.seen.keys() | self.delivered.keys() | self.furniture.keys()
        known |= {item.id or 0 for item in self.held}
        return any(int(number) not in known for _, number in _MENTION.findall(text))

    def told(self, text: str) -> None:
        """Believe a message that says where an object is, when its place is known."""
        for name, number, place in _FIND.findall(text):
            if int(place) in self.furniture and int(number) not in self.delivered:
                self.seen[int(number)] = (Ref(name, int(number)), int(place))

    def progress(self) -> dict[str, int]:
        """Return how many objects of each wanted class are known to be at the goal."""
        there = [item.name for item in self.delivered.values()]
        return {name: min(there.count(name), n) for name, n in self.goal.counts.items()}

    def wanted(self) -> list[Ref]:
        """Return the known objects that are still needed, those in this room first."""
        done = self.progress()
        holding = [item.name for item in self.held]
        need = {n: c - done[n] - holding.count(n) for n, c in self.goal.counts.items()}
        useful = [(item, place) for item, place in self.seen.values() if need.get(item.name, 0) > 0]
        useful.sort(key=lambda pair: (self.furniture[pair[1]].room != self.room, pair[0].id))
        return [item for item, _ in useful]
