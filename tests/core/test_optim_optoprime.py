"""OptoPrime: feedback in, typed proposal out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Number, Parameter, Parameters, Reason
from trace_agents.llm import Message, Reply, Schema
from trace_agents.optimizers import OptoPrime, Proposal
from trace_agents.optimizers.forms import FormName
from trace_agents.optimizers.sampling import Spread
from trace_agents.optimizers.wording import Style
from trace_agents.testing import ScriptedModel
from trace_agents.tracing.bundle import bundle
from trace_agents.tracing.nodes import Node
from trace_agents.tracing.parameters import ParameterNode, node
from trace_agents_adapters.otel.exporting.thinking import ObservedOptimizer

STYLES: tuple[Style, ...] = ("standard", "small")
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
    assert await optimizer.propose() == Proposal({"heat": 0.1}, "calm down", (), 15, 0.25, calls=1)


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


class Voices:
    """A model of which each temperature and each sample answers with a value of its own."""

    def __init__(self, name: str, offset: float = 0.0, heat: float | None = None) -> None:
        self.name, self.offset, self.heat = name, offset, heat
        self.asked: list[str] = []

    def at(self, *, temperature: float | None = None, sample: int | None = None) -> Voices:
        del sample
        made = Voices(self.name, self.offset, temperature)
        made.asked = self.asked
        return made

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        self.asked.append(f"{self.name} at {self.heat}")
        value = self.offset + (self.heat or 0.0) + 0.01 * len(messages)
        return Reply(
            f"<reasoning>{self.name}</reasoning>" + block("heat", f"{value:g}"), 10, 1, 0.5
        )


def graph_fed(optimizer: OptoPrime) -> OptoPrime:
    optimizer.backward(episode("ep1"), "score 0.2: too long")
    return optimizer


async def test_several_candidates_are_one_proposal_and_its_alternatives() -> None:
    """All that differ are there to be judged; the proposal carries the cost of all."""
    values = ("0.1", "0.2", "0.1", "0.5")
    model = ScriptedModel(Reply(block("heat", value), 10, 1, 0.5) for value in values)
    proposal = await graph_fed(OptoPrime(PARAMETERS, llm=model, candidates=4)).propose()
    assert [dict(made.changes) for made in proposal.candidates] == [{"heat": 0.1}, {"heat": 0.2}]
    assert (proposal.tokens, proposal.usd) == (44, 2.0)
    assert [made.tokens for made in proposal.alternatives] == [0]
    assert len({prompt[-1]["content"] for prompt in model.prompts}) == 4


async def test_candidates_spread_over_experts_and_temperatures() -> None:
    """Every model writes at every temperature."""
    own, other = Voices("own"), Voices("other", 0.1)
    spread = Spread(temperatures=(0.0, 1.0), experts=(other,))
    proposal = await graph_fed(OptoPrime(PARAMETERS, llm=own, candidates=spread)).propose()
    heats = [float(str(made.changes["heat"])) for made in proposal.candidates]
    assert heats == pytest.approx([0.02, 1.02, 0.12, 1.12])
    assert (own.asked, other.asked) == (
        ["own at 0.0", "own at 1.0"],
        ["other at 0.0", "other at 1.0"],
    )


async def test_an_observed_model_is_varied_all_the_same() -> None:
    """Who traces the calls changes nothing of what is asked."""
    own = Voices("own")
    spread = Spread(temperatures=(0.0, 1.0))
    optimizer = ObservedOptimizer(OptoPrime(PARAMETERS, llm=own, candidates=spread))
    optimizer.backward(episode("ep1"), "score 0.2: too long")
    await optimizer.propose()
    assert own.asked == ["own at 0.0", "own at 1.0"]
    assert len(optimizer.calls) == 2


async def test_a_refined_answer_stands_beside_the_first() -> None:
    """The model reads its answer again; which of both is better, the gate finds out."""
    model = ScriptedModel([block("heat", "1"), block("heat", "0.3"), block("heat", "0.3")])
    spread = Spread(refine=2)
    proposal = await graph_fed(OptoPrime(PARAMETERS, llm=model, candidates=spread)).propose()
    assert [made.changes["heat"] for made in proposal.candidates] == [1, 0.3]
    assert block("heat", "1") in model.prompts[1][-2]["content"]
    assert "Read your answer again" in model.prompts[1][-1]["content"]


async def test_a_candidate_that_is_missing_is_a_problem_and_no_failure() -> None:
    """What was answered counts; what a failed call was billed counts too."""

    class Moody(Voices):
        async def complete(
            self, messages: Sequence[Message], *, schema: Schema | None = None
        ) -> Reply:
            if "sample 2" in messages[-1]["content"]:
                raise ModelError("busy").costing(7, 0.25)
            return await super().complete(messages)

        def at(self, *, temperature: float | None = None, sample: int | None = None) -> Voices:
            return self

    proposal = await graph_fed(OptoPrime(PARAMETERS, llm=Moody("m"), candidates=2)).propose()
    assert proposal.problems == ("a sample is missing: busy",)
    assert (proposal.tokens, proposal.usd) == (18, 0.75)


async def test_each_candidate_is_told_and_remembered() -> None:
    """The next prompt says what became of every one."""
    model = ScriptedModel([block("heat", v) for v in ("0.1", "0.2", "0.3", "0.4")])
    optimizer = graph_fed(OptoPrime(PARAMETERS, llm=model, candidates=2))
    proposal = await optimizer.propose()
    optimizer.tell(proposal, accepted=False, score=0.2)
    optimizer.tell(proposal.alternatives[0], accepted=True, score=0.8)
    await optimizer.propose()
    memory = model.prompts[2][1]["content"].partition("#Memory")[2]
    assert "[rejected, mean score 0.2]" in memory
    assert memory.index("heat = 0.1") < memory.index("[accepted, mean score 0.8]")


async def test_the_json_form_says_so_and_holds_the_model_to_a_schema() -> None:
    """The prompt shows the form, the call carries the schema of what may change."""
    schemas: list[Schema | None] = []

    class Structured:
        name = "structured"

        async def complete(
            self, messages: Sequence[Message], *, schema: Schema | None = None
        ) -> Reply:
            schemas.append(schema)
            assert '"suggestion"' in messages[0]["content"]
            assert "<variable>" not in messages[0]["content"]
            return Reply('{"reasoning": "calm", "suggestion": {"heat": 0.1}}')

    proposal = await graph_fed(OptoPrime(PARAMETERS, llm=Structured(), form="json")).propose()
    assert (proposal.changes, proposal.reasoning) == ({"heat": 0.1}, "calm")
    assert "heat" in str(schemas[0])
    assert "unread" not in str(schemas[0])


async def test_an_answer_without_form_is_asked_for_once_more() -> None:
    """A model that forgot the form is shown it again."""
    optimizer, model = fed("heat should be 0.1", block("heat", "0.1"))
    assert (await optimizer.propose()).changes == {"heat": 0.1}
    assert "no <variable> block" in model.prompts[1][-1]["content"]
    assert "<value>" in model.prompts[1][-1]["content"]


@pytest.mark.parametrize("form", ["tagged", "json"])
async def test_the_small_style_is_short_and_complete(form: FormName) -> None:
    """A fifth of the words, and still the code, the values, the feedback and the form."""
    model = ScriptedModel(["", ""] * 2)
    lengths: list[int] = []
    for style in STYLES:
        optimizer = graph_fed(OptoPrime(PARAMETERS, llm=model, style=style, form=form))
        await optimizer.propose({"heat": 0.7})
        lengths.append(sum(len(m["content"]) for m in model.prompts[-2]))
    text = model.prompts[-2][-1]["content"]
    assert lengths[1] < lengths[0] / 2
    assert "TERMINATE" not in str(model.prompts)
    assert "#" not in text.replace("# episode", "")
    assert all(word in text for word in ("llm_call(", "0.7", "too long", "a number in [0, 2]"))
    assert ("suggestion" in text) == (form == "json")
    assert "Tried before" not in text


async def test_the_small_style_asks_for_one_variable_without_its_name() -> None:
    """Where there is one variable, its value between two tags is enough."""
    x = parameter(1.0)
    model = ScriptedModel(["Sure.\n<value>\n3.5\n</value>", "<value>7</value>"])
    optimizer = OptoPrime([x], llm=model, style="small")
    optimizer.backward(doubled(x), "should be 7")
    await optimizer.step()
    assert x.data == 3.5
    assert "<variable>" not in model.prompts[0][-1]["content"]
    await optimizer.step()
    assert "x = 3.5" in model.prompts[1][-1]["content"].partition("Tried before")[2]


async def test_a_long_memory_keeps_both_ends() -> None:
    """The memory has a share of the prompt's budget, whatever was tried."""
    parameters = Parameters([Parameter("alice.system_message", "Help bob.")])
    replies = [block("alice.system_message", f"{n}" + "x" * 900 + f"{n}") for n in range(6)]
    model = ScriptedModel(replies)
    optimizer = OptoPrime(parameters, llm=model, budget=4_000)
    optimizer.backward(episode("ep1"), "too long")
    for _ in replies:
        await optimizer.propose()
    memory = model.prompts[-1][1]["content"].partition("#Memory")[2]
    assert len(memory) <= 1_000 + len("\n")
    assert "left out" in memory
    assert memory.rstrip().endswith("x4")


def test_wrong_options_are_refused() -> None:
    """The sentence names what may be chosen."""
    model = ScriptedModel([])
    with pytest.raises(InvalidValue, match="standard or small"):
        OptoPrime(PARAMETERS, llm=model, style="tiny")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="tagged or json"):
        OptoPrime(PARAMETERS, llm=model, form="xml")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="count"):
        OptoPrime(PARAMETERS, llm=model, candidates=0)
    with pytest.raises(InvalidValue, match="memory_size"):
        OptoPrime(PARAMETERS, llm=model, memory_size=-1)
