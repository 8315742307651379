"""The sentences that the rule-following policy obeys, as one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Pool = Literal["helpful", "neutral", "harmful"]


@dataclass(frozen=True, slots=True)
class Directive:
    """A sentence with its effect on the policy."""

    text: str
    """The sentence itself; found in a system prompt whatever its case."""
    effect: str
    """The name of the habit that it switches on; empty where it changes nothing."""
    pool: Pool
    """What it did to the steps, given alone to both agents, on development seeds."""


DIRECTIVES: tuple[Directive, ...] = (
    Directive("Do not chat.", "silent", "helpful"),
    Directive("Carry two objects before you deliver.", "carry_two", "helpful"),
    # within noise when both have it; when one of two has it they search from opposite ends, which
    # saved 0.6 steps alone and 1.4 on top of the two directives above (500 seeds, se 0.3)
    Directive("Explore the rooms from last to first.", "reverse_rooms", "neutral"),
    Directive("Skip containers that stand open.", "skip_open", "helpful"),
    Directive("Be polite.", "", "neutral"),
    Directive("Think step by step.", "", "neutral"),
    Directive("Double-check your spelling.", "", "neutral"),
    Directive("Always do your best.", "", "neutral"),
    Directive("Report every find to your partner.", "report", "harmful"),
    Directive("Explore every room before you check any container.", "explore_first", "harmful"),
    Directive("Check every container twice.", "twice", "harmful"),
    Directive("Wait for your partner before you act.", "wait", "harmful"),
)


def effects(system_prompt: str, table: Iterable[Directive] = DIRECTIVES) -> frozenset[str]:
    """Return the effects of all directives that stand in `system_prompt`."""
    prompt = " ".join(system_prompt.lower().split())
    return frozenset(d.effect for d in table if d.effect and d.text.lower() in prompt)
