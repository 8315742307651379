"""Each sort of chain, agent and graph: found, connected, bound, two at once, failing, cancelled."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from tests.adapters.langchain_agents import AGENTS
from tests.adapters.langchain_chains import CHAINS
from tests.adapters.langchain_graphs import GRAPHS
from tests.adapters.langchain_kit import Book, Case, Trap, drawn
from tests.adapters.langchain_mixed import MIXED
from tests.adapters.langchain_states import STATES
from tests.adapters.langchain_templates import TEMPLATES
from trace_agents.graph import Graph, Kind
from trace_agents.tracing.context import Trace

CASES = [*TEMPLATES, *CHAINS, *AGENTS, *GRAPHS, *STATES, *MIXED]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each
def test_the_parameters_are_found(case: Case) -> None:
    """Each text, number and code that may change is found with its value; no model is called."""
    book = Book()
    workflow, _ = case.wrapped(book)
    assert {name: p.value for name, p in workflow.parameters().items()} == case.parameters
    assert book.heard == []


@each
async def test_the_run_is_connected(case: Case) -> None:
    """The graph has the edges that a reader of the program would draw, and no others."""
    workflow, thing = case.wrapped(Book())
    trace = Trace("e", 0)
    output = await case.run(workflow, thing, trace)
    assert output == case.output
    assert trace.graph().problems == ()
    assert drawn(trace.graph()) == case.edges


@each
async def test_two_versions_run_at_once(case: Case) -> None:
    """Of two episodes of one object each has its own version in what its model was given."""
    book = Book()
    workflow, thing = case.wrapped(book)
    name, value, seen = case.change
    first = workflow.parameters()[name].value
    old, new = Trace("old", 0), Trace("new", 1, {name: value})
    async with anyio.create_task_group() as group:
        group.start_soon(case.run, workflow, thing, old)
        group.start_soon(case.run, workflow, thing, new)
    shown = case.first or str(first)
    told = {trace.episode: "\n".join(book.texts(case.model, trace.episode)) for trace in (old, new)}
    assert (shown in told["old"], seen in told["old"]) == (True, False)
    assert (shown in told["new"], seen in told["new"]) == (False, True)
    values = [trace.graph().by_id[f"parameter:{name}"].value for trace in (old, new)]
    assert values == [first, value]
    assert workflow.parameters()[name].value == first


@each
async def test_an_error_is_in_the_call_that_failed(case: Case) -> None:
    """A model that is down: its call says so, and so does the run, unless it goes on after it."""
    book = Book(Trap(case.model, case.call, fails=True))
    workflow, thing = case.wrapped(book)
    trace = Trace("e", 0)
    if case.survives:
        assert await case.run(workflow, thing, trace) == case.rescued
    else:
        # a team of AutoGen raises a RuntimeError that quotes it
        with pytest.raises((ConnectionError, RuntimeError), match=f"'{case.model}' is down"):
            await case.run(workflow, thing, trace)
    graph = trace.graph()
    found = errors(graph)
    assert set(found) == set(case.failed or (case.model,))
    assert all(f"the model '{case.model}' is down" in error for error in found.values())
    assert graph.problems == ()


def errors(graph: Graph) -> dict[str, str]:
    calls = (*graph.of_kind(Kind.LLM_CALL), *graph.of_kind(Kind.TOOL_CALL))
    return {node.name: node.error for node in calls if node.error is not None}


@each
async def test_a_cancelled_run_stops(case: Case) -> None:
    """Cancelled in a model call: that call is an error, none comes after it, and none is open."""
    trap = Trap(case.model, case.call)
    book = Book(trap)
    workflow, thing = case.wrapped(book)
    trace, before = Trace("e", 0), 0
    async with anyio.create_task_group() as group:
        group.start_soon(case.run, workflow, thing, trace)
        await trap.reached.wait()
        before = len(book.heard)
        group.cancel_scope.cancel()
    trap.let_go.set()
    if case.threads:
        await asyncio.get_running_loop().shutdown_default_executor()
    graph = trace.graph()
    assert len(book.heard) == before
    assert set(errors(graph)) - set(case.beside) == set(case.failed or (case.model,))
    assert graph.problems == ()
