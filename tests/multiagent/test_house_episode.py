"""Lock-step episodes: actors, prompts, leaving, feedback."""

from __future__ import annotations

import json
import random

import anyio
import pytest

from trace_agents.errors import EpisodeFailed
from trace_agents_multiagent.household import (
    FAMILIES,
    SENTENCES,
    Actor,
    Finding,
    Household,
    HouseholdResult,
    HouseTask,
    judge,
    render_findings,
)
from trace_agents_multiagent.standin.policy import decide

TASK = HouseTask("put_dishwasher", "dev", 4)


async def play(actor: Actor, prompt: str = "", delays: random.Random | None = None) -> None:
    """Let the policy act until the episode is over, with checkpoints in between."""
    while not actor.over:
        for _ in range(delays.randrange(6) if delays else 0):
            await anyio.lowlevel.checkpoint()
        decision = decide(prompt, actor.prompt())
        (value,) = decision.arguments.values()
        await getattr(actor, decision.tool)(value)


async def episode(task: HouseTask, delays: random.Random | None = None) -> HouseholdResult:
    """Run both agents on one task."""
    household = Household(task)

    async def live(name: str) -> None:
        async with household.actor(name) as actor:
            await play(actor, delays=delays)

    async with anyio.create_task_group() as group:
        for name in household.memories:
            group.start_soon(live, name)
    return household.result()


async def test_the_outcome_does_not_depend_on_who_thinks_faster() -> None:
    """Random pauses change nothing, in sixteen episodes at once."""
    tasks = [HouseTask(f, "dev", n) for f in sorted(FAMILIES) for n in range(3)]
    calm = [await episode(task) for task in tasks]
    hasty: dict[int, HouseholdResult] = {}

    async def run(index: int, task: HouseTask) -> None:
        hasty[index] = await episode(task, random.Random(index))

    async with anyio.create_task_group() as group:
        for index, task in enumerate(tasks):
            group.start_soon(run, index, task)
    assert [hasty[index] for index in range(len(tasks))] == calm
    assert all(result.solved for result in calm)


async def test_the_last_result_and_messages_stand_verbatim_in_the_prompt() -> None:
    """What a macro returned and what the partner wrote are found by content."""
    household = Household(TASK)
    text = "the <plate> (4711) is in my pocket"

    async with household.actor("alice") as alice, household.actor("bob") as bob:
        async with anyio.create_task_group() as group:
            group.start_soon(alice.send_message, text)
            group.start_soon(bob.hesitate, "thinking")
        assert f"\n{alice.memory.result}\n" in alice.prompt()
        assert text in bob.prompt()
        assert len(bob.prompt()) < 1800


async def test_a_cancelled_agent_keeps_nobody_waiting() -> None:
    """The partner of an agent that was cancelled goes on alone and finishes."""
    household = Household(TASK)
    scope = anyio.CancelScope()

    async def dies() -> None:
        with scope:
            async with household.actor("bob"):
                await anyio.sleep_forever()

    async def lives() -> None:
        async with household.actor("alice") as alice:
            scope.cancel()
            await play(alice)

    async with anyio.create_task_group() as group:
        group.start_soon(dies)
        group.start_soon(lives)
    assert household.result().solved


async def test_a_step_that_was_cancelled_while_waiting_is_withdrawn() -> None:
    """A time limit around a macro leaves no action behind, and the agent may choose again."""
    household = Household(TASK)
    async with household.actor("alice") as alice, household.actor("bob") as bob:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await alice.goexplore("kitchen")
        assert household.house.steps == 0
        async with anyio.create_task_group() as group:
            group.start_soon(alice.hesitate, "too slow")
            group.start_soon(bob.hesitate, "too slow")
        assert household.house.steps == 1
        assert "too slow" in alice.prompt()


async def test_nonsense_costs_a_step_and_is_explained() -> None:
    """Unknown rooms, containers, objects and places are refused with a reason."""
    household = Household(TASK, ("alice",))
    async with household.actor("alice") as alice:
        for call in (alice.goexplore, alice.gocheck, alice.gograb, alice.goput):
            assert (await call("moon")).startswith("Refused: ")
    assert household.house.steps == 4
    assert "alice: had 4 actions refused." in judge(TASK, household.result()).text


def test_an_unknown_agent_cannot_enter() -> None:
    """A house knows its agents by name."""
    with pytest.raises(EpisodeFailed, match="carol"):
        Household(TASK, ("carol",))


async def test_the_judge_counts_steps_and_names_waste() -> None:
    """The score is minus the steps; each line of the text is an outcome or a finding."""
    result = await episode(TASK)
    verdict = judge(TASK, result)
    assert verdict.score == -result.steps
    assert verdict.text.splitlines()[0] == f"Solved in {result.steps} steps."
    assert len(verdict.text.splitlines()) == 1 + len(result.findings)
    assert "told bob nothing new." in verdict.text
    assert json.loads(json.dumps(result.to_json()))["steps"] == result.steps


def test_findings_can_be_permuted_and_rendered_again() -> None:
    """Another count gives another sentence of the same kind; every kind has a sentence."""
    finding = Finding("alice", "idle_chat", 6, 7, "bob")
    assert finding.text == "alice: sent 7 messages, 6 of them told bob nothing new."
    assert "9 of them" in finding.with_count(9).text
    lost = HouseholdResult(False, 250, 250, 3, 4)
    assert render_findings(lost) == "Not solved in 250 steps: 1 of 4 goals missing."
    for kind in SENTENCES:
        assert "3" in Finding("a", kind, 3).text


def test_the_judge_refuses_other_outputs() -> None:
    """Only a HouseholdResult can be judged."""
    with pytest.raises(TypeError, match="HouseholdResult"):
        judge(TASK, "done")
