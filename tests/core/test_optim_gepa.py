"""GEPA: a pool with a Pareto front, reflection on one parameter, and merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import pytest

from trace_agents.errors import ExtraNotInstalled, InvalidValue
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Parameter, Parameters
from trace_agents.llm import Message, Reply, Schema
from trace_agents.optimizers import GEPA
from trace_agents.optimizers.pareto import Pool, add_run
from trace_agents.propagate import backward
from trace_agents.testing import FunctionModel, ScriptedModel

SPACE = Parameters([Parameter("plan", "p0"), Parameter("style", "s0")])


def block(name: str, value: str) -> str:
    return f"<variable><name>{name}</name><value>{value}</value></variable>"


def episode(task: str, plan: str = "p0", style: str = "s0") -> Graph:
    """Return an episode in which the plan leads to a thought, and all to the answer."""
    nodes = (
        GraphNode("p1", Kind.PARAMETER, "plan", plan),
        GraphNode("p2", Kind.PARAMETER, "style", style),
        GraphNode("task", Kind.INPUT, "task", task),
        GraphNode("think", Kind.LLM_CALL, "think", f"thought of {task}"),
        GraphNode("answer", Kind.LLM_CALL, "answer", f"answer to {task}"),
    )
    pairs = (("p1", "think"), ("task", "think"), ("think", "answer"), ("p2", "answer"))
    return Graph(nodes, tuple(Edge(*pair) for pair in pairs), f"{task}-{plan}-{style}")


def pool(*runs: tuple[str, str, float]) -> Pool:
    """Return a pool from (plan, task, score)."""
    made = Pool()
    for plan, task, score in runs:
        part = backward(episode(task, plan), f"score {score}")
        add_run(made.of({"plan": plan}), part)
    return made


def test_the_front_holds_who_is_the_best_at_some_task() -> None:
    """A better mean does not drive out who alone solves a task; who wins nothing is out."""
    made = pool(
        ("good", "a", 0.9), ("good", "b", 0.8), ("good", "c", 0.1),
        ("odd", "a", 0.1), ("odd", "b", 0.1), ("odd", "c", 1.0),
        ("fair", "a", 0.8), ("fair", "b", 0.7), ("fair", "c", 0.9),
    )  # fmt: skip
    assert made.front() == {0: 2, 1: 1}


def test_who_wins_only_with_others_is_dominated() -> None:
    """A tie keeps the better of both."""
    made = pool(("one", "a", 1.0), ("one", "b", 0.5), ("two", "a", 1.0), ("two", "b", 0.6))
    assert made.front() == {1: 2}


def test_who_wins_more_is_picked_more_often() -> None:
    """The chance follows the number of tasks."""
    made = pool(*(("often", task, 1.0) for task in "abc"), ("once", "d", 1.0), ("once", "a", 0.0))
    picked = [made.pick(Random(seed)) for seed in range(200)]
    share = sum(candidate is made.all[0] for candidate in picked) / 200
    assert 0.65 < share < 0.85


async def test_a_reflection_reads_only_what_its_parameter_led_to() -> None:
    """The prompt has one variable, and the subgraph of that one."""
    model = ScriptedModel([block("plan", "p1"), block("style", "s1")])
    optimizer = GEPA(SPACE, llm=model)
    optimizer.backward(episode("2 + 2"), "score 0.3: the sum is wrong")
    assert (await optimizer.propose()).changes == {"plan": "p1"}
    assert (await optimizer.propose()).changes == {"style": "s1"}
    first, second = (prompt[1]["content"] for prompt in model.prompts)
    assert '<variable name="plan">' in first
    assert '<variable name="style">' not in first
    assert "the sum is wrong" in first
    assert "think(" in first
    assert "think(" not in second


async def test_a_reply_for_another_parameter_is_dropped() -> None:
    """One reflection changes one parameter."""
    optimizer = GEPA(SPACE, llm=ScriptedModel([block("plan", "p1") + block("style", "s9")]))
    optimizer.backward(episode("2 + 2"), "score 0.3")
    assert (await optimizer.propose()).changes == {"plan": "p1"}


async def test_the_parent_may_be_older_than_the_current_values() -> None:
    """Values that win a task are built on again, although newer ones are live."""

    def answer(messages: Sequence[Message]) -> str:
        name = "plan" if '<variable name="plan">' in messages[-1]["content"] else "style"
        return block(name, "new")

    optimizer = GEPA(SPACE, llm=FunctionModel(answer))
    optimizer.backward(episode("a", "old"), "score 1")
    optimizer.backward(episode("a", "live"), "score 0")
    assert (await optimizer.propose({"plan": "live", "style": "s0"})).changes == {"plan": "new"}
    after = await optimizer.propose({"plan": "live", "style": "s0"})
    assert after.changes == {"plan": "old", "style": "new"}


async def lineages(optimizer: GEPA) -> None:
    """Run p0/s0, and two children that each changed one parameter and won one task."""
    seen: list[Mapping[str, object]] = []
    optimizer.backward(episode("a"), "score 0.1")
    for name in ("plan", "style"):
        proposal = await optimizer.propose()
        assert set(proposal.changes) == {name}
        seen.append(proposal.changes)
    optimizer.zero_feedback()
    plan, style = str(seen[0]["plan"]), str(seen[1]["style"])
    optimizer.backward(episode("a", plan, "s0"), "score 0.9")
    optimizer.backward(episode("b", plan, "s0"), "score 0.1")
    optimizer.backward(episode("a", "p0", style), "score 0.2")
    optimizer.backward(episode("b", "p0", style), "score 0.8")


async def test_two_lineages_are_merged_without_a_model() -> None:
    """What each of them learned stands together in one proposal, once."""
    model = ScriptedModel([block("plan", "p1"), block("style", "s1"), block("plan", "p2")])
    optimizer = GEPA(SPACE, llm=model)
    await lineages(optimizer)
    merged = await optimizer.propose()
    assert (merged.changes, merged.tokens) == ({"plan": "p1", "style": "s1"}, 0)
    assert "together" in merged.reasoning
    assert len(model.prompts) == 2
    assert (await optimizer.propose()).changes["plan"] == "p2"


async def test_a_child_goes_on_with_the_parameter_after_its_parents() -> None:
    """What was just rewritten is not rewritten again before all others had their turn."""
    model = ScriptedModel([block("plan", "p1"), block("style", "s1")])
    optimizer = GEPA(SPACE, llm=model)
    optimizer.backward(episode("a"), "score 0.1")
    child = await optimizer.propose()
    optimizer.zero_feedback()
    optimizer.backward(episode("a", str(child.changes["plan"])), "score 0.5")
    assert (await optimizer.propose({"plan": "p1", "style": "s0"})).changes == {"style": "s1"}


async def test_merges_can_be_left_out() -> None:
    """With `merges=0` every proposal is a reflection."""
    model = ScriptedModel([block("plan", "p1"), block("style", "s1"), block("plan", "p2")])
    optimizer = GEPA(SPACE, llm=model, merges=0)
    await lineages(optimizer)
    await optimizer.propose()
    assert len(model.prompts) == 3


async def test_words_without_scores_are_reflected_on_too() -> None:
    """Where nobody has a score, the values that ran are the parent."""
    optimizer = GEPA(SPACE, llm=ScriptedModel([block("plan", "p1")]))
    optimizer.backward(episode("a", "older"), "too long")
    assert (await optimizer.propose()).changes == {"plan": "p1"}


def test_wrong_sizes_are_refused() -> None:
    """The sentence names the sizes."""
    with pytest.raises(InvalidValue, match="minibatch"):
        GEPA(SPACE, llm=ScriptedModel([]), minibatch=0)


def test_a_missing_package_and_an_unknown_engine_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the extra, or the engines there are."""

    def missing(name: str) -> None:
        del name

    monkeypatch.setattr("trace_agents.optimizers.gepa.find_spec", missing)
    with pytest.raises(ExtraNotInstalled, match=r"trace-agents\[gepa\]"):
        GEPA(SPACE, llm=ScriptedModel([]), engine="gepa")
    with pytest.raises(InvalidValue, match="own or gepa"):
        GEPA(SPACE, llm=ScriptedModel([]), engine="dspy")  # type: ignore[arg-type]


async def test_the_same_runs_are_asked_about_in_another_way() -> None:
    """A cache that knows the prompt still gives a second reflection of its own."""
    samples: list[int | None] = []

    class Varied:
        name = "varied"

        def at(self, *, temperature: float | None = None, sample: int | None = None) -> Varied:
            del temperature
            samples.append(sample)
            return self

        async def complete(
            self, messages: Sequence[Message], *, schema: Schema | None = None
        ) -> Reply:
            return Reply(block("plan", "p1"))

    optimizer = GEPA(Parameters([Parameter("plan", "p0")]), llm=Varied())
    optimizer.backward(episode("a"), "score 0")
    await optimizer.propose()
    await optimizer.propose()
    assert len(set(samples)) == 2
