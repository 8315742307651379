"""What people write in their first hour: it works, or one sentence says what to write instead."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

import trace_agents as ta
from trace_agents.errors import (
    BudgetExhausted,
    InvalidValue,
    ModelError,
    ModelUnavailable,
    NotWrappable,
)
from trace_agents.graph.types import Bullets, Text, type_of
from trace_agents.llm import Message, Reply, Schema
from trace_agents.optimizers import GEPA, OptoPrime, Search, TextGrad
from trace_agents.store import read_values
from trace_agents.testing import ScriptedModel
from trace_agents.training.search.evolving import evolve


def prompt(value: str = "Hello", name: str = "prompt") -> ta.ParameterNode:
    return ta.node(value, name, trainable=True)


def same(task: object) -> object:
    return task


def before(node: ta.ParameterNode) -> ta.Workflow:
    """Return a workflow that puts a parameter's text before the task."""

    def answer(task: ta.Node) -> ta.Node:
        return node + task

    return ta.wrap(answer, parameters=[node])


def loosely(thing: object) -> Any:
    """Return what no type checker would let through."""
    return thing


SAID = [
    pytest.param(ta.Feedback(0.5, "too short"), "score 0.5\ntoo short", id="feedback"),
    pytest.param((0.5, "too short"), "score 0.5\ntoo short", id="pair"),
    pytest.param(0.5, "score 0.5", id="score"),
    pytest.param(1, "score 1", id="whole"),
    pytest.param("too short", "too short", id="words"),
]


def words(subgraph: ta.TraceGraph) -> list[str]:
    return [text for texts in subgraph.feedback.values() for text in texts]


@pytest.mark.parametrize(("said", "read"), SAID)
def test_every_backward_takes_what_a_guide_returns(said: Any, read: str) -> None:
    """A score, words, both, or a Feedback: about a node, several, a graph, and by an optimizer."""
    output = prompt() + "!"
    optimizer = Search([prompt()])
    optimizer.backward(output, said)
    subgraphs = [
        output.backward(said),
        ta.backward(output, said),
        ta.backward([output], said),
        ta.backward([output], [said]),
        ta.backward(output.graph(), said),
        ta.backward(output.graph(), {output.graph().outputs[0].id: said}),
        optimizer.feedback,
    ]
    assert [words(each) for each in subgraphs] == [[read]] * len(subgraphs)


def test_a_score_alone_is_enough_for_a_search() -> None:
    """No words around it are needed."""
    tone = ta.node("a", "tone", trainable=True, constraint=ta.Choice(("a", "b")))
    search = Search([tone], seed=0)
    search.backward(tone + "!", 0.25)
    search.step_sync()
    assert search.best is not None
    assert search.best.score == 0.25


@pytest.mark.parametrize("said", [None, (1, 2), {"a"}, ["one", None]], ids=str)
def test_feedback_that_says_nothing_is_refused(said: object) -> None:
    """The sentence lists what may be said."""
    output = prompt() + "!"
    targets: list[Callable[[], object]] = [
        lambda: ta.backward([output, output], loosely(said)),
        lambda: output.backward(loosely(said)),
        lambda: Search([prompt()]).backward(output, loosely(said)),
    ]
    for send in targets:
        with pytest.raises(InvalidValue, match=r"words, a score, \(score, words\) or a Feedback"):
            send()


@pytest.mark.parametrize("kind", ["be nice", Text, 3], ids=["words", "class", "number"])
def test_a_constraint_that_is_no_type_gets_a_sentence(kind: object) -> None:
    """What the value is for is said elsewhere, and a class is to be called."""
    with pytest.raises(InvalidValue, match=r"'style': its type is one such as Text\(\)"):
        ta.node("x", "style", trainable=True, constraint=loosely(kind))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ta.Choice(loosely("abc")), r"takes a list of texts, .* not 'abc'"),
        (lambda: ta.Choice(loosely((1, 2))), r"takes a list of texts, .* not \(1, 2\)"),
        (lambda: ta.Number(loosely("1"), loosely("2")), r"a number, not the text '1'"),
    ],
    ids=["letters", "numbers", "texts"],
)
def test_a_type_of_the_wrong_things_gets_a_sentence(make: Callable[[], object], told: str) -> None:
    """A text is not its letters, numbers are no options, texts are no ends."""
    with pytest.raises(InvalidValue, match=told):
        make()


def test_a_playbook_needs_no_constraint() -> None:
    """What `Bullets.of` makes is edited item by item; other lists are lists."""
    rules = ta.node(Bullets.of("Be kind."), "rules", trainable=True)
    assert rules.parameter.type == Bullets()
    assert [type_of(v).kind for v in ([], [{"id": "b1"}], ["b1"])] == ["list"] * 3


class Greeter(ta.Module):
    """A module with one parameter."""

    def __init__(self) -> None:
        self.greeting = prompt(name="greeting")

    def forward(self, name: ta.Node) -> ta.Node:
        return self.greeting + ", " + name


async def test_a_module_is_a_workflow_with_its_own_parameters() -> None:
    """Nothing has to be listed, and another version reaches `forward`."""
    workflow = ta.wrap(Greeter())
    assert (workflow.name, list(workflow.parameters())) == ("Greeter", ["greeting"])
    assert await workflow.run("Ada") == "Hello, Ada"
    async with ta.applied(workflow, {"greeting": "Moin"}):
        assert await workflow.run("Ada") == "Moin, Ada"


class Empty(ta.Module):
    """A module that can do nothing."""


@pytest.mark.parametrize(
    ("thing", "told"),
    [(Empty(), "Empty has no method forward"), (str, "does not say which arguments")],
    ids=["module", "builtin"],
)
def test_what_cannot_run_a_task_is_refused_at_once(thing: object, told: str) -> None:
    """A module without `forward`, and a class of Python's own."""
    with pytest.raises(NotWrappable, match=told):
        ta.wrap(thing)


def test_parameters_may_be_those_of_another_workflow() -> None:
    """`Parameters` are a mapping, and mean what they hold."""
    known = ta.wrap(Greeter()).parameters()
    assert ta.wrap(same, parameters=loosely(known)).parameters() is known


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (prompt(), "a list of parameter nodes, not the node 'prompt'"),
        ("prompt", "a list of parameter nodes, not 'prompt' of type str"),
        (3, "a list of parameter nodes, not 3 of type int"),
        (["prompt"], "'prompt' of type str is none"),
        ([ta.node("x", "plain")], "the node 'plain' is none"),
    ],
    ids=["node", "name", "number", "names", "no parameter"],
)
def test_parameters_that_are_none_get_a_sentence(given: object, told: str) -> None:
    """`wrap` and every optimizer say what they take."""
    with pytest.raises(InvalidValue, match=rf"wrap\(parameters=\) takes .*{told}"):
        ta.wrap(same, parameters=loosely(given))
    with pytest.raises(InvalidValue, match=rf"Search\(parameters\) takes .*{told}"):
        Search(loosely(given))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_step_sync_inside_a_loop_says_what_to_write(backend: str) -> None:
    """A notebook has a loop; there `await` is right."""

    async def cell() -> None:
        with pytest.raises(InvalidValue, match=r"await optimizer\.step\(\)"):
            Search([prompt()]).step_sync()

    anyio.run(cell, backend=backend)


class Own:
    """A model of one's own that does what a model must not do."""

    name = "mine"

    def __init__(self, does: Callable[[], object]) -> None:
        self.does = does

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        reply: Reply = loosely(self.does())
        return reply


def broken() -> object:
    raise OSError("no route")


@pytest.mark.parametrize("make", [OptoPrime, GEPA, TextGrad])
@pytest.mark.parametrize(
    ("does", "told"),
    [
        (broken, "the model 'mine' raised OSError: no route"),
        (lambda: 3, "the model 'mine' returned int; .*Reply"),
    ],
    ids=["raises", "returns"],
)
async def test_what_an_own_model_does_wrong_is_a_model_error(
    make: Callable[..., Any], does: Callable[[], object], told: str
) -> None:
    """So that whoever asked can record it and go on."""
    node = prompt()
    optimizer = make([node], llm=Own(does))
    optimizer.backward(node + "!", "too short")
    with pytest.raises(ModelError, match=told) as caught:
        await optimizer.propose()
    assert isinstance(caught.value, ModelUnavailable) == (does is broken)


async def test_a_run_survives_an_own_model_that_raises() -> None:
    """The decision is lost and recorded, the run reaches its end."""
    node = prompt()
    result = await ta.train(
        before(node),
        tasks=list("abcdefgh"),
        guide=lambda task, output: (0.5, "longer"),
        optimizer=OptoPrime([node], llm=Own(broken)),
        budget=ta.Budget(episodes=20),
    )
    assert result.best.values == {"prompt": "Hello"}


async def test_an_evolution_says_what_it_runs_and_how_much_it_needs() -> None:
    """A class, another optimizer, and a budget that cannot judge the first values."""
    node = prompt()
    workflow = before(node)

    async def evolved(optimizer: object, episodes: int) -> None:
        await evolve(
            workflow,
            ["a", "b", "c"],
            guide=lambda task, output: 1.0,
            optimizer=loosely(optimizer),
            budget=ta.Budget(episodes=episodes),
        )

    with pytest.raises(InvalidValue, match=r"runs a GEPA, .* not <class .*OptoPrime"):
        await evolved(OptoPrime, 9)
    with pytest.raises(BudgetExhausted, match=r"all 3 validation tasks, .* has 2 episodes"):
        await evolved(GEPA([node], llm=ScriptedModel([])), 2)


async def test_what_was_saved_runs_without_a_trainer(tmp_path: Path) -> None:
    """A file of the best values is all that a service needs."""
    node = prompt()
    workflow = before(node)
    file = tmp_path / "prompts.json"
    file.write_text('{"schema": 1, "version": 3, "values": {"prompt": "Moin "}}', encoding="utf-8")
    async with ta.applied(workflow, read_values(file, workflow.parameters()), record=False):
        assert await workflow.run("Ada") == "Moin Ada"


def test_dir_lists_every_exported_name() -> None:
    """Completion in a notebook shows `train` before it was used, in a fresh process too."""
    code = (
        "import trace_agents as t; print(sorted(set(t.__all__) - set(dir(t))), 'train' in vars(t))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split("\n")[0] == "[] False"


def test_the_package_runs_as_a_command() -> None:
    """`python -m trace_agents` is the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "trace_agents", "import", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Read OpenTelemetry spans" in done.stdout
