"""A household with several agents: tasks, simulator, lock-step episodes, text and counters."""

from trace_agents_multiagent.household.actor import Actor
from trace_agents_multiagent.household.grammar import MACROS, Action, Ref, parse, unparse
from trace_agents_multiagent.household.house import MAX_STEPS, House, Observation
from trace_agents_multiagent.household.household import Household
from trace_agents_multiagent.household.layout import Layout
from trace_agents_multiagent.household.memory import Memory
from trace_agents_multiagent.household.stats import (
    COMPLAINTS,
    SENTENCES,
    Finding,
    HouseholdResult,
    judge,
    render_findings,
)
from trace_agents_multiagent.household.tasks import (
    AGENTS,
    FAMILIES,
    HouseTask,
    make_house,
    read_tasks,
)

__all__ = [
    "AGENTS",
    "COMPLAINTS",
    "FAMILIES",
    "MACROS",
    "MAX_STEPS",
    "SENTENCES",
    "Action",
    "Actor",
    "Finding",
    "House",
    "HouseTask",
    "Household",
    "HouseholdResult",
    "Layout",
    "Memory",
    "Observation",
    "Ref",
    "judge",
    "make_house",
    "parse",
    "read_tasks",
    "render_findings",
    "unparse",
]
