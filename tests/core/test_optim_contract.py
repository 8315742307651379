"""What every optimizer keeps to, whatever it does inside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import anyio
import pytest

from tests.core.training_toys import Dial, closeness
from trace_agents.errors import InvalidValue, ModelError
from trace_agents.graph import Graph, Kind, Number, Parameter, Parameters
from trace_agents.llm import Message, Model, Reply, Schema
from trace_agents.optimizers import (
    GEPA,
    OPRO,
    FeedbackOptimizer,
    GraphOptimizer,
    Listener,
    OptoPrime,
    Proposal,
    Rememberer,
    Search,
    TextGrad,
    Tried,
)
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

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
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


def echoing(prompts: list[str]) -> FunctionModel:
    """Return a model whose answer follows from every sign of its prompt."""

    def answer(messages: Sequence[Message]) -> Reply:
        prompts.append(json.dumps(list(messages)))
        number = int(hashlib.sha256(prompts[-1].encode()).hexdigest()[:6], 16) % 1000 / 100
        if "#Criticise" in messages[-1]["content"]:
            return Reply(f"make it {number}")
        return Reply(f"<reasoning>{number}</reasoning>" + block("x", str(number)))

    return FunctionModel(answer)


@dataclass
class Session:
    """A run of an optimizer over several rounds, as training makes them."""

    optimizer: FeedbackOptimizer
    value: float = 1.0
    proposals: list[Proposal] = field(default_factory=list[Proposal])
    tried: list[Tried] = field(default_factory=list[Tried])

    async def rounds(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.optimizer.zero_feedback()
            for task in range(2):
                graph = episode(knob(self.value), f"ep{number}-{task}")
                self.optimizer.backward(
                    graph, f"score {(number * 7 + task) % 5 / 5}\nround {number}"
                )
            proposal = await self.optimizer.propose({"x": self.value})
            self.proposals.append(proposal)
            for place, candidate in enumerate(proposal.candidates):
                self.tell(candidate, number % 2 == 0 and place == 0, number / 10)

    def tell(self, candidate: Proposal, accepted: bool, score: float) -> None:
        if accepted:
            self.value = float(str(candidate.changes.get("x", self.value)))
        if isinstance(self.optimizer, Listener):
            self.optimizer.tell(candidate, accepted, score)
        stored = replace(candidate, memo=json.loads(json.dumps(candidate.memo)))
        self.tried.append(Tried(stored, accepted, score))


REMEMBERING: dict[str, Make] = {
    **MODELLED,
    "OPRO, one sample": lambda source, model: OPRO(source, llm=model, samples=1, reads="feedback"),
    "OptoPrime, candidates": lambda source, model: OptoPrime(source, llm=model, candidates=3),
}


@pytest.mark.parametrize("make", REMEMBERING.values(), ids=REMEMBERING)
@pytest.mark.parametrize("after", [1, 3, 6])
async def test_a_resumed_optimizer_goes_on_as_an_unbroken_one(make: Make, after: int) -> None:
    """What was proposed comes back from JSON, and every later prompt is the same to the sign."""
    space = Parameters([Parameter("x", 1.0, Number(0, 10))])
    prompts: list[str] = []
    unbroken = Session(make(space, echoing(prompts)))
    await unbroken.rounds(range(after))
    asked, told, value = len(prompts), len(unbroken.tried), unbroken.value
    await unbroken.rounds(range(after, 9))

    again: list[str] = []
    resumed = Session(make(space, echoing(again)), value)
    assert isinstance(resumed.optimizer, Rememberer)
    resumed.optimizer.remember(unbroken.tried[:told])
    await resumed.rounds(range(after, 9))
    assert again == prompts[asked:]
    assert resumed.proposals == unbroken.proposals[after:]
    assert [p.memo for p in resumed.proposals] == [p.memo for p in unbroken.proposals[after:]]


class Backwards:
    """A model that answers the last of three samples first."""

    name = "backwards"

    def __init__(self, reverse: bool) -> None:
        self.reverse = reverse
        self.over = [anyio.Event() for _ in range(4)]

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        number = int(messages[-1]["content"].rpartition("sample ")[2][0])
        if self.reverse and number < 3:
            await self.over[number + 1].wait()
        self.over[number].set()
        return Reply(block("x", str(number + 4)))


SAMPLING: dict[str, Make] = {
    "OPRO": lambda source, model: OPRO(source, llm=model, samples=3),
    "OptoPrime": lambda source, model: OptoPrime(source, llm=model, candidates=3),
}


@pytest.mark.parametrize("make", SAMPLING.values(), ids=SAMPLING)
async def test_the_order_in_which_samples_come_changes_nothing(make: Make) -> None:
    """Whichever answer is the fastest, the same ones are proposed in the same order."""
    made: list[list[object]] = []
    for reverse in (False, True):
        x = knob()
        optimizer = make([x], Backwards(reverse))
        optimizer.backward(scaled(x, 2.0), "score 0.2")
        first = await optimizer.propose()
        rest = first.alternatives or [await optimizer.propose() for _ in range(2)]
        made.append([proposal.changes["x"] for proposal in (first, *rest)])
    assert made[0] == made[1] == [5, 6, 7]


@modelled
async def test_every_model_can_be_wrapped(make: Make) -> None:
    """Whoever counts or traces the calls sees them all."""
    x, names = knob(), list[str]()

    class Counted:
        def __init__(self, inside: Model) -> None:
            self.name, self.inside = inside.name, inside

        async def complete(
            self, messages: Sequence[Message], *, schema: Schema | None = None
        ) -> Reply:
            names.append(self.name)
            return await self.inside.complete(messages, schema=schema)

    asked = list[str]()
    optimizer = make([x], echoing(asked))
    assert isinstance(optimizer, GraphOptimizer)
    optimizer.wrap_models(Counted)
    optimizer.backward(scaled(x, 2.0), "score 0.2")
    await optimizer.propose()
    assert len(names) == len(asked) > 0


IN_JSON: dict[str, Make] = {
    "OptoPrime": lambda source, model: OptoPrime(source, llm=model, form="json"),
    "OPRO": lambda source, model: OPRO(source, llm=model, samples=1, form="json"),
    "GEPA": lambda source, model: GEPA(source, llm=model, form="json"),
    "TextGrad": lambda source, model: TextGrad(source, llm=model, form="json"),
}


@pytest.mark.parametrize("make", IN_JSON.values(), ids=IN_JSON)
async def test_every_optimizer_reads_json_and_gives_a_schema(make: Make) -> None:
    """With `form="json"` the prompt says so, and a model that can be held to a schema is."""
    schemas: list[Schema | None] = []

    class Structured:
        name = "structured"

        async def complete(
            self, messages: Sequence[Message], *, schema: Schema | None = None
        ) -> Reply:
            if "#Criticise" in messages[-1]["content"]:
                return Reply("turn it up")
            schemas.append(schema)
            assert '"suggestion"' in messages[0]["content"]
            return Reply('{"reasoning": "because", "suggestion": {"x": 3.5}}')

    x = knob()
    optimizer = make([x], Structured())
    optimizer.backward(scaled(x, 2.0), "score 0.2")
    assert (await optimizer.step()).changes == {"x": 3.5}
    assert all(schema is not None and "suggestion" in str(schema) for schema in schemas)
    assert len(schemas) == 1


@modelled
async def test_what_failed_calls_were_billed_is_not_lost(make: Make) -> None:
    """The error says what all of them cost together."""
    calls = list[int]()

    def fail(_: Sequence[Message]) -> str:
        calls.append(1)
        raise ModelError("no text in the answer").costing(10, 0.5)

    x = knob()
    optimizer = make([x], FunctionModel(fail))
    optimizer.backward(scaled(x, 2.0), "score 0.2")
    with pytest.raises(ModelError) as caught:
        await optimizer.propose()
    assert (caught.value.tokens, caught.value.usd) == (10 * len(calls), 0.5 * len(calls))


@modelled
async def test_what_a_failed_repair_was_billed_is_counted(make: Make) -> None:
    """A proposal costs what all of its calls were billed, those that gave nothing too."""
    bills = list[int]()

    def answer(messages: Sequence[Message]) -> Reply:
        bills.append(10)
        if len(messages) == 4:
            raise ModelError("busy").costing(10, 0.5)
        return Reply(block("x", "hot"), 8, 2, 0.5)

    x = knob()
    optimizer = make([x], FunctionModel(answer))
    optimizer.backward(scaled(x, 2.0), "score 0.2")
    proposal = await optimizer.propose()
    assert (proposal.tokens, proposal.usd) == (sum(bills), len(bills) / 2)
    assert any("no repair: busy" in problem for problem in proposal.problems)


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
