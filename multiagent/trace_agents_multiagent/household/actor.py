"""One agent's hands: macros that unroll into low-level actions, one a step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trace_agents_multiagent.household.grammar import MAX_MESSAGE, NOOP, Action, Ref
from trace_agents_multiagent.household.layout import Furniture
from trace_agents_multiagent.household.memory import Memory
from trace_agents_multiagent.household.rules import HANDS, REACH
from trace_agents_multiagent.household.text import goal_sentence, render

if TYPE_CHECKING:
    from trace_agents_multiagent.household.household import Household


class Actor:
    """What one agent can do and knows. Every macro takes one step or more, a refused one too."""

    def __init__(self, household: Household, name: str) -> None:
        self.name = name
        self._household = household

    @property
    def memory(self) -> Memory:
        """What the agent knows."""
        return self._household.memories[self.name]

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return self._household.over

    @property
    def decisions(self) -> int:
        """How many macros the agent has begun."""
        return self._household.tallies[self.name].decisions

    @property
    def partner(self) -> str:
        """The name of the first teammate; `nobody` for an agent alone."""
        return next((n for n in self._household.memories if n != self.name), "nobody")

    def prompt(self) -> str:
        """Return the decision prompt."""
        house = self._household.house
        target = self._target
        return render(
            name=self.name,
            partner=self.partner,
            memory=self.memory,
            goal=goal_sentence(house.layout.goal.counts, target),
            target=target.ref,
            rooms=tuple(house.layout.rooms),
            when=f"Step {house.steps} of {house.max_steps}.",
        )

    async def do(self, macro: Action) -> str:
        """Carry out a macro and return what came of it."""
        target = macro.targets[0] if macro.targets else Ref("")
        match macro.verb:
            case "goexplore":
                return await self.goexplore(target.name)
            case "gocheck":
                return await self.gocheck(target.id or str(target))
            case "gograb":
                return await self.gograb(target.id or str(target))
            case "goput":
                return await self.goput(target.id or str(target))
            case "send_message":
                return await self.send_message(macro.text)
            case _:
                return await self._refuse(str(macro), f"[{macro.verb}] is no macro")

    async def goexplore(self, room: str) -> str:
        """Walk to a room and look around."""
        room = room.strip().strip("<>")
        label = f"[goexplore] <{room}>"
        if room not in self._household.house.layout.rooms:
            return await self._refuse(label, f"there is no room <{room}>")
        self._begin(label)
        self._household.note_explore(self.name, room)
        if self.memory.room == room:
            await self._act(NOOP)
        while self.memory.room != room and not self.over:
            await self._act(Action("walktowards", (Ref(room),)))
        return self._end(f"You are in <{room}>. {self._sight()}")

    async def gocheck(self, container: int | str) -> str:
        """Walk to a container, open it and look inside."""
        furniture = self._furniture(container)
        if furniture is None or not furniture.container:
            return await self._refuse(
                f"[gocheck] {container}", f"you know no container {container}"
            )
        self._begin(f"[gocheck] {furniture.ref}")
        if refusal := await self._reach_and_open(furniture):
            return self._end(refusal)
        self._household.note_check(self.name, furniture.id)
        self.memory.checked.add(furniture.id)
        return self._end(f"{furniture.ref} is open. {self._inside(furniture)}")

    async def gograb(self, item: int | str) -> str:
        """Walk to an object and take it."""
        known = self.memory.seen.get(_number(item))
        if known is None:
            return await self._refuse(f"[gograb] {item}", f"you do not know where {item} is")
        thing, place = known
        self._begin(f"[gograb] {thing}")
        if len(self.memory.held) >= HANDS:
            await self._act(NOOP)
            return self._end(f"{self.name} has no free hand to grab {thing}.")
        furniture = self.memory.furniture[place]
        if refusal := await self._reach_and_open(furniture):
            return self._end(refusal)
        if thing.id not in self.memory.seen:
            return self._end(f"{thing} is no longer where {self.name} knew it, at {furniture.ref}.")
        refusal = await self._act(Action("grab", (thing,)))
        return self._end(f"{refusal}." if refusal else f"You hold {thing} now.")

    async def goput(self, target: int | str) -> str:
        """Walk to a piece of furniture and put there all that is held."""
        furniture = self._furniture(target)
        if furniture is None or not self.memory.held:
            why = "you hold nothing" if furniture else f"you know no place {target}"
            return await self._refuse(f"[goput] {target}", why)
        self._begin(f"[goput] {furniture.ref}")
        if furniture.id == self._target.id:
            self._household.note_delivery(self.name, len(self.memory.held))
        if refusal := await self._reach_and_open(furniture):
            return self._end(refusal)
        verb = "putin" if furniture.container else "putback"
        put: list[str] = []
        for item in self.memory.held:
            if self.over:
                break
            if refusal := await self._act(Action(verb, (item, furniture.ref))):
                return self._end(f"{refusal}.")
            put.append(str(item))
        return self._end(f"You put {' and '.join(put)} {furniture.relation} {furniture.ref}.")

    async def send_message(self, text: str) -> str:
        """Send a message to the partner; it arrives with the next step."""
        text = " ".join(text.split())[:MAX_MESSAGE]
        self._begin("[send_message]")
        refusal = await self._act(Action("send_message", (Ref(self.partner),), text))
        if refusal:
            return self._end(f"{refusal}.")
        self.memory.dialogue.append(f"{self.name}: {text}")
        return self._end(f"You sent a message to {self.partner}.")

    async def hesitate(self, reason: str) -> None:
        """Lose a step; the next prompt says why."""
        self._begin("[nothing]")
        await self._act(NOOP)
        self._end(f"You did nothing for a step: {reason}.")

    @property
    def _target(self) -> Furniture:
        layout = self._household.house.layout
        return layout.furniture[layout.goal.target]

    def _furniture(self, which: int | str) -> Furniture | None:
        number = _number(which)
        return self._target if number == self._target.id else self.memory.furniture.get(number)

    def _begin(self, label: str) -> None:
        self._household.tallies[self.name].decisions += 1
        self.memory.actions.append(label)

    def _end(self, text: str) -> str:
        if self.over:
            text = f"{text} The episode is over after {self._household.house.steps} steps."
        self.memory.result = text
        return text

    async def _refuse(self, label: str, why: str) -> str:
        self._begin(label)
        self._household.tallies[self.name].refused += 1
        await self._act(NOOP)
        return self._end(f"Refused: {why}. Choose one of the available actions.")

    async def _act(self, action: Action) -> str:
        return "" if self.over else await self._household.act(self.name, action)

    async def _reach_and_open(self, furniture: Furniture) -> str:
        """Walk, and open what is closed; one step at least. Return a refusal or nothing."""
        house, steps = self._household.house, self._household.house.steps
        while house.distance(self.name, furniture) > REACH and not self.over:
            await self._act(Action("walktowards", (furniture.ref,)))
        if not house.is_open(furniture.id):
            refusal = await self._act(Action("open", (furniture.ref,)))
            # a teammate that opened it in the same step did the work
            if refusal and not house.is_open(furniture.id):
                return f"{refusal}."
        if house.steps == steps and self.memory.actions[-1].startswith("[gocheck]"):
            await self._act(NOOP)
        if self.over and not house.solved:
            return "There was no time left."
        return ""

    def _inside(self, furniture: Furniture) -> str:
        items = [item for item, place in self.memory.seen.values() if place == furniture.id]
        found = [f"{item} is {furniture.relation} {furniture.ref}." for item in items]
        return " ".join(found) or f"Nothing useful is {furniture.relation} it."

    def _sight(self) -> str:
        around = [f for f in self.memory.furniture.values() if f.room == self.memory.room]
        full = [
            self._inside(f)
            for f in around
            if any(place == f.id for _, place in self.memory.seen.values())
            and (not f.container or f.id in self.memory.opened)
        ]
        return " ".join(full) or "No loose objects here."


def _number(which: int | str) -> int:
    digits = re.findall(r"\d+", str(which))
    return int(digits[-1]) if digits else -1
