"""Plans: what a world is like, and how it is trained in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from trace_agents.graph import Choice, Number, Parameter, Parameters
from trace_agents.training import Budget, Spent
from trace_agents.training.proposals.focus import Batches

SPACE = Parameters(
    [
        Parameter("dial", 0, Number(0, 100, integer=True)),
        Parameter("mode", "plain", Choice(("plain", "bold", "odd"))),
        Parameter("fixed", 1, Number(0, 9, integer=True), frozen=True),
    ]
)
CALL = 20
"""The most tokens of one model call."""
STEPS = 3
"""The most model calls of an episode."""
ASK = 7
"""Tokens of a proposal."""
DEAREST = Spent(tokens=3 * CALL * STEPS, usd=0.03 * CALL * STEPS, calls=3 * STEPS)
"""The most that an episode costs, with three tries."""
REPORT = 4
"""Episodes of a report on two tasks."""
BAD = ("fast", -1, 1e9, None, float("nan"), [1], "__import__('os')", {"dial": 3})


@dataclass(frozen=True, slots=True)
class Plan:
    """One world and how it is trained in."""

    seed: int = 0
    delays: int = 0
    concurrency: int = 4
    batch: int = 3
    lag: int = 1
    staleness: int = 1
    proposals: int = 6
    deterministic: bool = False
    malformed: float = 0.0
    failing: float = 0.0
    faults: float = 0.0
    hanging: float = 0.0
    deadline: float | None = 60.0
    rejecting: bool = False
    """Whether the gate lets nothing pass."""
    operator: bool = False
    """Whether somebody rolls back by hand meanwhile."""
    held_out: bool = False
    batches: Batches = "mixed"
    candidate: float | None = None
    """The part of the train episodes that a candidate does before it goes live."""
    rollback: bool = True
    """Whether a version that does worse in service is replaced by the one before."""
    report: bool = False
    budget: Budget = field(default_factory=Budget)


_rates = st.sampled_from((0.0, 0.2, 0.6))
_limits = st.one_of(st.none(), st.integers(0, 90))


def plans(**fixed: object) -> st.SearchStrategy[Plan]:
    """Return plans of every kind, apart from what is fixed."""
    fields: dict[str, st.SearchStrategy[object]] = {
        "seed": st.integers(0, 10**6),
        "delays": st.integers(0, 10**6),
        "concurrency": st.integers(1, 9),
        "batch": st.integers(1, 5),
        "lag": st.integers(0, 3),
        "staleness": st.integers(0, 2),
        "proposals": st.integers(1, 8),
        "deterministic": st.booleans(),
        "malformed": _rates,
        "failing": _rates,
        "faults": _rates,
        "hanging": st.sampled_from((0.0, 0.0, 0.2)),
        "operator": st.booleans(),
        "held_out": st.booleans(),
        "batches": st.sampled_from(("mixed", "signature")),
        "candidate": st.sampled_from((None, None, 0.3)),
        "rollback": st.booleans(),
        "report": st.booleans(),
    }
    fields |= {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value)
        for name, value in fixed.items()
    }
    return st.builds(Plan, **fields).map(possible)


def possible(plan: Plan) -> Plan:
    """Return the plan, without a canary or a report where `train` would refuse them."""
    fits = [
        limit is None or limit >= least
        for limit, least in (
            (plan.budget.episodes, REPORT),
            (plan.budget.tokens, REPORT * DEAREST.tokens),
            (plan.budget.usd, REPORT * DEAREST.usd),
            (plan.budget.calls, REPORT * DEAREST.calls),
        )
    ]
    return replace(
        plan,
        candidate=plan.candidate if plan.lag else None,
        report=plan.report and all(fits),
    )


budgets = st.builds(
    Budget,
    episodes=_limits,
    tokens=st.one_of(st.none(), st.integers(0, 4_000)),
    usd=st.one_of(st.none(), st.floats(0, 40)),
    seconds=st.one_of(st.none(), st.floats(1, 500)),
    estimate=st.just(DEAREST),
    calls=st.one_of(st.none(), st.integers(1, 150)),
)
