"""What changes during an episode: bodies that walk, things that move, doors, mail."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from trace_agents_multiagent.household.layout import Furniture, Layout, Point

STRIDE = 1.0
"""How many metres one step of walking covers."""


@dataclass(slots=True)
class Body:
    """Where an agent stands and what it holds."""

    at: Point
    room: str
    held: list[int] = field(default_factory=list[int])
    metres: float = 0.0

    def distance(self, furniture: Furniture) -> float:
        """Return the straight distance, or infinity through a wall."""
        return math.dist(self.at, furniture.at) if self.room == furniture.room else math.inf

    def walk(self, way: Iterable[tuple[Point, str]]) -> None:
        """Go one stride along `way`: points, each with the room behind it."""
        left = STRIDE
        for point, behind in way:
            gap = math.dist(self.at, point)
            stride = min(gap, left)
            share = stride / gap if gap else 0.0
            (x, y), (px, py) = self.at, point
            self.at = (x + (px - x) * share, y + (py - y) * share)
            self.metres += stride
            left -= stride
            if stride < gap or (left <= 0 and behind == self.room):
                return
            self.room = behind


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

    def accessible(self, furniture: Furniture) -> bool:
        """Whether one can see and reach what the furniture holds."""
        return not furniture.container or furniture.id in self.opened


def first_state(layout: Layout, agents: Iterable[str]) -> State:
    """Return the house before step 0, each agent in the middle of its first room."""
    contents: dict[int, list[int]] = {number: [] for number in layout.furniture}
    for number, place in layout.places.items():
        contents[place].append(number)
    starts = {name: layout.starts.get(name, next(iter(layout.rooms))) for name in agents}
    bodies = {name: Body(layout.rooms[room].centre, room) for name, room in starts.items()}
    return State(0, bodies, contents, set(layout.opened), {name: [] for name in bodies})
