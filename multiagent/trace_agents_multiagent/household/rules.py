"""What each low-level action requires and what it changes."""

from __future__ import annotations

import math

from trace_agents_multiagent.household.grammar import MAX_MESSAGE, Action, Ref
from trace_agents_multiagent.household.layout import Layout, Point
from trace_agents_multiagent.household.state import State

REACH = 1.5
"""From how many metres an agent can handle furniture."""
HANDS = 2
"""How many objects an agent can hold."""


def refusal(layout: Layout, state: State, *, agent: str, action: Action) -> str:
    """Return why `agent` cannot do `action` now, or nothing."""
    match action.verb:
        case "noop":
            return ""
        case "walktowards":
            return _refuse_walk(layout, action.targets[0])
        case "send_message":
            return _refuse_message(state, agent, action)
        case "open" | "close":
            return _refuse_handle(layout, state, agent, action)
        case "grab":
            return _refuse_grab(layout, state, agent, action.targets[0])
        case "putin" | "putback":
            return _refuse_put(layout, state, agent, action)
        case _:
            return f"[{action.verb}] is a macro; this step takes low-level actions only"


def apply(layout: Layout, state: State, *, agent: str, action: Action) -> None:
    """Change `state` by an action that is not refused."""
    match action.verb:
        case "walktowards":
            body = state.bodies[agent]
            body.walk(layout.path(body.at, body.room, *_destination(layout, action.targets[0])))
        case "send_message":
            state.mail[action.targets[0].name].append((agent, action.text))
        case "open":
            state.opened.add(action.targets[0].id or 0)
        case "close":
            state.opened.discard(action.targets[0].id or 0)
        case "grab":
            _grab(state, agent, action.targets[0].id or 0)
        case "putin" | "putback":
            item, place = (ref.id or 0 for ref in action.targets)
            state.bodies[agent].held.remove(item)
            state.contents[place].append(item)
        case _:
            pass


def _refuse_walk(layout: Layout, target: Ref) -> str:
    known = target.name in layout.rooms if target.id is None else _stands(layout, target)
    return "" if known else f"there is no {target} to walk to"


def _refuse_message(state: State, agent: str, action: Action) -> str:
    to = action.targets[0].name
    if to == agent or to not in state.bodies:
        return f"{agent} cannot send a message to <{to}>: no such teammate"
    if len(action.text) > MAX_MESSAGE:
        return f"{agent}'s message has {len(action.text)} characters; {MAX_MESSAGE} are allowed"
    return ""


def _refuse_handle(layout: Layout, state: State, agent: str, action: Action) -> str:
    target = action.targets[0]
    if far := _far(layout, state, agent, target):
        return far
    furniture = layout.furniture[target.id or 0]
    if not furniture.container:
        return f"{target} cannot be opened or closed"
    if (furniture.id in state.opened) == (action.verb == "open"):
        return f"{target} is already {'open' if action.verb == 'open' else 'closed'}"
    if len(state.bodies[agent].held) >= HANDS:
        return f"{agent} has no free hand to {action.verb} {target}"
    return ""


def _refuse_grab(layout: Layout, state: State, agent: str, target: Ref) -> str:
    number = target.id or 0
    if layout.objects.get(number) != target:
        return f"there is no {target} here"
    for name, body in state.bodies.items():
        if number in body.held:
            return f"{agent} cannot grab {target}: {name} holds it"
    place = next(f for f, held in state.contents.items() if number in held)
    furniture = layout.furniture[place]
    if far := _far(layout, state, agent, furniture.ref):
        return f"{agent} cannot grab {target}: {far}"
    if not state.accessible(furniture):
        return f"{agent} cannot grab {target}: {furniture.ref} is closed"
    if len(state.bodies[agent].held) >= HANDS:
        return f"{agent} has no free hand to grab {target}"
    return ""


def _refuse_put(layout: Layout, state: State, agent: str, action: Action) -> str:
    item, target = action.targets
    if item.id not in state.bodies[agent].held:
        return f"{agent} does not hold {item}"
    if far := _far(layout, state, agent, target):
        return far
    furniture = layout.furniture[target.id or 0]
    if furniture.container != (action.verb == "putin"):
        return f"{target} takes [{'putin' if furniture.container else 'putback'}] only"
    return "" if state.accessible(furniture) else f"{target} is closed"


def _far(layout: Layout, state: State, agent: str, target: Ref) -> str:
    if not _stands(layout, target):
        return f"there is no {target} here"
    away = state.bodies[agent].distance(layout.furniture[target.id or 0])
    if away <= REACH + 1e-9:
        return ""
    if math.isinf(away):
        return f"{agent} is not close to {target}; it is in another room"
    return f"{agent} is not close to {target}; {away:.1f} m away"


def _stands(layout: Layout, target: Ref) -> bool:
    found = layout.furniture.get(target.id or 0)
    return found is not None and found.name == target.name


def _destination(layout: Layout, target: Ref) -> tuple[Point, str]:
    if target.id is None:
        return layout.rooms[target.name].centre, target.name
    furniture = layout.furniture[target.id]
    return furniture.at, furniture.room


def _grab(state: State, agent: str, item: int) -> None:
    for held in state.contents.values():
        if item in held:
            held.remove(item)
    state.bodies[agent].held.append(item)
