"""TextGrad: critiques against the edges, then one update for each parameter."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Parameter, Parameters
from trace_agents.llm import Message, Reply, Schema
from trace_agents.optimizers import TextGrad
from trace_agents.testing import FunctionModel
from trace_agents_adapters.otel.exporting.thinking import ObservedOptimizer


class Critic:
    """Names what it was asked to criticise, and rewrites every variable."""

    name = "critic"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.updates: list[str] = []
        self.running = self.peak = 0

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        self.running += 1
        self.peak = max(self.peak, self.running)
        await anyio.lowlevel.checkpoint()
        self.running -= 1
        text = messages[-1]["content"]
        if "#Criticise" not in text:
            self.updates.append(text)
            name = text.split("\n")[1]
            value = f"<value>new {name}</value>"
            return Reply(f"<variable><name>{name}</name>{value}</variable>", 10, 1)
        operation = text.split("\n")[1]
        what = text.partition("#Criticise\n")[2].partition("] ")[2]
        self.asked.append(f"{operation} -> {what}")
        return Reply(f"{what} failed {operation}", 10, 1)


def graph(*edges: str, **values: str) -> Graph:
    """Return a graph from `source>target` pairs; names in capitals are parameters."""
    pairs = [edge.split(">") for edge in edges]
    names = dict.fromkeys(name for pair in pairs for name in pair)
    nodes = tuple(
        GraphNode(name, _kind(name), name, values.get(name, f"v{name}")) for name in names
    )
    return Graph(nodes, tuple(Edge(source, target) for source, target in pairs), "ep")


def _kind(name: str) -> Kind:
    if name.startswith("m"):
        return Kind.MESSAGE
    return Kind.PARAMETER if name.isupper() else Kind.OPERATION


def optimizer(critic: Critic, *names: str, concurrency: int = 8) -> TextGrad:
    parameters = Parameters(Parameter(name, f"v{name}") for name in names)
    return TextGrad(parameters, llm=critic, concurrency=concurrency)


async def test_a_diamond_takes_one_call_for_every_edge_and_one_update() -> None:
    """Two ways from one parameter are two gradients, merged in one update."""
    critic = Critic()
    optimizer_ = optimizer(critic, "P")
    optimizer_.backward(graph("P>f", "P>g", "f>h", "g>h"), "wrong")
    proposal = await optimizer_.propose()
    assert sorted(critic.asked) == ["f -> P", "g -> P", "h -> f", "h -> g"]
    assert len(critic.updates) == 1
    assert "- P failed f\n- P failed g" in critic.updates[0]
    assert (proposal.changes, proposal.tokens) == ({"P": "new P"}, 55)


async def test_other_inputs_get_no_gradient() -> None:
    """Plain inputs, frozen parameters and what they lead to cost no call."""
    critic = Critic()
    parameters = Parameters([Parameter("P", "vP"), Parameter("F", "vF", frozen=True)])
    optimizer_ = TextGrad(parameters, llm=critic)
    optimizer_.backward(graph("x>f", "F>f", "f>h", "P>h"), "wrong")
    await optimizer_.propose()
    assert critic.asked == ["h -> P"]


async def test_a_node_waits_for_all_that_used_it() -> None:
    """What several consumers say of a node is passed on together, once."""
    critic = Critic()
    optimizer_ = optimizer(critic, "P")
    optimizer_.backward(graph("P>a", "a>b", "b>c", "a>d", "c>d"), "wrong")
    await optimizer_.propose()
    assert critic.asked.count("a -> P") == 1
    assert critic.asked[-1] == "a -> P"
    assert len(critic.asked) == 5


async def test_a_message_that_hands_on_its_input_costs_nothing() -> None:
    """No step is criticised in which nothing was computed."""
    critic = Critic()
    optimizer_ = optimizer(critic, "P")
    optimizer_.backward(graph("P>f", "f>m1", "m1>m2", f="same", m1="same", m2="same"), "wrong")
    await optimizer_.propose()
    assert critic.asked == ["f -> P"]


async def test_branches_run_at_the_same_time_within_the_limit() -> None:
    """Independent gradients and updates are asked for together."""
    critic = Critic()
    names = [f"P{letter}" for letter in "ABCDEF"]
    optimizer_ = optimizer(critic, *names, concurrency=4)
    optimizer_.backward(graph(*(f"{name}>f" for name in names)), "wrong")
    assert len((await optimizer_.propose()).changes) == 6
    assert critic.peak == 4


async def test_a_long_chain_is_walked_in_as_many_calls_as_steps() -> None:
    """The walk is iterative and linear."""
    critic = Critic()
    optimizer_ = optimizer(critic, "P")
    steps = [f"s{number}" for number in range(3000)]
    chain = [f"{one}>{other}" for one, other in zip(["P", *steps], steps, strict=False)]
    optimizer_.backward(graph(*chain), "wrong")
    await optimizer_.propose()
    assert len(critic.asked) == 3000


async def test_the_gradient_is_told_what_it_needs() -> None:
    """The prompt has the operation, its inputs, its output and the feedback."""
    prompts: list[str] = []

    def answer(messages: Sequence[Message]) -> str:
        prompts.append(messages[-1]["content"])
        return "<think>hm</think>louder"

    optimizer_ = TextGrad(Parameters([Parameter("P", "vP")]), llm=FunctionModel(answer))
    optimizer_.backward(graph("P>f", "x>f"), "too quiet")
    await optimizer_.propose()
    assert prompts[0] == (
        "#Operation\nf\n\n#Inputs\n[1] P = vP\n[2] x = vx\n\n#Output\nvf\n\n"
        "#Feedback on the output\ntoo quiet\n\n#Criticise\n[1] P"
    )
    assert "#Critiques\n- louder" in prompts[1]


async def test_a_smaller_model_can_criticise() -> None:
    """The gradients come from `critic`, the update from `llm`."""
    critic, writer = Critic(), Critic()
    optimizer_ = TextGrad(Parameters([Parameter("P", "vP")]), llm=writer, critic=critic)
    optimizer_.backward(graph("P>f"), "wrong")
    await optimizer_.propose()
    assert (len(critic.asked), len(critic.updates)) == (1, 0)
    assert (len(writer.asked), len(writer.updates)) == (0, 1)


async def test_a_call_that_fails_loses_its_branch_only() -> None:
    """The other parameters are updated, and the problem is named."""
    critic = Critic()

    class Moody(Critic):
        async def complete(
            self, messages: Sequence[Message], *, schema: Schema | None = None
        ) -> Reply:
            if messages[-1]["content"].endswith("] Q"):
                raise ModelError("busy")
            return await critic.complete(messages)

    parameters = Parameters([Parameter("P", "vP"), Parameter("Q", "vQ")])
    optimizer_ = TextGrad(parameters, llm=Moody())
    optimizer_.backward(graph("P>f", "Q>f"), "wrong")
    proposal = await optimizer_.propose()
    assert set(proposal.changes) == {"P"}
    assert proposal.problems == ("a gradient is missing: busy",)


def test_a_wrong_concurrency_is_refused() -> None:
    """Nobody waits for a call that can never be made."""
    with pytest.raises(InvalidValue, match="concurrency"):
        optimizer(Critic(), "P", concurrency=0)


async def test_the_critics_calls_are_observed_as_all_others() -> None:
    """Every gradient and every update is traced, whichever model wrote it."""
    critic, writer = Critic(), Critic()
    optimizer_ = TextGrad(Parameters([Parameter("P", "vP")]), llm=writer, critic=critic)
    observed = ObservedOptimizer(optimizer_)
    observed.backward(graph("P>f", "f>g"), "wrong")
    proposal = await observed.propose()
    tokens = [call.reply.tokens for call in observed.calls if call.reply is not None]
    assert len(tokens) == len(critic.asked) + len(writer.updates) == 3
    assert proposal.tokens == sum(tokens)


async def test_an_update_is_shown_what_became_of_earlier_ones() -> None:
    """Momentum: earlier values of the variable, their critiques, and the outcome."""
    critic = Critic()
    optimizer_ = optimizer(critic, "P", "Q")
    optimizer_.backward(graph("P>f", "Q>f"), "wrong")
    optimizer_.tell(await optimizer_.propose(), accepted=False, score=0.25)
    await optimizer_.propose()
    earlier = critic.updates[2].partition("#Earlier updates")[2].partition("#Critiques")[0]
    assert "[rejected, mean score 0.25] after the feedback: P failed f\nP = new P" in earlier
    assert "Q" not in earlier


async def test_without_a_memory_an_update_stands_alone() -> None:
    """With `memory_size=0` each update is made as if it were the first."""
    critic = Critic()
    optimizer_ = TextGrad(Parameters([Parameter("P", "vP")]), llm=critic, memory_size=0)
    optimizer_.backward(graph("P>f"), "wrong")
    await optimizer_.propose()
    await optimizer_.propose()
    assert critic.updates[0] == critic.updates[1]
