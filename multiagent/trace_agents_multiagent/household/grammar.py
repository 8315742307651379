"""One grammar for what an agent can do: `[grab] <plate> (12)`, read and written."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trace_agents.errors import InvalidValue

MAX_MESSAGE = 500
ARITY = {
    "walktowards": 1,
    "open": 1,
    "close": 1,
    "grab": 1,
    "putin": 2,
    "putback": 2,
    "noop": 0,
    "goexplore": 1,
    "gocheck": 1,
    "gograb": 1,
    "goput": 1,
}
"""How many things follow each verb; `send_message` has a form of its own."""

MACROS = ("goexplore", "gocheck", "gograb", "goput", "send_message")
"""The verbs that an agent decides on; each unrolls into low-level actions."""

_REF = re.compile(r"<([^<>]+)>(?: \((\d+)\))?")
_ACTION = re.compile(r"\[(\w+)\]((?: <[^<>]+>(?: \(\d+\))?)*)")
_MESSAGE = re.compile(r"\[send_message\] <([^<>]+)>: (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ref:
    """A named thing; rooms and agents are named without a number."""

    name: str
    id: int | None = None

    def __str__(self) -> str:
        return f"<{self.name}>" if self.id is None else f"<{self.name}> ({self.id})"


@dataclass(frozen=True, slots=True)
class Action:
    """One action or macro."""

    verb: str
    targets: tuple[Ref, ...] = ()
    text: str = ""

    def __str__(self) -> str:
        return unparse(self)


NOOP = Action("noop")


def unparse(action: Action) -> str:
    """Return the action as text."""
    things = "".join(f" {target}" for target in action.targets)
    tail = f": {action.text}" if action.verb == "send_message" else ""
    return f"[{action.verb}]{things}{tail}"


def parse(text: str) -> Action:
    """Return the action that `text` writes; raise InvalidValue with the form that is expected."""
    if message := _MESSAGE.fullmatch(text):
        return Action("send_message", (Ref(message[1]),), message[2])
    match = _ACTION.fullmatch(text)
    if match is None or match[1] not in ARITY:
        raise InvalidValue(f"{text!r} is not an action; write it like '[grab] <plate> (12)'")
    targets = tuple(parse_ref(part) for part in re.findall(r"<[^<>]+>(?: \(\d+\))?", match[2]))
    if len(targets) != ARITY[match[1]]:
        raise InvalidValue(
            f"{text!r} names {len(targets)} things, [{match[1]}] takes {ARITY[match[1]]}"
        )
    return Action(match[1], targets)


def parse_ref(text: str) -> Ref:
    """Return the thing that `<plate> (12)` or `<kitchen>` names."""
    match = _REF.fullmatch(text.strip())
    if match is None:
        raise InvalidValue(f"{text!r} names nothing; write it like '<plate> (12)' or '<kitchen>'")
    return Ref(match[1], int(match[2]) if match[2] else None)
