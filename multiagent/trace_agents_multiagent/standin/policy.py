"""The brain of the stand-in chat model: fixed rules, read off the same texts a model would see.

It is no language model. Without directives it chats, carries one object at a time, searches the
rooms in the order they are listed, and looks again into containers that its partner has opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trace_agents_multiagent.standin.directives import DIRECTIVES, Directive, effects

__all__ = ["DIRECTIVES", "Decision", "Directive", "decide", "effects"]

CHAT_EVERY = 5
"""How many actions of its own the policy lets pass before it chats again."""

_OPTION = re.compile(r"^[A-Z]\. \[(\w+)\] <(\w+)>(?: \((\d+)\))?(.*)$", re.MULTILINE)
_OPTIONS_END = "Available actions:"


@dataclass(frozen=True, slots=True)
class Decision:
    """One tool call, with the reason for it."""

    tool: str
    arguments: dict[str, str]
    why: str


@dataclass(frozen=True, slots=True)
class _Option:
    verb: str
    name: str
    number: str
    note: str

    @property
    def here(self) -> bool:
        return "here" in self.note


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the policy reads in a prompt."""

    name: str
    partner: str
    room: str
    held: tuple[str, ...]
    missing: int
    explored: tuple[str, ...]
    actions: tuple[str, ...]
    partner_here: bool
    result: str
    options: tuple[_Option, ...] = field(default_factory=tuple[_Option, ...])

    def of(self, verb: str) -> list[_Option]:
        return [option for option in self.options if option.verb == verb]


def decide(system_prompt: str, prompt: str) -> Decision:
    """Return the next tool call; the same texts always give the same call."""
    scene, habits = _read(prompt), effects(system_prompt)
    return _interrupt(scene, habits) or _work(scene, habits)


def _line(prompt: str, start: str) -> str:
    found = re.search(rf"^{re.escape(start)}(.*)$", prompt, re.MULTILINE)
    return found[1] if found else ""


def _read(prompt: str) -> _Scene:
    names = re.search(r"You are (\w+)\. Your partner is (\w+)\.", prompt)
    room = re.search(r"You are in <(\w+)>", prompt)
    progress = re.findall(r"(\d+) of (\d+)", _line(prompt, "Known progress: "))
    partner = _line(prompt, "Partner: ")
    result = prompt.rpartition("Last result:\n")[2].partition(_OPTIONS_END)[0].strip()
    here = room[1] if room else ""
    return _Scene(
        name=names[1] if names else "",
        partner=names[2] if names else "",
        room=here,
        held=tuple(re.findall(r"<\w+> \(\d+\)", _line(prompt, "You hold: "))),
        missing=sum(int(want) - int(done) for done, want in progress),
        explored=tuple(re.findall(r"<(\w+)>", _line(prompt, "Rooms explored: "))),
        actions=tuple(
            re.findall(r"\[\w+\](?: <\w+>)?(?: \(\d+\))?", _line(prompt, "Your last actions: "))
        ),
        partner_here=f"was in <{here}>" in partner,
        result=result,
        options=tuple(_Option(*m) for m in _OPTION.findall(prompt.rpartition(_OPTIONS_END)[2])),
    )


def _interrupt(scene: _Scene, habits: frozenset[str]) -> Decision | None:
    """Return what a habit does instead of work, where one applies now."""
    last = scene.actions[-1] if scene.actions else ""
    found = re.findall(r"<\w+> \(\d+\) is (?:inside|on) <\w+> \(\d+\)\.", scene.result)
    # two actions back, so that reporting and waiting in turn cannot go on for ever
    told = any(action.startswith("[send_message]") for action in scene.actions[-2:])
    if "report" in habits and found and not told:
        return _say(f"I found: {' '.join(found)}", "a find to report")
    if "wait" in habits and not scene.partner_here and last != f"[goexplore] <{scene.room}>":
        return Decision("goexplore", {"room": scene.room}, "waits for its partner")
    if "twice" in habits and last.startswith("[gocheck]") and last not in scene.actions[:-1]:
        number = re.findall(r"\d+", last)
        return Decision("gocheck", {"container": number[-1]}, "checks once more")
    recent = scene.actions[-(CHAT_EVERY - 1) :]
    if "silent" not in habits and not any(a.startswith("[send_message]") for a in recent):
        hello = "" if scene.actions else f"Hello {scene.partner}! "
        return _say(
            f"{hello}I am in the {scene.room}. I keep working on our goal.", "keeps in touch"
        )
    return None


def _say(text: str, why: str) -> Decision:
    return Decision("send_message", {"text": text}, why)


def _work(scene: _Scene, habits: frozenset[str]) -> Decision:
    enough = min(2 if "carry_two" in habits else 1, max(scene.missing, 1))
    grabs, puts = scene.of("gograb"), scene.of("goput")
    if puts and len(scene.held) >= enough:
        return Decision("goput", {"target": puts[0].number}, "holds enough to deliver")
    if grabs:
        return Decision("gograb", {"item": grabs[0].number}, "knows an object that is needed")
    search = _search(scene, habits)
    if puts and (search is None or (scene.held and search.tool == "goexplore")):
        return Decision("goput", {"target": puts[0].number}, "finds nothing more nearby")
    return search or _wander(scene, habits)


def _search(scene: _Scene, habits: frozenset[str]) -> Decision | None:
    checks = scene.of("gocheck")
    if "skip_open" in habits:
        checks = [option for option in checks if "stands open" not in option.note]
    near = [option for option in checks if option.here]
    fresh = [room for room in _rooms(scene, habits) if room not in scene.explored]
    if fresh and (not near or "explore_first" in habits):
        return Decision("goexplore", {"room": fresh[0]}, "a room that it has not seen")
    if near or checks:
        return Decision("gocheck", {"container": (near or checks)[0].number}, "not checked yet")
    return None


def _rooms(scene: _Scene, habits: frozenset[str]) -> list[str]:
    rooms = [option.name for option in scene.of("goexplore")]
    return rooms[::-1] if "reverse_rooms" in habits else rooms


def _wander(scene: _Scene, habits: frozenset[str]) -> Decision:
    """Go round all rooms: what is missing was moved, or is in the partner's hands."""
    rooms = _rooms(scene, habits)
    after = rooms.index(scene.room) + 1 if scene.room in rooms else 0
    return Decision("goexplore", {"room": rooms[after % len(rooms)]}, "looks everywhere again")
