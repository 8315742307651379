"""The stand-in for the optimizer's model: it reads OptoPrime's prompt and nothing else."""

from __future__ import annotations

import pytest

from trace_agents.graph import Edge, Graph, GraphNode, Kind, Parameter, Parameters, Reason
from trace_agents.llm import Model
from trace_agents.optimizers import OptoPrime
from trace_agents_multiagent.household.stats import Finding
from trace_agents_multiagent.standin.directives import DIRECTIVES
from trace_agents_multiagent.standin.reflect import RandomModel, ReflectingModel

SEED = "Work together with your partner to finish the task."
NAMES = ("alice.system_message", "bob.system_message")
CHAT = "Do not chat."
CARRY = "Carry two objects before you deliver."
REVERSE = "Explore the rooms from last to first."


def fed(model: Model, *findings: Finding, values: tuple[str, str] = (SEED, SEED)) -> OptoPrime:
    """Return an optimizer that got these findings about one episode of two agents."""
    pairs = list(zip(NAMES, values, strict=True))
    nodes = [GraphNode(name, Kind.PARAMETER, name, value) for name, value in pairs]
    nodes.append(GraphNode("end", Kind.OUTPUT, "end", "done"))
    edges = tuple(Edge(name, "end", Reason.PARAMETER) for name in NAMES)
    optimizer = OptoPrime(Parameters(Parameter(n, v) for n, v in pairs), llm=model)
    text = "\n".join(["Solved in 53 steps.", *(finding.text for finding in findings)])
    optimizer.backward(Graph(tuple(nodes), edges, "ep1"), text)
    return optimizer


CASES = {
    "idle_chat": (Finding("alice", "idle_chat", 6, 7, "bob"), CHAT),
    "one_hand": (Finding("alice", "one_hand", 4, place="<dishwasher>"), CARRY),
    "reexplored": (Finding("alice", "reexplored", 3, other="bob"), REVERSE),
    "rechecked": (
        Finding("alice", "rechecked", 5, other="bob"),
        "Skip containers that stand open.",
    ),
    "own_recheck": (Finding("alice", "own_recheck", 5), "Skip containers that stand open."),
}


@pytest.mark.parametrize(("finding", "directive"), CASES.values(), ids=CASES)
async def test_a_known_complaint_is_answered(finding: Finding, directive: str) -> None:
    """The household's own sentence leads to the directive, appended to the agent's prompt."""
    proposal = await fed(ReflectingModel(), finding).propose()
    assert proposal.changes == {"alice.system_message": f"{SEED}\n{directive}"}


async def test_the_largest_complaint_of_each_agent_wins() -> None:
    """One directive a variable, by the count."""
    findings = (
        Finding("alice", "idle_chat", 6, 7, "bob"),
        Finding("alice", "one_hand", 9),
        Finding("bob", "idle_chat", 3, 3, "alice"),
    )
    proposal = await fed(ReflectingModel(), *findings).propose()
    assert proposal.changes == {NAMES[0]: f"{SEED}\n{CARRY}", NAMES[1]: f"{SEED}\n{CHAT}"}


async def test_a_directive_that_divides_the_work_goes_to_one_agent() -> None:
    """If both searched in reverse, they would search together again."""
    findings = (Finding("alice", "reexplored", 3), Finding("bob", "reexplored", 4))
    proposal = await fed(ReflectingModel(), *findings).propose()
    assert proposal.changes == {NAMES[1]: f"{SEED}\n{REVERSE}"}


async def test_what_is_there_already_is_not_said_again() -> None:
    """The next complaint gets its turn."""
    findings = (Finding("alice", "idle_chat", 6), Finding("alice", "one_hand", 4))
    values = (f"{SEED}\n{CHAT}", SEED)
    proposal = await fed(ReflectingModel(), *findings, values=values).propose()
    assert proposal.changes == {NAMES[0]: f"{SEED}\n{CHAT}\n{CARRY}"}


async def test_what_was_rejected_is_not_tried_again() -> None:
    """Memory turns the stand-in to the next complaint."""
    optimizer = fed(
        ReflectingModel(), Finding("alice", "idle_chat", 6), Finding("alice", "one_hand", 4)
    )
    optimizer.tell(await optimizer.propose(), accepted=False, score=-60.0)
    assert (await optimizer.propose()).changes == {NAMES[0]: f"{SEED}\n{CARRY}"}


async def test_without_a_complaint_it_draws_the_same_each_time() -> None:
    """The draw is one directive of the pool for one variable, seeded by the prompt."""
    first = await fed(ReflectingModel(), Finding("alice", "delivered", 3, 4)).propose()
    again = await fed(ReflectingModel(), Finding("alice", "delivered", 3, 4)).propose()
    assert first == again
    (value,) = first.changes.values()
    assert str(value).removeprefix(f"{SEED}\n") in {directive.text for directive in DIRECTIVES}


async def test_the_control_ignores_the_feedback() -> None:
    """Over many prompts it draws harmful directives as well as helpful ones."""
    drawn: set[str] = set()
    for count in range(40):
        proposal = await fed(RandomModel(), Finding("alice", "idle_chat", count)).propose()
        assert set(proposal.changes) == set(NAMES)
        drawn |= {str(value).removeprefix(f"{SEED}\n") for value in proposal.changes.values()}
    assert drawn == {directive.text for directive in DIRECTIVES}


async def test_a_prompt_that_holds_no_variable_changes_nothing() -> None:
    """Anything but OptoPrime's prompt gets an answer without changes."""
    reply = await ReflectingModel().complete([{"role": "user", "content": "hello"}])
    assert "<variable>" not in reply.text
