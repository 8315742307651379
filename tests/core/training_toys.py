"""A workflow, a guide and optimizers small enough to see through, for the training tests."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager

import anyio.lowlevel

from trace_agents.errors import ModelError
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Number, Parameter, Parameters, Values
from trace_agents.optimizers.base import Proposal, Target
from trace_agents.tracing.context import Trace, current_trace

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True)), Parameter("spare", "text")])


class Tape:
    """Records which value of the dial an episode read."""

    filename = "tape.jsonl"

    def graph(self, trace: Trace) -> Graph:
        nodes = (
            GraphNode("p:dial", Kind.PARAMETER, "dial", trace.values["dial"]),
            GraphNode("out", Kind.OUTPUT, "out", trace.values["dial"]),
        )
        return Graph(nodes, (Edge("p:dial", "out"),))

    def lines(self) -> Iterable[str]:
        return ()


class Dial:
    """Outputs the dial's value after `steps(task)` checkpoints, having read it at every one."""

    name = "dial"

    def __init__(
        self,
        steps: Callable[[object], int] = lambda _: 1,
        fail: Callable[[object], bool] = lambda _: False,
        tick: Callable[[], None] = lambda: None,
        space: Parameters = SPACE,
    ) -> None:
        self.steps, self.fail, self.tick, self.space = steps, fail, tick, space
        self.seen: list[tuple[int, set[object]]] = []

    def parameters(self) -> Parameters:
        return self.space

    def only(self, *patterns: str) -> Dial:
        return Dial(self.steps, self.fail, self.tick, self.space.only(*patterns))

    def freeze(self, *patterns: str) -> Dial:
        return Dial(self.steps, self.fail, self.tick, self.space.freeze(*patterns))

    @contextmanager
    def instrumented(self) -> Generator[None, None, None]:
        yield

    async def run(self, task: object) -> object:
        trace = current_trace()
        if trace is None:
            raise RuntimeError("not recorded")
        trace.recorder(Tape, Tape)
        trace.spend(tokens=3)
        values: set[object] = set()
        for _ in range(self.steps(task)):
            values.add(trace.value_of("dial"))
            self.tick()
            await anyio.lowlevel.checkpoint()
        self.seen.append((trace.version, values))
        if self.fail(task):
            raise ValueError(f"task {task} is\ntoo hard")
        return trace.value_of("dial")


def closeness(_task: object, output: object) -> tuple[float, str]:
    """Score how near the dial is to 42."""
    if not isinstance(output, int):
        raise TypeError("no dial")
    return -abs(42.0 - output), "turn up" if output < 42 else "turn down"


class Climber:
    """Follows most of the feedback it was given, by a step that a seed and the count fix."""

    def __init__(self, tick: Callable[[], None] = lambda: None) -> None:
        self.words: list[str] = []
        self.targets: list[Target] = []
        self.count = 0
        self.tick = tick
        self.told: list[tuple[bool, float | None]] = []

    def zero_feedback(self) -> None:
        self.words.clear()
        self.targets.clear()

    def backward(self, target: Target, feedback: str | Mapping[str, str]) -> None:
        self.words.append(str(feedback))
        self.targets.append(target)

    async def propose(self, values: Values | None = None) -> Proposal:
        self.tick()
        await anyio.lowlevel.checkpoint()
        self.count += 1
        now = (values or {})["dial"]
        if not isinstance(now, int):
            raise TypeError("no dial")
        up = sum("turn up" in words for words in self.words) * 2 >= len(self.words)
        size = random.Random(f"{self.count}/{sorted(self.words)}").randint(-4, 12)
        new = min(100, max(0, now + (size if up else -size)))
        return Proposal({"dial": new} if new != now else {}, "climb", tokens=5)

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        self.told.append((accepted, score))

    async def step(self) -> Proposal:
        return await self.propose()

    def step_sync(self) -> Proposal:
        return anyio.run(self.step)


class Scripted(Climber):
    """Proposes these changes in order, then nothing; an exception is raised."""

    def __init__(self, *changes: object) -> None:
        super().__init__()
        self.script = list(changes)

    async def propose(self, values: Values | None = None) -> Proposal:
        await anyio.lowlevel.checkpoint()
        nothing: object = dict[str, object]()
        change = self.script.pop(0) if self.script else nothing
        if isinstance(change, ModelError):
            raise change
        return Proposal(change)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
