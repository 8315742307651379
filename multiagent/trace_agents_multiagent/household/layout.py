"""What a house is made of, and the distances in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from trace_agents_multiagent.household.grammar import Ref

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Room:
    """A rectangle with a name."""

    name: str
    left: float
    bottom: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        """The middle of the floor."""
        return (self.left + self.width / 2, self.bottom + self.height / 2)


@dataclass(frozen=True, slots=True)
class Door:
    """A point where two rooms meet."""

    rooms: tuple[str, str]
    at: Point

    def other(self, room: str) -> str:
        """Return the room on the other side."""
        return self.rooms[1] if self.rooms[0] == room else self.rooms[0]


@dataclass(frozen=True, slots=True)
class Furniture:
    """A thing that stands in one place and holds objects: a container or a surface."""

    id: int
    name: str
    room: str
    at: Point
    container: bool

    @property
    def ref(self) -> Ref:
        """The furniture's name and number."""
        return Ref(self.name, self.id)

    @property
    def relation(self) -> str:
        """How an object lies here."""
        return "inside" if self.container else "on"


@dataclass(frozen=True, slots=True)
class Goal:
    """Objects of given classes at one place."""

    target: int
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many objects are wanted in all."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Layout:
    """A house before anybody moves."""

    rooms: Mapping[str, Room]
    doors: tuple[Door, ...]
    furniture: Mapping[int, Furniture]
    objects: Mapping[int, Ref]
    places: Mapping[int, int]
    """Where each object lies: object number to furniture number."""
    opened: frozenset[int]
    starts: Mapping[str, str]
    """The room that each agent starts in."""
    goal: Goal

    def path(self, start: Point, room: str, end: Point, end_room: str) -> list[tuple[Point, str]]:
        """Return the shortest way as (point, room behind it), through doors."""
        best: dict[str, tuple[float, Point, list[tuple[Point, str]]]] = {room: (0.0, start, [])}
        queue = [room]
        while queue:
            here = queue.pop(0)
            length, at, way = best[here]
            for door in self.doors:
                if here not in door.rooms:
                    continue
                there = door.other(here)
                longer = length + math.dist(at, door.at)
                if there not in best or longer < best[there][0] - 1e-9:
                    best[there] = (longer, door.at, [*way, (door.at, there)])
                    queue.append(there)
        return [*best[end_room][2], (end, end_room)]
