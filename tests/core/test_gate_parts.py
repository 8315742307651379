"""Parameters that never meet are thought about apart; batches may be sorted by how they failed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import anyio
import pytest

from tests.core.training_toys import Climber, Dial, Scripted
from trace_agents.feedback import Feedback
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Number, Parameter, Parameters, Values
from trace_agents.optimizers.base import Optimizer, Proposal, Target
from trace_agents.store import ParameterStore, verify
from trace_agents.tracing.context import Trace, current_trace
from trace_agents.training import Rollout, TrainResult, Tried, resume, train
from trace_agents.training.proposals.focus import Focus, signature
from trace_agents.training.tasks.lists import TaskOrder

NAMES = ("left", "right")
SPACE = Parameters(Parameter(name, 0, Number(0, 9, integer=True)) for name in NAMES)
TRAIN = [f"{name} {i}" for i in range(5) for name in NAMES]
GATE = [f"{name} gate {i}" for i in range(3) for name in NAMES]


class Tape:
    """Says which of the parameters the episode read."""

    filename = "tape.jsonl"

    def graph(self, trace: Trace) -> Graph:
        names = sorted(trace.read)
        nodes = [GraphNode(f"p:{n}", Kind.PARAMETER, n, trace.values[n]) for n in names]
        out = GraphNode("out", Kind.OUTPUT, "out", 0)
        return Graph((*nodes, out), tuple(Edge(f"p:{name}", "out") for name in names))

    def lines(self) -> Iterable[str]:
        return ()


class Switch(Dial):
    """Reads the parameter that the task's first word names, or both."""

    async def run(self, task: object) -> object:
        trace = current_trace()
        if trace is None:
            raise RuntimeError("not recorded")
        trace.recorder(Tape, Tape)
        self.tick()
        await anyio.lowlevel.checkpoint()
        first = str(task).split(" ", 1)[0]
        found = [int(str(trace.value_of(n))) for n in NAMES if first in (n, "both")]
        return sum(found)


class Half(Climber):
    """Turns the parameters that it was given up by one; says who thinks at the same time."""

    def __init__(self, parameters: Parameters, log: list[tuple[str, ...]]) -> None:
        super().__init__()
        self.names = tuple(parameters.trainable)
        self.log = log
        self.history: list[Tried] = []

    async def propose(self, values: Values | None = None) -> Proposal:
        self.log.append(self.names)
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        self.log.append(("done", *self.names))
        now = values or {}
        return Proposal({name: int(str(now[name])) + 1 for name in self.names}, tokens=2)

    def remember(self, tried: Sequence[Tried]) -> None:
        self.history.extend(tried)


def score(_task: object, output: object) -> tuple[float, str]:
    return float(str(output)), "more"


class Factory:
    """Makes optimizers, and keeps them."""

    def __init__(self) -> None:
        self.made: list[Half] = []
        self.log: list[tuple[str, ...]] = []

    def __call__(self, parameters: Parameters) -> Optimizer:
        self.made.append(Half(parameters, self.log))
        return self.made[-1]


async def run(
    factory: Factory,
    folder: Path | None = None,
    *,
    tasks: Sequence[str] = TRAIN,
    tick: Callable[[], None] = lambda: None,
    proposals: int = 3,
    seed: int = 0,
) -> TrainResult:
    return await train(
        Switch(space=SPACE, tick=tick),
        tasks,
        guide=score,
        gate_tasks=GATE,
        optimizer=factory,
        proposals=proposals,
        batch_size=10,
        deterministic=True,
        run_dir=folder,
        seed=seed,
    )


async def test_parameters_that_never_meet_are_thought_about_at_once(tmp_path: Path) -> None:
    """Each group by an optimizer of its own, on its own episodes; each is judged for itself."""
    factory = Factory()
    result = await run(factory, tmp_path, proposals=1)
    assert factory.log[:2] == [("left",), ("right",)]
    assert dict(result.best.values) == {"left": 1, "right": 1}
    assert [version.changed for version in result.versions] == [(), ("left",), ("right",)]
    for before, version in itertools.pairwise(result.versions):
        assert version.evidence is not None
        assert version.evidence.baseline == before.id
    whole, left, right = factory.made
    assert (len(whole.words), len(left.words), len(right.words)) == (0, 5, 5)
    assert result.spent.tokens == 4
    with ParameterStore(tmp_path, SPACE) as store:
        assert [p.state for p in store.proposals()] == ["committed", "committed"]
        assert (store.pending(), verify(store)) == ({}, ())


async def test_parameters_that_meet_are_changed_together() -> None:
    """From the first episode on that reads both; the new optimizer hears what was tried."""
    factory, tasks = Factory(), [*TRAIN, "both 1"]
    seed = next(seed for seed in range(99) if TaskOrder(tasks, seed).task(10) == "both 1")
    await run(factory, tasks=tasks, proposals=4, seed=seed)
    merged = factory.made[-1]
    assert merged.names == NAMES
    assert factory.log[-1] == ("done", *NAMES)
    assert len(merged.history) > 0


async def test_one_optimizer_changes_all_parameters_together() -> None:
    """An object of the user's is not multiplied."""
    optimizer = Scripted({"left": 3, "right": 3})
    result = await train(
        Switch(space=SPACE),
        TRAIN,
        guide=score,
        gate_tasks=GATE,
        optimizer=optimizer,
        proposals=1,
        batch_size=10,
    )
    assert result.best.changed == NAMES


@pytest.mark.parametrize("at", range(2, 66, 7))
async def test_a_decision_that_was_half_made_is_completed(at: int, tmp_path: Path) -> None:
    """What one group has published stays, and the other group's episodes are used once."""
    whole = await run(Factory())
    ticks = [0]
    with anyio.CancelScope() as scope:

        def tick() -> None:
            ticks[0] += 1
            if ticks[0] == at:
                scope.cancel()

        await run(Factory(), tmp_path, tick=tick)
    assert scope.cancelled_caught
    factory = Factory()
    result = await resume(tmp_path, Switch(space=SPACE), guide=score, optimizer=factory)
    assert [dict(v.values) for v in result.versions] == [dict(v.values) for v in whole.versions]
    assert result.curve == whole.curve
    with ParameterStore(tmp_path, SPACE) as store:
        assert (store.pending(), verify(store)) == ({}, ())
        decided = [p for p in store.proposals() if p.state != "abandoned"]
        assert len(decided) == 6


def ended(name: str, status: str, score: float | None, words: str) -> Rollout:
    feedback = None if score is None else Feedback(score, words)
    error = words if score is None else None
    return Rollout(name, 0, 0, "train", 0, status, None, feedback, None, error)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_signature_leaves_out_what_is_particular() -> None:
    """Numbers and quoted words; another error, or another first line, is another one."""
    one = ended("a", "failed", None, "KeyError: 'x' at line 3")
    two = ended("b", "failed", None, "KeyError: 'other' at line 44")
    three = ended("c", "done", 0.5, "missing: 'water'\nmore")
    assert signature(one) == signature(two) != signature(three)
    assert signature(three) == "done: missing: …"


def test_the_costliest_failure_is_chosen_and_the_rest_is_kept() -> None:
    """Until its turn comes; what is never chosen is given up after some batches."""
    focus = Focus(4)
    good = [ended(f"g{i}", "done", 1.0, "") for i in range(2)]
    rude = [ended(f"r{i}", "done", 0.2, "rude") for i in range(2)]
    late = ended("l", "done", 0.0, "late")
    assert focus.choose([*good, rude[0], late, rude[1]]) == rude
    assert focus.choose([]) == [late]
    assert focus.kept == good
    more = [ended(f"m{i}", "done", 1.0, "") for i in range(15)]
    assert focus.choose([*more, late]) == [late]
    assert (len(focus.kept), focus.dropped) == (16, good[:1])


async def test_a_run_learns_from_one_kind_of_failure_at_a_time(tmp_path: Path) -> None:
    """The other kinds are not lost: they stay until a decision has used them, also on resume."""
    heard: list[list[str]] = []

    class Listening(Scripted):
        def backward(self, target: Target, feedback: str | Mapping[str, str]) -> None:
            super().backward(target, feedback)
            if len(self.words) == 1:
                heard.append(self.words)

        def zero_feedback(self) -> None:
            self.words = []
            self.targets = []

    def guide(task: object, output: object) -> tuple[float, str]:
        side = str(task).split(" ", 1)[0]
        return (0.0, "turn left") if side == "left" else (0.5, "turn right")

    async def start(folder: Path, proposals: int) -> TrainResult:
        return await train(
            Switch(space=SPACE),
            TRAIN,
            guide=guide,
            gate_tasks=GATE,
            optimizer=Listening(),
            proposals=proposals,
            batch_size=4,
            lag=0,
            deterministic=True,
            run_dir=folder,
            batches="signature",
        )

    await start(tmp_path / "whole", 4)
    assert all(len({word.split()[-1] for word in words}) == 1 for words in heard)
    whole, heard[:] = list(heard), []
    await start(tmp_path / "broken", 2)
    await resume(
        tmp_path / "broken",
        Switch(space=SPACE),
        guide=guide,
        optimizer=Listening(),
        proposals=4,
    )
    assert heard == whole
    with ParameterStore(tmp_path / "broken", SPACE) as store:
        store.run = 1
        assert len(store.pending()) + sum(map(len, heard)) == 16
