"""Each sort of agent and team: what is found, what is connected, and what the model gets."""

from __future__ import annotations

import anyio
import pytest

from tests.adapters.autogen_agents import AGENTS
from tests.adapters.autogen_kit import (
    Book,
    Case,
    drawn,
    made,
    run,
)
from tests.adapters.autogen_teams import TEAMS
from trace_agents.graph import Reason
from trace_agents.propagate import backward
from trace_agents.tracing.context import Trace
from trace_agents_adapters.autogen import AutoGenWorkflow

CASES = [*AGENTS, *TEAMS]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
# the executor of these cases runs nothing that somebody should approve
pytestmark = pytest.mark.filterwarnings("ignore:No approval function set")


@each
def test_the_parameters_are_found(case: Case) -> None:
    """Each text that a model will see, and each limit, is found with its type; no model runs."""
    book = Book()
    found = made(case, book).parameters()
    assert {name: p.type.kind for name, p in found.items()} == case.parameters
    assert not any(client.seen for client in book.clients.values())


@each
def test_a_factory_has_the_same_parameters(case: Case) -> None:
    """A function that builds the thing is found to have what the thing itself has."""
    found = AutoGenWorkflow(lambda: case.build(Book()), **case.options).parameters()
    assert {name: p.type.kind for name, p in found.items()} == case.parameters


@each
async def test_the_run_is_connected(case: Case) -> None:
    """The graph has the edges that a reader of the program would draw, and no others."""
    trace = Trace("e", 0)
    output = await run(made(case, Book()), trace)
    graph = trace.graph()
    assert graph.problems == ()
    if case.output:
        assert output == case.output
    assert drawn(graph, case.parameters) == case.edges


async def test_feedback_reaches_the_prompt_that_chose_who_spoke() -> None:
    """A selector's decision led to the answer, though no word of it stands in a later prompt."""
    (case,) = [case for case in TEAMS if case.name == "selector"]
    trace = Trace("e", 0)
    await run(made(case, Book()), trace)
    subgraph = backward(trace.graph(), "The wrong one spoke.")
    assert "SelectorGroupChat.selector_prompt" in {node.name for node in subgraph.parameters}
    decisions = [edge for edge in subgraph.graph.edges if edge.reason is Reason.LINK]
    assert ("chooser", "writer-model") in {
        (subgraph.graph.by_id[e.source].name, subgraph.graph.by_id[e.target].name)
        for e in decisions
    }


@each
async def test_two_versions_run_at_once(case: Case) -> None:
    """Of two episodes on one loop each has its own version in what the model was given."""
    book = Book(pause=anyio.lowlevel.checkpoint)
    name, value, model = case.change
    workflow = made(case, book)
    old, new = Trace("old", 0), Trace("new", 1, {name: value})
    async with anyio.create_task_group() as group:
        group.start_soon(run, workflow, old)
        group.start_soon(run, workflow, new)
    first = str(workflow.parameters()[name].value)
    texts = book.clients[model].texts
    assert any((case.seen or str(value)) in text for text in texts)
    assert any(" ".join((case.first or first).split()) in " ".join(text.split()) for text in texts)
    values = [t.graph().by_id[f"parameter:{name}"].value for t in (old, new)]
    assert values == [first, value]
    assert workflow.parameters()[name].value == first
