"""What happens to versions and candidates in a run: taken back, side by side, in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import pytest

from tests.core.training_toys import Climber, Dial, Scripted
from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Number, Parameter, Parameters, Values
from trace_agents.optimizers.base import Proposal
from trace_agents.store import ParameterStore, verify
from trace_agents.training import (
    Rollback,
    RolledBack,
    TrainingEvent,
    TrainResult,
    Tried,
    resume,
    train,
)

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
TRAIN = [f"train {i}" for i in range(10)]
GATE = [f"gate {i}" for i in range(6)]
RULE = Rollback(least=4)


def misleading(task: object, output: object) -> float:
    """More is better at the gate, and worse in service."""
    value = float(str(output))
    return value if str(task).startswith("gate") else -value


async def run(
    optimizer: Climber,
    folder: Path | None = None,
    *,
    on_event: Callable[[TrainingEvent], None] | None = None,
    rollback: Rollback | bool = RULE,
    tick: Callable[[], None] = lambda: None,
    proposals: int = 6,
) -> TrainResult:
    return await train(
        Dial(space=SPACE, tick=tick),
        TRAIN,
        guide=misleading,
        gate_tasks=GATE,
        optimizer=optimizer,
        proposals=proposals,
        batch_size=4,
        deterministic=True,
        run_dir=folder,
        on_event=on_event,
        rollback=rollback,
    )


class Stubborn(Climber):
    """Proposes 10, whatever is said, and 20 at last."""

    async def propose(self, values: Values | None = None) -> Proposal:
        self.tick()
        await anyio.lowlevel.checkpoint()
        self.count += 1
        return Proposal({"dial": 10 if self.count < 6 else 20})

    def remember(self, tried: Sequence[Tried]) -> None:
        self.count = len(tried)


async def test_a_version_that_is_worse_in_service_is_taken_back(tmp_path: Path) -> None:
    """As a new version with evidence, and its values are not accepted again."""
    events: list[TrainingEvent] = []
    result = await run(Stubborn(), tmp_path, on_event=events.append)
    assert [version.origin for version in result.versions] == [
        "initial",
        "proposal",
        "rollback",
        "proposal",
    ]
    back = result.versions[2]
    assert (dict(back.values), back.parent) == ({"dial": 0}, 1)
    assert back.evidence is not None
    assert (back.evidence.baseline, back.evidence.mean, back.evidence.n) == (1, 10.0, 4)
    rolled = [event for event in events if isinstance(event, RolledBack)]
    assert [(event.version, event.to) for event in rolled] == [(2, 0)]
    assert "worse in service than version 0: -10 against 0" in rolled[0].reason
    with ParameterStore(tmp_path, SPACE) as store:
        assert any("rolled back before" in p for r in store.proposals() for p in r.problems)
        assert verify(store) == ()
    assert [point.version for point in result.curve] == [0, 1, 1, 2, 2, 2, 3]


async def test_without_the_rule_nothing_is_taken_back() -> None:
    """Nor while there are fewer episodes than it asks for."""
    for rule in (False, Rollback(least=50)):
        result = await run(Stubborn(), rollback=rule)
        assert "rollback" not in {version.origin for version in result.versions}
    with pytest.raises(InvalidValue, match="least <= window"):
        Rollback(window=5, least=6)


async def test_a_version_that_fails_in_service_is_taken_back() -> None:
    """Episodes without a score have none that could be compared: their share counts."""

    class Fragile(Dial):
        async def run(self, task: object) -> object:
            output = await super().run(task)
            if str(task).startswith("train") and output != 0:
                raise ValueError("broken")
            return output

    result = await train(
        Fragile(space=SPACE),
        TRAIN,
        guide=lambda _task, output: float(str(output)),
        gate_tasks=GATE,
        optimizer=Scripted({"dial": 10}),
        proposals=4,
        batch_size=4,
        deterministic=True,
        rollback=Rollback(least=4),
    )
    assert result.best.origin == "rollback"


@pytest.mark.parametrize("at", range(8, 48, 5))
async def test_a_resumed_run_takes_the_same_version_back(at: int, tmp_path: Path) -> None:
    """Wherever it was interrupted: what was in service is in the log."""
    whole = await run(Stubborn())
    ticks = [0]
    with anyio.CancelScope() as scope:

        def tick() -> None:
            ticks[0] += 1
            if ticks[0] == at:
                scope.cancel()

        await run(Stubborn(tick), tmp_path, tick=tick)
    assert scope.cancelled_caught
    result = await resume(tmp_path, Dial(space=SPACE), guide=misleading, optimizer=Stubborn())
    assert [v.values["dial"] for v in result.versions] == [v.values["dial"] for v in whole.versions]
    assert result.curve == whole.curve
    with ParameterStore(tmp_path, SPACE) as store:
        assert verify(store) == ()


class Several(Climber):
    """Proposes several values at once, and takes its memo back."""

    def __init__(self, *dials: object) -> None:
        super().__init__()
        self.dials = dials
        self.asked: list[Proposal] = []
        self.heard: list[tuple[Proposal, bool, float | None]] = []
        self.remembered: list[Tried] = []

    async def propose(self, values: Values | None = None) -> Proposal:
        await anyio.lowlevel.checkpoint()
        first, *others = (Proposal({"dial": dial}) for dial in self.dials)
        memo = {"count": len(self.asked)}
        answer = Proposal(first.changes, tokens=5, alternatives=tuple(others), memo=memo)
        self.asked.append(answer)
        return answer

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        self.heard.append((proposal, accepted, score))

    def remember(self, tried: Sequence[Tried]) -> None:
        self.remembered.extend(tried)


async def test_all_candidates_of_a_proposal_are_judged(tmp_path: Path) -> None:
    """The best goes live, each is recorded with a number of its own, and each is told once."""
    optimizer = Several(12, "fast", 40, 30)
    result = await run(optimizer, tmp_path, proposals=1)
    assert dict(result.best.values) == {"dial": 40}
    assert [proposal for proposal, _, _ in optimizer.heard] == list(optimizer.asked[0].candidates)
    assert [accepted for _, accepted, _ in optimizer.heard] == [False, False, True, False]
    assert [score for _, _, score in optimizer.heard] == [12.0, None, 40.0, 30.0]
    with ParameterStore(tmp_path, SPACE) as store:
        states = ["rejected", "invalid", "committed", "rejected"]
        assert [record.state for record in store.proposals()] == states
        assert [record.tokens for record in store.proposals()] == [5, 0, 0, 0]
        assert verify(store) == ()


async def test_an_optimizer_gets_its_memo_back(tmp_path: Path) -> None:
    """With the first candidate of each proposal, in the order in which they were told."""
    await run(Several(12, 40), tmp_path, proposals=2)
    again = Several(50, 60)
    await resume(tmp_path, Dial(space=SPACE), guide=misleading, optimizer=again, proposals=3)
    tried = again.remembered
    assert [one.proposal.memo for one in tried] == [{"count": 0}, {}, {"count": 1}, {}]
    assert [one.accepted for one in tried] == [False, True, False, False]
    assert [one.score for one in tried] == [12.0, 40.0, 12.0, None]


async def test_the_cost_of_a_failed_proposal_is_counted() -> None:
    """A model was paid although it gave no answer."""
    error = ModelError("the provider is down").costing(11, 0.5)
    result = await run(Scripted(error), proposals=1)
    assert (result.spent.tokens % 3, result.spent.usd) == (11 % 3, 0.5)
