"""The rule-following policy: pure, documented, never stuck, and better or worse by directive."""

from __future__ import annotations

import itertools
from statistics import mean

import anyio
import pytest

from trace_agents_multiagent.household import FAMILIES, Household, HouseholdResult, HouseTask
from trace_agents_multiagent.standin.policy import DIRECTIVES, decide, effects

BASE = "Work together with your partner to finish the task. "
EFFECTS = {directive.effect: directive.text for directive in DIRECTIVES if directive.effect}


async def episode(task: HouseTask, alice: str, bob: str) -> HouseholdResult:
    household = Household(task)

    async def live(name: str, prompt: str) -> None:
        async with household.actor(name) as actor:
            while not actor.over:
                decision = decide(prompt, actor.prompt())
                (value,) = decision.arguments.values()
                await getattr(actor, decision.tool)(value)

    async with anyio.create_task_group() as group:
        group.start_soon(live, "alice", BASE + alice)
        group.start_soon(live, "bob", BASE + bob)
    return household.result()


async def results(alice: str, bob: str, seeds: int = 40) -> list[HouseholdResult]:
    families = itertools.cycle(sorted(FAMILIES))
    tasks = [HouseTask(family, "dev", seed) for seed, family in zip(range(seeds), families)]  # noqa: B905
    return [await episode(task, alice, bob) for task in tasks]


def test_directives_are_found_whatever_their_case() -> None:
    """A directive counts by its words; other text has no effect."""
    assert effects("do NOT\nchat. Be polite. Fly to the moon.") == {"silent"}


async def test_the_same_texts_give_the_same_decision() -> None:
    """The policy keeps no state."""
    household = Household(HouseTask("read_book", "dev", 1))
    async with household.actor("alice") as alice:
        assert decide(BASE, alice.prompt()) == decide(BASE, alice.prompt())
        assert decide(BASE, alice.prompt()).tool == "send_message"
        assert decide(EFFECTS["silent"], alice.prompt()).tool != "send_message"


async def test_directives_help_and_harm_as_the_table_says() -> None:
    """On paired development seeds helpful directives save steps, harmful ones cost steps."""
    base = mean(result.steps for result in await results("", ""))
    for directive in DIRECTIVES:
        if directive.pool == "neutral":
            continue
        steps = mean(r.steps for r in await results(directive.text, directive.text))
        assert (steps < base) == (directive.pool == "helpful"), directive.text


async def test_a_good_prompt_saves_a_seventh_of_the_steps() -> None:
    """Seed prompt against silence, full hands and a divided search."""
    good = f"{EFFECTS['silent']} {EFFECTS['carry_two']}"
    before = mean(result.steps for result in await results("", ""))
    after = mean(r.steps for r in await results(f"{good} {EFFECTS['reverse_rooms']}", good))
    assert before - after > before / 7


@pytest.mark.parametrize("pair", list(itertools.combinations(sorted(EFFECTS), 2)), ids="+".join)
async def test_no_pair_of_directives_gets_stuck(pair: tuple[str, str]) -> None:
    """Whatever two directives are combined, tasks are solved within the limit."""
    prompt = " ".join(EFFECTS[effect] for effect in pair)
    assert all(result.solved for result in await results(prompt, prompt, 10))


async def test_all_directives_together_do_not_get_stuck() -> None:
    """Even contradictory advice ends in solved tasks."""
    prompt = " ".join(EFFECTS.values())
    solved = [result.solved for result in await results(prompt, prompt, 20)]
    assert mean(solved) >= 0.95
