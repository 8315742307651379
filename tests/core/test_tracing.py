"""Recording plain Python: nodes, operators, bundled functions, modules."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from trace_agents.errors import ForeignNode, InvalidValue, TraceMissingInputsError
from trace_agents.graph import Kind, Number
from trace_agents.tracing import (
    ExecutionError,
    Module,
    Node,
    ParameterNode,
    Trace,
    bundle,
    current_trace,
    model,
    node,
    recording,
    stop_tracing,
)


@bundle
def double(x: int) -> int:
    """Twice x."""
    return 2 * x


@bundle
async def shout(text: str) -> str:
    """The text, louder."""
    await anyio.lowlevel.checkpoint()
    return text.upper()


@bundle(trainable=True)
def grade(points: int) -> str:
    """Turn points into a grade."""
    return "pass" if points > 10 else "fail"


def parameter(value: object, name: str) -> ParameterNode:
    return node(value, name, trainable=True)


def test_wrapping_is_idempotent() -> None:
    """A node of a node is that node."""
    x, p = node(1), node(2, "p", trainable=True)
    assert node(x) is x
    assert node(p, trainable=True) is p


def test_a_node_can_become_a_parameter() -> None:
    """Asked for as trainable, its value begins a parameter of its own."""
    made = node(node(3, "x"), trainable=True)
    assert (made.parameter.name, made.data) == ("x", 3)


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (node(3) + 4, 7),
        (4 - node(3), 1),
        (node(3) * node(4), 12),
        (node(7) // 2, 3),
        (-node(3), -3),
        (abs(node(-3)), 3),
        (node(3) < 4, True),
        (node([1, 2])[1], 2),
        (node({"a": 1})["a"], 1),
        (node("a b").call("split"), ["a", "b"]),
        (node("{} {x}").format("hi", x=node("you")), "hi you"),
        (node([1, 2]).len(), 2),
        (node(1).eq(1), True),
        (node(1).neq(1), False),
        (node("abc").getattr("__class__"), str),
    ],
)
def test_an_operator_makes_a_node_with_the_result(result: Node, value: object) -> None:
    """Operators compute what Python computes, and remember their operands."""
    assert result.data == value
    assert result.parents


def test_a_node_has_the_truth_length_and_text_of_its_value() -> None:
    """What must be a plain bool, int or str in Python is one here."""
    assert not node(0)
    assert len(node([1, 2])) == 2
    assert f"{node(3):03d} {node('x')}" == "003 x"
    assert node(2) in node([1, 2])
    assert [n.data for n in node([1, 2])] == [1, 2]
    assert [n.data for n in node({"a": 1})] == ["a"]


def test_a_bundled_function_is_one_node() -> None:
    """Its inputs are the nodes it was given, by argument name; its body is not recorded."""
    x = node(4, "x")
    result = double(x)
    assert result.data == 8
    assert dict(result.inputs) == {"x": x}
    assert result.description == "Twice x."


async def test_an_async_bundled_function_is_one_node() -> None:
    """A coroutine's result is recorded when it is there."""
    text = node("hi", "text")
    result = await shout(text)
    assert result.data == "HI"
    assert result.parents == (text,)


def test_nodes_inside_containers_are_inputs() -> None:
    """A list or dict of nodes as argument links each of them."""

    @bundle
    def total(items: list[int], extra: dict[str, int]) -> int:
        return sum(items) + sum(extra.values())

    a, b = node(1), node(2)
    assert set(total([a, 5], extra={"b": b}).parents) == {a, b}


def test_reading_a_node_that_was_not_given_raises() -> None:
    """A hidden input would be an edge that nobody drew."""
    hidden = node(1, "hidden")

    @bundle
    def peek(x: int) -> int:
        return x + int(hidden.data)

    with pytest.raises(TraceMissingInputsError, match="hidden"):
        peek(1)


def test_external_dependencies_can_be_allowed() -> None:
    """Then the node that was read is an input."""
    hidden = node(1, "hidden")

    @bundle(allow_external_dependencies=True)
    def peek(x: int) -> int:
        return x + int(hidden.data)

    assert hidden in peek(1).parents


def test_an_exception_becomes_a_node_that_gets_feedback() -> None:
    """The error carries type, message and failing line, and leads back to the parameter."""
    x = parameter(0, "x")

    @bundle
    def divide(y: int) -> float:
        return 1 / y

    with pytest.raises(ExecutionError, match="ZeroDivisionError") as caught:
        divide(x)
    failed = caught.value.exception_node
    assert "return 1 / y" in failed.data
    assert [p.name for p in failed.backward("do not divide by zero").parameters] == ["x"]


def test_trainable_code_runs_in_the_sandbox_once_it_is_changed() -> None:
    """The user's own code runs natively; a model's code runs elsewhere and cannot reach out."""
    grade.code.set(
        "def grade(points: int) -> str:\n"
        '    """Turn points into a grade."""\n'
        "    import os\n"
        "    return str(os.listdir('/'))"
    )
    try:
        with pytest.raises(ExecutionError, match="SandboxError"):
            grade(node(12))
        grade.code.set(
            'def grade(points: int) -> str:\n    """Turn points into a grade."""\n    return "A"'
        )
        result = grade(node(12))
        assert result.data == "A"
        assert "code" in result.inputs
    finally:
        grade.code.set(grade.code.parameter.value)


def test_code_that_is_no_function_of_that_signature_is_refused() -> None:
    """The live code stays as it was."""
    before = grade.code.data
    with pytest.raises(InvalidValue, match="must start with"):
        grade.code.set("def grade(points):\n    return 1")
    assert grade.code.data == before


def test_two_versions_of_code_are_live_at_once() -> None:
    """Each episode runs the code of its own version."""
    other = 'def grade(points: int) -> str:\n    """Turn points into a grade."""\n    return "B"'
    with recording(Trace("one", 1, {"grade.code": other})):
        inside = grade(5).data
    assert (inside, grade(5).data) == ("B", "fail")


def test_changing_a_parameter_changes_no_recording() -> None:
    """What an operation saw when it ran stays what the graph shows."""
    x = parameter(1, "x")
    y = x + 1
    x.set(10)
    seen = {n.name: n.value for n in y.graph().of_kind(Kind.PARAMETER)}
    assert seen == {"x": 1}
    assert (x + 1).data == 11


def test_a_value_that_does_not_fit_leaves_the_old_one() -> None:
    """`set` checks first."""
    x = node(0.5, "x", trainable=True, constraint=Number(0, 1))
    with pytest.raises(InvalidValue, match="'x'"):
        x.set("fast")
    assert x.data == 0.5


def test_an_episode_reads_its_own_version() -> None:
    """A parameter's value inside a recording is the pinned one, and reading is noted."""
    prompt = parameter("old", "prompt")
    with recording(Trace("e", 3, {"prompt": "new"})) as trace:
        result = prompt + "!"
    assert result.data == "new!"
    assert trace.read == {"prompt"}
    assert trace.graph().version == 3
    assert prompt.data == "old"


def test_feedback_stays_in_its_episode() -> None:
    """Two episodes that share a parameter do not see each other's feedback."""
    prompt = parameter("p", "prompt")
    for name in ("one", "two"):
        with recording(Trace(name, 0, {})):
            (prompt + "!").backward(f"feedback of {name}")
            texts = [t for g in prompt.feedback for ts in g.feedback.values() for t in ts]
            assert texts == [f"feedback of {name}"]
    assert prompt.feedback == ()


def test_a_node_of_another_episode_is_refused() -> None:
    """A value crosses from one episode to another only as plain data."""
    with recording(Trace("one")):
        foreign = node(1) + 1
    with recording(Trace("two")), pytest.raises(ForeignNode, match="'one'"):
        _ = foreign + 1


def test_stop_tracing_nests_and_comes_back() -> None:
    """Inside the block nothing is recorded; afterwards what was current is current again."""
    with recording(Trace("e")) as trace:
        with stop_tracing():
            with stop_tracing():
                _ = node(1) + 1
            inside = current_trace()
            assert inside is not None
            assert (inside.episode, inside.kept) == ("e", False)
        assert current_trace() is trace
    assert trace.graph().nodes == ()


def test_an_unrecorded_operation_keeps_its_version_and_forgets_its_inputs() -> None:
    """An evaluator inside an episode reads what the episode reads, and leaves no trace."""
    prompt = parameter("old", "prompt")
    with recording(Trace("e", 1, {"prompt": "new"})), stop_tracing():
        result = prompt + "!"
    with stop_tracing():
        outside = prompt + "!"
    assert (result.data, result.parents) == ("new!", ())
    assert (outside.data, outside.parents) == ("old!", ())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_concurrent_episodes_never_mix(backend: str) -> None:
    """100 interleaved episodes of shared bundled functions: each graph holds its own nodes."""
    prompt = parameter("say", "prompt")

    async def episode(index: int, traces: list[Trace]) -> None:
        with recording(Trace(f"e{index}", index, {"prompt": f"say{index}"})) as trace:
            traces.append(trace)
            text = prompt + node(f" {index}")
            for _ in range(index % 7):
                await anyio.lowlevel.checkpoint()
            text = await shout(text)
            await to_thread.run_sync(lambda: double(text))

    async def main() -> list[Trace]:
        traces: list[Trace] = []
        async with anyio.create_task_group() as group:
            for index in range(100):
                group.start_soon(episode, index, traces)
        return traces

    for trace in anyio.run(main, backend=backend):
        index = trace.version
        graph = trace.graph()
        assert [n.value for n in graph.outputs] == [f"SAY{index} {index}" * 2]
        assert [n.value for n in graph.of_kind(Kind.PARAMETER)] == [f"say{index}"]
        assert len(graph.nodes) == 5


def test_threads_have_their_own_context() -> None:
    """A thread that was not given the context records nothing into the episode."""
    with recording(Trace("e")) as trace:
        thread = threading.Thread(target=lambda: node(1) + 1)
        thread.start()
        thread.join()
    assert trace.graph().nodes == ()


def test_a_module_finds_saves_and_loads_its_parameters(tmp_path: Path) -> None:
    """Attributes, nested modules, lists and dicts are searched; the file is JSON."""

    class Writer(Module):
        def __init__(self) -> None:
            self.prompt = parameter("write", "prompt")

    @model
    class Team:
        """Two writers."""

        def __init__(self) -> None:
            self.members = [Writer()]
            self.settings = {"temperature": parameter(0.5, "temperature")}

    team = Team()
    assert isinstance(team, Module)
    assert list(team.parameters_dict()) == ["members.0.prompt", "settings.temperature"]
    team.settings["temperature"].set(0.7)
    team.save(tmp_path / "team.json")
    fresh = Team()
    assert isinstance(fresh, Module)
    fresh.load(tmp_path / "team.json")
    assert fresh.settings["temperature"].data == 0.7


def test_a_file_with_an_unfit_value_loads_nothing(tmp_path: Path) -> None:
    """All values are checked before the first is set."""

    class Pair(Module):
        def __init__(self) -> None:
            self.a = parameter("x", "a")
            self.b = parameter(1, "b")

    pair = Pair()
    file = tmp_path / "pair.json"
    file.write_text('{"schema": 1, "values": {"a": "new", "b": "fast"}}')
    with pytest.raises(InvalidValue):
        pair.load(file)
    assert pair.a.data == "x"
