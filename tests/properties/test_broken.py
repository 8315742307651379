"""Each invariant's check finds a copy of the library that breaks the invariant on purpose."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from tests.properties import invariants
from tests.properties.plans import Plan, budgets, plans
from tests.properties.world import World
from trace_agents.store import ParameterStore, Version
from trace_agents.training import EpisodeRunner, Ledger, Reservation, Rollout
from trace_agents.training.budgets.meter import MeteredTrace
from trace_agents.training.proposals.proposing import checked_changes, stale
from trace_agents.training.runs.loop import Loop
from trace_agents.training.tasks.lists import Tasks, split_tasks
from trace_agents.training.telling.state import RunState

pytestmark = pytest.mark.filterwarnings("ignore:no episode has read the parameter")
searching = settings(
    deadline=None,
    database=None,
    derandomize=True,
    max_examples=80,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

Break = Callable[[pytest.MonkeyPatch, World], None]


def everywhere(patch: pytest.MonkeyPatch, original: object, other: object) -> None:
    """Put `other` in the place of a function in every module that imported it."""
    name = getattr(original, "__name__", "")
    for place, module in tuple(sys.modules.items()):
        own = place.startswith("trace_agents.training")
        if own and getattr(module, name, None) is original:
            patch.setattr(module, name, other)


def in_place(patch: pytest.MonkeyPatch, world: World) -> None:
    """A swap that writes into the version before."""
    swap: Callable[..., Version] = ParameterStore.swap

    def changing(self: ParameterStore, *args: Any, **named: Any) -> Version:
        made = swap(self, *args, **named)
        object.__setattr__(self.get(made.id - 1), "values", made.values)
        return made

    patch.setattr(ParameterStore, "swap", changing)


def live_reads(patch: pytest.MonkeyPatch, world: World) -> None:
    """Episodes that read the head as it is at that moment."""

    class Live(MeteredTrace):
        def value_of(self, name: str, default: object = None) -> object:
            self.read.add(name)
            versions = world.head()
            return versions[-1].values[name] if self.version >= 0 else self.values[name]

    everywhere(patch, MeteredTrace, Live)


def used_again(patch: pytest.MonkeyPatch, world: World) -> None:
    """A loop that forgets which episodes a decision has used."""
    collect = Loop._collect

    async def forgetful(self: Loop, decision: int) -> list[Rollout]:
        batch = await collect(self, decision)
        self.finished.update({rollout.index: rollout for rollout in batch})
        return batch

    patch.setattr(Loop, "_collect", forgetful)


def shared_tasks(patch: pytest.MonkeyPatch, world: World) -> None:
    """A split that lets train tasks judge."""

    def overlapping(*args: Any, **named: Any) -> Tasks:
        tasks = split_tasks(*args, **named)
        return replace(tasks, gate=(*tasks.gate, tasks.train[0]))

    everywhere(patch, split_tasks, overlapping)


def never_stale(patch: pytest.MonkeyPatch, world: World) -> None:
    """A loop that takes feedback of any age."""

    def fresh(*_args: object) -> frozenset[str]:
        return frozenset()

    everywhere(patch, stale, fresh)


def by_acceptance(patch: pytest.MonkeyPatch, world: World) -> None:
    """Admission that waits for versions instead of decisions."""
    admit = Loop._admit

    def waiting(self: Loop, *args: Any) -> None:
        if self.admitted < len(self.state.store.versions()) + self.options.lag:
            admit(self, *args)

    patch.setattr(Loop, "_admit", waiting)


def no_evidence(patch: pytest.MonkeyPatch, world: World) -> None:
    """A swap that forgets why."""
    swap: Callable[..., Version] = ParameterStore.swap

    def forgetful(self: ParameterStore, *args: Any, **named: Any) -> Version:
        return swap(self, *args, **{**named, "evidence": None})

    patch.setattr(ParameterStore, "swap", forgetful)


def no_comparison(patch: pytest.MonkeyPatch, world: World) -> None:
    """A swap that replaces whatever is live by now."""
    swap: Callable[..., Version] = ParameterStore.swap

    def careless(self: ParameterStore, *args: Any, **named: Any) -> Version:
        return swap(self, *args, **{**named, "expected": self.head.id})

    patch.setattr(ParameterStore, "swap", careless)


def no_reservation(patch: pytest.MonkeyPatch, world: World) -> None:
    """A ledger that counts only what is spent."""

    def nothing(_self: Ledger, _episodes: int, _tokens: int, _usd: float, _calls: int) -> None:
        return

    patch.setattr(Ledger, "_hold", nothing)


def leaked_lease(patch: pytest.MonkeyPatch, world: World) -> None:
    """Reservations that are not given back by who never started."""

    def kept(_self: Reservation) -> None:
        return

    patch.setattr(Reservation, "release", kept)


def unowned_task(patch: pytest.MonkeyPatch, world: World) -> None:
    """Episodes in tasks of nobody's, which a cancellation does not reach."""
    run_now: Callable[..., Any] = EpisodeRunner.run_now

    async def shielded(self: EpisodeRunner, *args: Any, **named: Any) -> Rollout:
        rollout: Rollout = await asyncio.shield(
            asyncio.ensure_future(run_now(self, *args, **named))
        )
        return rollout

    patch.setattr(EpisodeRunner, "run_now", shielded)


def told_early(patch: pytest.MonkeyPatch, world: World) -> None:
    """Episodes that are reported when they end, and written down when there is time."""
    ended = RunState.ended

    def telling(self: RunState, rollout: Rollout) -> None:
        ended(self, rollout)
        self.notify(self._ended[-1][1])

    patch.setattr(RunState, "ended", telling)


def unlogged(patch: pytest.MonkeyPatch, world: World) -> None:
    """A store that writes episodes down without their events."""
    record: Callable[..., None] = ParameterStore.record_ended

    def silent(self: ParameterStore, records: Any, bodies: Any, log: Any) -> None:
        record(self, records, bodies, log[1:])

    patch.setattr(ParameterStore, "record_ended", silent)


def any_value(patch: pytest.MonkeyPatch, world: World) -> None:
    """A loop that believes what is proposed."""

    def believing(
        _parameters: object, _head: object, changes: object
    ) -> tuple[dict[str, object], tuple[str, ...]]:
        if not isinstance(changes, Mapping):
            return {}, ()
        return dict(cast("Mapping[str, object]", changes)), ()

    everywhere(patch, checked_changes, believing)


def noted_deadline(patch: pytest.MonkeyPatch, world: World) -> None:
    """A deadline that cancels nothing."""

    def never(_self: EpisodeRunner) -> float:
        return math.inf

    patch.setattr(EpisodeRunner, "_latest", never)


def body_goes_on(patch: pytest.MonkeyPatch, world: World) -> None:
    """A deadline that ends the waiting, while the episode runs on and changes its end later."""
    attempt: Callable[..., Any] = EpisodeRunner._attempt

    async def shielded(self: EpisodeRunner, *args: Any) -> bool:
        again: bool = await asyncio.shield(asyncio.ensure_future(attempt(self, *args)))
        return again

    patch.setattr(EpisodeRunner, "_attempt", shielded)


PLAIN: dict[str, object] = {
    "operator": False,
    "batches": "mixed",
    "candidate": None,
    "report": False,
    "rollback": False,
}
EAGER: dict[str, object] = {"proposals": 8, "malformed": 0.0, "failing": 0.0}
"""Many versions go live."""
BROKEN: tuple[tuple[invariants.Check, Break, dict[str, object]], ...] = (
    (invariants.versions_only_grow, in_place, {}),
    (invariants.one_version_per_episode, live_reads, {"lag": 3, **EAGER}),
    (invariants.consumed_once_and_disjoint, used_again, {"deterministic": False}),
    (invariants.consumed_once_and_disjoint, shared_tasks, {}),
    (invariants.stale_feedback_is_dropped, never_stale, {"staleness": 0, "lag": 3, **EAGER}),
    (invariants.nobody_starves, by_acceptance, {}),
    (invariants.every_version_has_evidence, no_evidence, {}),
    (invariants.every_version_has_evidence, no_comparison, {"operator": True}),
    (invariants.the_budget_holds, no_reservation, {"budget": budgets, "concurrency": 9}),
    (invariants.written_before_used, told_early, {}),
    (invariants.nothing_is_left, leaked_lease, {}),
    (invariants.nothing_is_left, unowned_task, {}),
    (invariants.nothing_is_left, unlogged, {}),
    (invariants.only_typed_values, any_value, {"malformed": 0.6}),
    (invariants.deadlines_cancel, noted_deadline, {"hanging": 0.2}),
    (invariants.deadlines_cancel, body_goes_on, {"hanging": 0.2}),
)


def violates(plan: Plan, cancel_at: int | None, check: invariants.Check, breaks: Break) -> bool:
    """Tell whether the check finds fault with a world in which the library is broken."""
    world = World(plan)
    with pytest.MonkeyPatch.context() as patch:
        breaks(patch, world)
        try:
            kept = world.run(cancel_at)
        except Exception:  # noqa: BLE001 - it is broken: a crash is no proof of the check
            return False
        try:
            check(world, kept)
        except AssertionError:
            return True
        return False


@pytest.mark.parametrize(
    ("check", "breaks", "fixed"), BROKEN, ids=lambda each: getattr(each, "__name__", "")
)
def test_a_broken_copy_violates_its_invariant(
    check: invariants.Check, breaks: Break, fixed: dict[str, object]
) -> None:
    """The search finds a plan in which it does; it raises where there is none."""
    moments: st.SearchStrategy[int | None] = st.one_of(st.none(), st.integers(1, 250))
    cases = st.tuples(plans(**{**PLAIN, **fixed}), moments)

    def refuted(case: tuple[Plan, int | None]) -> bool:
        return violates(case[0], case[1], check, breaks)

    plan, cancel_at = find(cases, refuted, settings=searching)
    assert violates(plan, cancel_at, check, breaks)
    assert not violates(plan, cancel_at, check, lambda _patch, _world: None)


def by_arrival(patch: pytest.MonkeyPatch, world: World) -> None:
    """Batches of whatever is done first."""
    collect = Loop._collect

    async def first_come(self: Loop, decision: int) -> list[Rollout]:
        fixed = self.options
        self.options = replace(fixed, deterministic=False)
        try:
            return await collect(self, decision)
        finally:
            self.options = fixed

    patch.setattr(Loop, "_collect", first_come)


def in_order_of_ends(patch: pytest.MonkeyPatch, world: World) -> None:
    """Batches of the right episodes, in the order in which they were done."""
    collect = Loop._collect

    async def sorted_by_end(self: Loop, decision: int) -> list[Rollout]:
        batch = await collect(self, decision)
        ends = {life.episode: life.ended or 0.0 for life in world.lives}
        return sorted(batch, key=lambda rollout: ends[rollout.episode])

    patch.setattr(Loop, "_collect", sorted_by_end)


@pytest.mark.parametrize("breaks", [by_arrival, in_order_of_ends])
def test_a_copy_that_looks_at_the_clock_is_not_deterministic(breaks: Break) -> None:
    """Two schedules of one plan decide differently."""

    def differs(plan: Plan) -> bool:
        found: list[list[object]] = []
        for delays in (1, 2):
            world = World(replace(plan, delays=delays, concurrency=2 + 5 * (delays - 1)))
            with pytest.MonkeyPatch.context() as patch:
                breaks(patch, world)
                found.append(invariants.decisions(world, world.run()))
        return found[0] != found[1]

    same = plans(**PLAIN, deterministic=True, hanging=0.0, deadline=None)
    assert find(same, differs, settings=searching).deterministic
