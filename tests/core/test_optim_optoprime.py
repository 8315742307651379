"""OptoPrime: feedback in, typed proposal out."""

from __future__ import annotations

import pytest

from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Number, Parameter, Parameters, Reason
from trace_agents.llm import Reply
from trace_agents.optimizers import OptoPrime, Proposal
from trace_agents.testing import ScriptedModel
from trace_agents.tracing.bundle import bundle
from trace_agents.tracing.nodes import Node
from trace_agents.tracing.parameters import ParameterNode, node

PARAMETERS = Parameters(
    [
        Parameter("alice.system_message", "Help bob."),
        Parameter("heat", 0.5, Number(0, 2)),
        Parameter("unread", "never seen"),
    ]
)


def block(name: str, value: str) -> str:
    return f"<variable><name>{name}</name><value>{value}</value></variable>"


def episode(name: str) -> Graph:
    nodes = (
        GraphNode("p1", Kind.PARAMETER, "alice.system_message", "Help bob."),
        GraphNode("p2", Kind.PARAMETER, "heat", 0.5),
        GraphNode("call", Kind.LLM_CALL, "llm_call", "hello", agent="alice"),
    )
    edges = (
        Edge("p1", "call", Reason.PARAMETER, "system"),
        Edge("p2", "call", Reason.PARAMETER),
    )
    return Graph(nodes, edges, name)


def fed(*replies: str | Reply, memory_size: int = 5) -> tuple[OptoPrime, ScriptedModel]:
    model = ScriptedModel(replies)
    optimizer = OptoPrime(PARAMETERS, llm=model, memory_size=memory_size)
    optimizer.backward(episode("ep1"), "score 0.2: too long")
    return optimizer, model


async def test_a_proposal_holds_typed_changes_and_what_they_cost() -> None:
    """Values come parsed, with the reasoning, the tokens and the dollars."""
    text = "<reasoning>calm down</reasoning>" + block("heat", "0.1")
    optimizer, _ = fed(Reply(text, 10, 5, 0.25))
    assert await optimizer.propose() == Proposal({"heat": 0.1}, "calm down", (), 15, 0.25)


async def test_the_prompt_shows_code_values_and_feedback() -> None:
    """The model reads what ran, what it may change now, and what was said."""
    optimizer, model = fed("<reasoning>fine</reasoning>")
    await optimizer.propose({"heat": 0.7})
    text = model.prompts[0][1]["content"]
    assert "llm_call1 = alice.llm_call(system=alice.system_message, heat)" in text
    assert '<variable name="heat">\n<value>\n0.7\n</value>' in text
    assert "[episode ep1, llm_call1] score 0.2: too long" in text
    assert "never seen" not in text


async def test_a_bad_value_is_repaired_once() -> None:
    """The error goes back to the model, and its second answer counts."""
    optimizer, model = fed(block("heat", "hot"), block("heat", "1.5"))
    proposal = await optimizer.propose()
    assert proposal.changes == {"heat": 1.5}
    assert "expected a number" in model.prompts[1][-1]["content"]


async def test_a_value_that_stays_bad_is_dropped_and_the_rest_kept() -> None:
    """One wrong value does not lose the others, and is never asked for a third time."""
    good = block("alice.system_message", "Be quick.")
    optimizer, model = fed(block("heat", "hot") + good, block("heat", "hotter"))
    proposal = await optimizer.propose()
    assert proposal.changes == {"alice.system_message": "Be quick."}
    assert len(model.prompts) == 2
    assert "'heat' was dropped" in proposal.problems[0]


async def test_a_repair_may_not_change_other_parameters() -> None:
    """The second answer is taken only for what was asked."""
    again = block("heat", "1") + block("alice.system_message", "Sneaked in.")
    optimizer, _ = fed(block("heat", "hot"), again)
    assert (await optimizer.propose()).changes == {"heat": 1}


async def test_a_model_that_fails_at_the_repair_keeps_the_rest() -> None:
    """What was good in the first answer stands."""
    optimizer, _ = fed(block("heat", "hot") + block("alice.system_message", "Be quick."))
    proposal = await optimizer.propose()
    assert proposal.changes == {"alice.system_message": "Be quick."}
    assert any("no repair" in problem for problem in proposal.problems)


async def test_a_parameter_without_feedback_is_not_changed() -> None:
    """A parameter that caused nothing here is as good as frozen."""
    optimizer, _ = fed(block("unread", "changed"))
    proposal = await optimizer.propose()
    assert proposal.changes == {}
    assert "'unread' is frozen" in proposal.problems[0]


async def test_without_feedback_the_model_is_not_asked() -> None:
    """No feedback costs nothing and says so."""
    optimizer, model = fed("unused")
    optimizer.zero_feedback()
    assert (await optimizer.propose()).problems
    assert model.prompts == []


async def test_a_model_error_reaches_the_caller() -> None:
    """A model that cannot answer is the caller's to record."""
    optimizer, _ = fed()
    with pytest.raises(ModelError, match="no reply left"):
        await optimizer.propose()


async def test_memory_tells_what_became_of_earlier_proposals() -> None:
    """A rejected proposal is shown as rejected, with its score, and the oldest is forgotten."""
    replies = [block("heat", value) for value in ("0.1", "0.2", "0.3")]
    optimizer, model = fed(*replies, memory_size=1)
    optimizer.tell(await optimizer.propose(), accepted=False, score=0.25)
    await optimizer.propose()
    await optimizer.propose()
    assert "[rejected, mean score 0.25]" in model.prompts[1][1]["content"]
    assert "heat = 0.1" in model.prompts[1][1]["content"]
    assert "heat = 0.1" not in model.prompts[2][1]["content"]


async def test_plain_parameters_cannot_be_stepped() -> None:
    """The error says what to call instead."""
    optimizer, _ = fed("unused")
    with pytest.raises(InvalidValue, match="propose"):
        await optimizer.step()


@bundle()
def double(x: float) -> float:
    """Return twice x."""
    return 2 * x


def parameter(value: float) -> ParameterNode:
    made = node(value, "x", trainable=True)
    assert isinstance(made, ParameterNode)
    return made


def doubled(x: Node) -> Node:
    result = double(x)
    assert isinstance(result, Node)
    return result


async def test_step_changes_the_parameter_nodes() -> None:
    """Tracing, feedback and step work as in the paper's tutorials."""
    x = parameter(1.0)
    optimizer = OptoPrime([x], llm=ScriptedModel([block("x", "3.5")]))
    optimizer.backward(doubled(x), "should be 7")
    await optimizer.step()
    assert x.data == 3.5


async def test_feedback_left_at_the_nodes_counts() -> None:
    """`output.backward` reaches the optimizer of the parameter."""
    x = parameter(1.0)
    model = ScriptedModel([block("x", "2.0")])
    doubled(x).backward("too small")
    await OptoPrime([x], llm=model).step()
    assert "too small" in model.prompts[0][1]["content"]


async def test_outputs_of_one_batch_stay_apart() -> None:
    """Two outputs without an episode are two runs in the prompt."""
    x = parameter(1.0)
    model = ScriptedModel(["<reasoning>no</reasoning>"])
    optimizer = OptoPrime([x], llm=model)
    optimizer.backward(doubled(x), "first")
    optimizer.backward(doubled(x), "second")
    await optimizer.propose()
    text = model.prompts[0][1]["content"]
    assert "[episode run1, double1] first" in text
    assert "[episode run2, double2] second" in text


def test_step_works_without_an_event_loop() -> None:
    """`step_sync` is for scripts."""
    x = parameter(1.0)
    optimizer = OptoPrime([x], llm=ScriptedModel([block("x", "4")]))
    optimizer.backward(doubled(x), "should be 8")
    assert optimizer.step_sync().changes == {"x": 4}
