"""The invariants of training hold in any world, on any schedule, however it is interrupted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties import invariants
from tests.properties.plans import Plan, budgets, plans
from tests.properties.world import World, lived

pytestmark = pytest.mark.filterwarnings("ignore:no episode has read the parameter")
calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(calmly, max_examples=40)
@given(plans())
def test_every_invariant_holds_in_any_world(plan: Plan) -> None:
    """With failing, hanging and unreachable episodes, malformed proposals and an operator."""
    world, kept = lived(plan)
    for check in invariants.ALL:
        check(world, kept)


@settings(calmly, max_examples=30)
@given(plans(budget=budgets))
def test_no_limit_is_passed_at_any_instant(plan: Plan) -> None:
    """Of episodes, tokens, dollars and seconds, over agents, gate and optimizer together."""
    world, kept = lived(plan)
    for check in invariants.ALL:
        check(world, kept)


@settings(calmly, max_examples=20)
@given(plans(rejecting=True, operator=False, deterministic=False))
def test_a_gate_that_rejects_everything_starves_nobody(plan: Plan) -> None:
    """All decisions are made, and the first version stays."""
    world, kept = lived(plan)
    invariants.nobody_starves(world, kept)
    assert len(kept.versions) == 1


@settings(calmly, max_examples=40)
@given(plans(), st.floats(0, 1))
def test_cancelled_at_any_moment_nothing_is_left(plan: Plan, part: float) -> None:
    """No task, no lease; the store is what its log says, and every invariant holds."""
    world = World(plan)
    kept = world.run(cancel_at=1 + int(part * 250))
    for check in invariants.ALL:
        check(world, kept)


def test_cancelled_at_every_turn_of_one_run_nothing_is_left() -> None:
    """One world, and all moments at which it can be interrupted."""
    plan = Plan(
        seed=3,
        delays=1,
        concurrency=2,
        batch=1,
        proposals=1,
        malformed=0.2,
        failing=0.2,
        faults=0.2,
    )
    whole = World(plan)
    whole.run()
    for turn in range(1, whole.outcome.turns):
        world = World(plan)
        kept = world.run(cancel_at=turn)
        for check in invariants.ALL:
            check(world, kept)


@settings(calmly, max_examples=20)
@given(
    plans(deterministic=True, operator=False, hanging=0.0, deadline=None),
    st.integers(1, 9),
    st.integers(0, 10**6),
    st.one_of(st.none(), st.integers(5, 80)),
)
def test_a_deterministic_run_decides_the_same_on_any_schedule(
    plan: Plan, concurrency: int, delays: int, episodes: int | None
) -> None:
    """Whatever the number of episodes at once, and however long each of them takes."""
    plan = replace(plan, budget=replace(plan.budget, episodes=episodes))
    world, kept = lived(plan)
    other, others = lived(plan, concurrency=concurrency, delays=delays)
    assert invariants.decisions(world, kept) == invariants.decisions(other, others)
