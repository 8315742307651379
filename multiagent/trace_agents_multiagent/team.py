"""A team in the household as one workflow: existing agents, wrapped, acting in the same house."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio
from opentelemetry import trace as otel

from trace_agents.attributes import NODE_KIND, OUTPUT
from trace_agents.errors import EpisodeFailed
from trace_agents.graph import Kind, Parameters
from trace_agents.workflow import Workflow
from trace_agents_multiagent.household import Household, HouseholdResult, HouseTask
from trace_agents_multiagent.tools import Hands, acting

if TYPE_CHECKING:
    from collections.abc import Generator

DECISION_SECONDS = 120.0
"""How long one decision of an agent may take before it loses a step."""


@dataclass(frozen=True)
class HouseholdTeam:
    """Agents by name, each a workflow of its own, sharing a house; a workflow for the trainer.

    A task is a `HouseTask`, its output a `HouseholdResult`.
    """

    members: Mapping[str, Workflow]
    declared: Parameters | None = None
    decision_seconds: float = DECISION_SECONDS

    @property
    def name(self) -> str:
        """What the team is called in traces."""
        return "household"

    def parameters(self) -> Parameters:
        """Return the members' parameters; their names begin with the agents'."""
        if self.declared is not None:
            return self.declared
        return Parameters(
            p for member in self.members.values() for p in member.parameters().values()
        )

    def only(self, *patterns: str) -> HouseholdTeam:
        """Return the team with all but the matching parameters frozen."""
        return replace(self, declared=self.parameters().only(*patterns))

    def freeze(self, *patterns: str) -> HouseholdTeam:
        """Return the team with the matching parameters frozen."""
        return replace(self, declared=self.parameters().freeze(*patterns))

    def instrumented(self) -> AbstractContextManager[None]:
        """Return the scope in which every member's calls are bound and recorded."""
        return self._scopes()

    @contextmanager
    def _scopes(self) -> Generator[None]:
        with ExitStack() as stack:
            for member in self.members.values():
                stack.enter_context(member.instrumented())
            yield

    async def run(self, task: object) -> HouseholdResult:
        """Let the team do one task.

        Raises:
            EpisodeFailed: the task is no household task.
            Exception: what a member's model or framework raised.
        """
        if not isinstance(task, HouseTask):
            raise EpisodeFailed(f"{task!r} is no household task; make it with HouseTask(...)")
        tracer = otel.get_tracer("trace_agents_multiagent")
        with tracer.start_as_current_span(f"invoke_workflow {self.name}") as span:
            span.set_attribute("gen_ai.operation.name", "invoke_workflow")
            span.set_attribute("gen_ai.workflow.name", self.name)
            household = Household(task, tuple(self.members))
            hands = {name: Hands(name, household) for name in self.members}
            await self._together(hands)
            result = household.result()
            span.set_attribute(NODE_KIND, Kind.OUTPUT.value)
            span.set_attribute(OUTPUT, json.dumps(result.to_json()))
            for hand in hands.values():
                # the output came from what each agent did last, and that from all it did before
                if hand.last_span is not None:
                    span.add_link(hand.last_span)
        return result

    async def _together(self, hands: Mapping[str, Hands]) -> None:
        try:
            async with anyio.create_task_group() as group:
                for name, member in self.members.items():
                    group.start_soon(self._act, hands[name], member, name=name)
        except BaseExceptionGroup as failures:
            # one agent's failure ends the episode; the others were cancelled because of it
            raise failures.exceptions[0] from None

    async def _act(self, hands: Hands, member: Workflow) -> None:
        async with hands.in_the_house():
            with acting(hands):
                while not hands.over:
                    await self._decide(hands, member)

    async def _decide(self, hands: Hands, member: Workflow) -> None:
        before = hands.decisions
        with anyio.move_on_after(self.decision_seconds):
            await member.run(hands.prompt())
        if hands.decisions == before and not hands.over:
            await hands.hesitate("you called none of the tools in time")
