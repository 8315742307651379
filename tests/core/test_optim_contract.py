"""What every optimizer keeps to, whatever it does inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import anyio
import pytest

from tests.core.training_toys import Dial, closeness
from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Graph, Kind, Number, Parameter, Parameters
from trace_agents.llm import Message, Model, Reply
from trace_agents.optimizers import GEPA, OPRO, FeedbackOptimizer, OptoPrime, Search, TextGrad
from trace_agents.propagate import TraceGraph
from trace_agents.testing import FunctionModel, ScriptedModel
from trace_agents.tracing.bundle import bundle
from trace_agents.tracing.context import Trace, recording
from trace_agents.tracing.nodes import Node
from trace_agents.tracing.parameters import ParameterNode, node
from trace_agents.training import Budget, Gate, train

Source = Parameters | Iterable[ParameterNode]
Make = Callable[[Source, Model], FeedbackOptimizer]

MODELLED: dict[str, Make] = {
    "OptoPrime": lambda source, model: OptoPrime(source, llm=model),
    "OPRO": lambda source, model: OPRO(source, llm=model, samples=2),
    "GEPA": lambda source, model: GEPA(source, llm=model),
    "TextGrad": lambda source, model: TextGrad(source, llm=model),
}
ALL: dict[str, Make] = {**MODELLED, "Search": lambda source, _: Search(source, seed=1)}
every = pytest.mark.parametrize("make", ALL.values(), ids=ALL)
modelled = pytest.mark.parametrize("make", MODELLED.values(), ids=MODELLED)


def block(name: str, value: str) -> str:
    return f"<variable><name>{name}</name><value>{value}</value></variable>"


def answering(*blocks: str) -> FunctionModel:
    """Return a model that always gives the same values."""
    return FunctionModel(lambda _: "<reasoning>because</reasoning>" + "".join(blocks))


class Slow:
    """A model that never answers before `answer` is set."""

    name = "slow"

    def __init__(self) -> None:
        self.asked, self.answer = anyio.Event(), ""

    async def complete(self, messages: Sequence[Message]) -> Reply:
        self.asked.set()
        if not self.answer:
            await anyio.sleep_forever()
        return Reply(self.answer)


@bundle()
def scaled(x: float, by: float) -> float:
    """Return x, scaled."""
    return x * by


def knob(value: float = 1.0, name: str = "x") -> ParameterNode:
    return node(value, name, trainable=True, constraint=Number(0, 10))


def episode(x: ParameterNode, name: str) -> Graph:
    trace = Trace(name, 1, {"x": 1.0})
    with recording(trace):
        scaled(x, 2.0)
    return trace.graph()


def ways(x: ParameterNode) -> dict[str, Node | Graph | TraceGraph]:
    """Return feedback's targets: a node, an episode, and episodes that were merged."""
    one, two = (
        TraceGraph(graph, {graph.outputs[0].id: ("score 0.2: too low",)})
        for graph in (episode(x, "ep1"), episode(x, "ep2"))
    )
    return {"node": scaled(x, 2.0), "episode": episode(x, "ep3"), "merged": one + two}


@every
@pytest.mark.parametrize("way", ["node", "episode", "merged"])
async def test_propose_gives_typed_changes_and_changes_nothing(make: Make, way: str) -> None:
    """Feedback from anywhere becomes a change of the right type; the parameter stays."""
    x = knob()
    optimizer = make([x], answering(block("x", "3.5")))
    target = ways(x)[way]
    optimizer.backward(target, "" if way == "merged" else "score 0.2: too low")
    proposal = await optimizer.propose()
    assert x.data == 1.0
    assert set(proposal.changes) == {"x"}
    assert x.parameter.type.check(proposal.changes["x"]) != 1.0


@every
async def test_step_applies_what_was_proposed(make: Make) -> None:
    """After `step` the parameter has the proposed value."""
    x = knob()
    optimizer = make([x], answering(block("x", "3.5")))
    optimizer.backward(scaled(x, 2.0), "score 0.2")
    proposal = await optimizer.step()
    assert x.data == proposal.changes["x"]


@every
def test_step_sync_needs_no_event_loop(make: Make) -> None:
    """Scripts step as coroutines do."""
    x = knob()
    optimizer = make([x], answering(block("x", "3.5")))
    optimizer.backward(scaled(x, 2.0), "score 0.2")
    assert optimizer.step_sync().changes == {"x": x.data}


@every
async def test_feedback_left_by_backward_of_a_node_counts(make: Make) -> None:
    """`output.backward` is heard by every optimizer of the parameter."""
    x = knob()
    scaled(x, 2.0).backward("score 0.2: too low")
    assert (await make([x], answering(block("x", "3.5"))).step()).changes == {"x": x.data}


@every
async def test_zero_feedback_forgets(make: Make) -> None:
    """Nothing of what was said remains, here and at the nodes."""
    x = knob()
    optimizer = make([x], answering(block("x", "3.5")))
    scaled(x, 2.0).backward("too low")
    optimizer.backward(scaled(x, 2.0), "too low")
    optimizer.zero_feedback()
    assert (len(optimizer.feedback.graph.nodes), x.received) == (0, ())
    assert (await optimizer.propose()).changes == {}


@every
async def test_plain_parameters_are_proposed_and_not_stepped(make: Make) -> None:
    """A workflow's parameters have no place to change; the error says what to call."""
    optimizer = make(Parameters([Parameter("x", 1.0, Number(0, 10))]), answering(block("x", "3")))
    optimizer.backward(episode(knob(), "ep"), "score 0.2")
    assert (await optimizer.propose({"x": 2.0})).changes
    with pytest.raises(InvalidValue, match="propose"):
        await optimizer.step()


@every
async def test_a_frozen_parameter_stays(make: Make) -> None:
    """What is frozen is shown at most."""
    found = Parameters([Parameter("x", 1.0, Number(0, 10)), Parameter("y", 1.0, Number(0, 10))])
    optimizer = make(found.freeze("y"), answering(block("x", "3"), block("y", "3")))
    trace = Trace("ep", 1, {})
    with recording(trace):
        scaled(knob(), knob(name="y"))
    optimizer.backward(trace.graph(), "score 0.2")
    assert set((await optimizer.propose()).changes) == {"x"}


@modelled
@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I cannot help.",
        block("x", "fast"),
        block("x", "99"),
        block("z", "1"),
        "<variable><name>x",
    ],
)
async def test_a_malformed_reply_changes_nothing(make: Make, reply: str) -> None:
    """What a model writes is a value of the right type, or nothing and a sentence."""
    x = knob()
    optimizer = make([x], FunctionModel(lambda _: reply))
    optimizer.backward(scaled(x, 2.0), "too low")
    proposal = await optimizer.step()
    assert (x.data, proposal.changes) == (1.0, {})
    assert proposal.problems


@modelled
async def test_a_bad_value_is_asked_for_once_more(make: Make) -> None:
    """The second answer to the same question is taken; there is no third."""
    x = knob()
    asked: list[Sequence[Message]] = []

    def answer(messages: Sequence[Message]) -> str:
        asked.append(messages)
        return block("x", "4") if len(messages) == 4 else block("x", "hot")

    optimizer = make([x], FunctionModel(answer))
    optimizer.backward(scaled(x, 2.0), "too low")
    assert (await optimizer.propose()).changes == {"x": 4}
    assert "expected a number" in next(m for m in asked if len(m) == 4)[-1]["content"]


@modelled
async def test_a_model_that_never_answers_is_the_callers_to_record(make: Make) -> None:
    """The error is the model's own, not a group of them."""
    x = knob()
    optimizer = make([x], ScriptedModel([]))
    optimizer.backward(scaled(x, 2.0), "too low")
    with pytest.raises(ModelError, match="no reply left"):
        await optimizer.propose()


@modelled
async def test_without_feedback_no_model_is_asked(make: Make) -> None:
    """Nothing to learn from costs nothing, and says so."""
    model = ScriptedModel([])
    proposal = await make([knob()], model).propose()
    assert proposal.changes == {}
    assert "no feedback" in proposal.problems[0]
    assert model.prompts == []


@every
async def test_two_at_once_do_not_mix(make: Make) -> None:
    """Optimizers that think at the same time each change their own parameter."""
    knobs = [knob(name="x"), knob(name="y")]
    optimizers = [make([x], answering(block(x.parameter.name, "3.5"))) for x in knobs]
    for x, optimizer in zip(knobs, optimizers, strict=True):
        optimizer.backward(scaled(x, 2.0), "score 0.2")
    async with anyio.create_task_group() as group:
        for optimizer in optimizers:
            group.start_soon(optimizer.step)
    assert all(x.data != 1.0 for x in knobs)


@every
def test_every_optimizer_runs_under_trio(make: Make) -> None:
    """The core knows no event loop of its own."""
    x = knob()
    optimizer = make([x], answering(block("x", "3.5")))
    optimizer.backward(scaled(x, 2.0), "score 0.2")
    assert anyio.run(optimizer.step, backend="trio").changes == {"x": x.data}


@modelled
async def test_a_cancelled_proposal_leaves_nothing(make: Make) -> None:
    """Whoever gives up waiting can ask again, and finds everything as it was."""
    x, slow = knob(), Slow()
    optimizer = make([x], slow)
    optimizer.backward(scaled(x, 2.0), "score 0.2")
    async with anyio.create_task_group() as group:
        group.start_soon(optimizer.propose)
        await slow.asked.wait()
        group.cancel_scope.cancel()
    slow.answer = block("x", "3.5")
    assert (x.data, (await optimizer.propose()).changes) == (1.0, {"x": 3.5})


@every
async def test_train_takes_every_optimizer(make: Make) -> None:
    """One line changes the optimizer; the gate keeps what is better."""
    tried = iter(range(0, 100, 7))

    def answer(messages: Sequence[Message]) -> str:
        gradient = "#Criticise" in messages[-1]["content"]
        return "turn it up" if gradient else block("dial", str(next(tried)))

    space = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
    result = await train(
        Dial(space=space),
        range(4),
        guide=closeness,
        optimizer=make(space, FunctionModel(answer)),
        gate_tasks=range(100, 102),
        proposals=6,
        batch_size=1,
        gate=Gate(z=0),
        deterministic=True,
        budget=Budget(episodes=200),
    )
    assert result.versions[-1].id > 0
    assert abs(42 - int(str(result.best.values["dial"]))) < 42


def test_the_kinds_of_a_recording_are_known() -> None:
    """The episodes of these tests have a parameter and an operation, as real ones do."""
    kinds = {graph_node.kind for graph_node in episode(knob(), "ep").nodes}
    assert kinds >= {Kind.PARAMETER, Kind.OPERATION}
