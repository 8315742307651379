"""The decision prompt: what an agent knows, as words."""

from __future__ import annotations

from collections.abc import Mapping

from trace_agents_multiagent.household.grammar import Action, Ref
from trace_agents_multiagent.household.layout import Furniture
from trace_agents_multiagent.household.memory import Memory

LISTED = 6
"""How many objects and containers a prompt lists at most of each sort."""


def goal_sentence(counts: Mapping[str, int], target: Furniture) -> str:
    """Return the goal in words."""
    things = ", ".join(f"{count} <{name}>" for name, count in counts.items())
    return f"put {things} {target.relation} {target.ref} in <{target.room}>"


def available(memory: Memory, rooms: tuple[str, ...], target: Ref) -> list[Action]:
    """Return the macros that make sense now; messages are always possible."""
    options: list[Action] = []
    if memory.held:
        options.append(Action("goput", (target,)))
    if len(memory.held) < 2:
        options += [Action("gograb", (item,)) for item in memory.wanted()[:LISTED]]
        options += [Action("gocheck", (f.ref,)) for f in unchecked(memory)[:LISTED]]
    return options + [Action("goexplore", (Ref(room),)) for room in rooms]


def unchecked(memory: Memory) -> list[Furniture]:
    """Return the known containers that this agent has not checked, those in this room first."""
    known = [
        f
        for f in memory.furniture.values()
        if f.container and f.id not in memory.checked and f.id != memory.goal.target
    ]
    return sorted(known, key=lambda f: (f.room != memory.room, f.id))


def describe(action: Action, memory: Memory) -> str:
    """Return an available action with what helps to choose it."""
    if action.verb not in {"gograb", "gocheck"}:
        return str(action)
    number = action.targets[0].id or 0
    place = memory.seen[number][1] if action.verb == "gograb" else number
    room = memory.furniture[place].room
    where = "here" if room == memory.room else f"in <{room}>"
    stands_open = action.verb == "gocheck" and number in memory.opened
    return f"{action}, {where}{', stands open' if stands_open else ''}"


def render(
    *,
    name: str,
    partner: str,
    memory: Memory,
    goal: str,
    target: Ref,
    rooms: tuple[str, ...],
    when: str,
) -> str:
    """Return the whole prompt; the last result and new messages stand in it word for word."""
    options = [describe(a, memory) for a in available(memory, rooms, target)]
    options.append(f"[send_message] <{partner}>")
    progress = ", ".join(
        f"{done} of {memory.goal.counts[kind]} <{kind}>" for kind, done in memory.progress().items()
    )
    lines = [
        f"You are {name}. Your partner is {partner}.",
        f"Goal: {goal}.",
        f"Known progress: {progress}.",
        f"{when} You are in <{memory.room}>.",
        f"You hold: {', '.join(map(str, memory.held)) or 'nothing'}.",
        f"Rooms explored: {', '.join(f'<{room}>' for room in memory.explored)}.",
        f"Partner: {memory.partner or 'not seen yet.'}",
        f"Your last actions: {', '.join(memory.actions) or 'none'}.",
    ]
    if memory.dialogue:
        lines += ["Dialogue:", *memory.dialogue]
    lines += ["Last result:", memory.result or "Nothing yet."]
    lines += ["Available actions:"]
    lines += [f"{chr(65 + index)}. {option}" for index, option in enumerate(options)]
    return "\n".join(lines)
