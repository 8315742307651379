"""A world to train in: episodes, a guide and an optimizer that are slow, broken and malicious.

What happens is fixed by a `Plan`, how long it takes by the plan's `delays`: the same plan with
other delays is the same world with another schedule.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import anyio

from tests.properties import virtual
from tests.properties.plans import ASK, BAD, CALL, SPACE, STEPS, Plan, possible
from trace_agents.errors import MalformedReply, ModelError, VersionConflict
from trace_agents.graph import (
    Edge,
    Graph,
    GraphNode,
    Kind,
    Parameters,
    Values,
)
from trace_agents.optimizers import Proposal
from trace_agents.optimizers.base import Target
from trace_agents.store import (
    EpisodeRecord,
    Event,
    ParameterStore,
    ProposalRecord,
    Version,
    verify,
)
from trace_agents.tracing import Trace, current_trace
from trace_agents.training import (
    EpisodeEnded,
    Gate,
    GuideFailed,
    Ledger,
    Retry,
    TrainingEvent,
    TrainResult,
    train,
)


@dataclass(slots=True)
class Life:
    """What one try of an episode saw."""

    episode: str
    version: int
    began: float
    reads: list[tuple[object, object]] = field(default_factory=list[tuple[object, object]])
    ended: float | None = None
    after_end: bool = False


class Tape:
    """Records which values an episode read."""

    filename = "tape.jsonl"

    def graph(self, trace: Trace) -> Graph:
        nodes = [
            GraphNode(f"p:{name}", Kind.PARAMETER, name, trace.values[name])
            for name in sorted(trace.read)
        ]
        out = GraphNode("out", Kind.OUTPUT, "out", trace.values["dial"])
        return Graph((*nodes, out), tuple(Edge(node.id, "out") for node in nodes))

    def lines(self) -> Iterable[str]:
        return ()


class Flow:
    """Reads its parameters again and again, slowly, and may fail, hang, or find no connection."""

    name = "flow"

    def __init__(self, world: World) -> None:
        self.world = world

    def parameters(self) -> Parameters:
        return SPACE

    def only(self, *patterns: str) -> Flow:
        raise NotImplementedError(patterns)

    def freeze(self, *patterns: str) -> Flow:
        raise NotImplementedError(patterns)

    @contextmanager
    def instrumented(self) -> Generator[None]:
        yield

    async def run(self, task: object) -> object:
        trace = current_trace()
        if trace is None:
            raise RuntimeError("not recorded")
        trace.recorder(Tape, Tape)
        world, loop = self.world, asyncio.get_running_loop()
        life = Life(trace.episode, trace.version, loop.time())
        tries = sum(other.episode == trace.episode for other in world.lives)
        world.lives.append(life)
        try:
            return await self._live(task, trace, life, tries)
        finally:
            life.ended = loop.time()

    async def _live(self, task: object, trace: Trace, life: Life, tries: int) -> object:
        plan, world = self.world.plan, self.world
        what = random.Random(f"{plan.seed}/{trace.episode}")
        pace = random.Random(f"{plan.delays}/{trace.episode}/{tries}")
        for _ in range(what.randint(1, STEPS)):
            life.reads.append((trace.value_of("dial"), trace.value_of("mode")))
            tokens = what.randint(0, CALL)
            trace.spend(tokens=tokens, usd=0.01 * tokens, calls=1)
            world.look()
            await anyio.sleep(pace.choice((0.0, 0.0, 0.1, 1.0, 7.0)))
        if what.random() < plan.faults and tries < what.randint(1, 3):
            raise ConnectionError("no connection")
        if what.random() < plan.hanging and plan.deadline is not None:
            await anyio.sleep(10**6)
        if what.random() < plan.failing:
            raise ValueError(f"{task} is too hard")
        return trace.value_of("dial"), trace.value_of("mode")


def guide(task: object, output: object) -> tuple[float, str]:
    """Score how near the dial is to 42, a little less without the bold mode."""
    if not isinstance(output, tuple):
        raise TypeError("no output")
    dial, mode = cast("tuple[float, str]", output)
    score = -abs(42.0 - float(dial)) - (0.0 if mode == "bold" else 1.0)
    return score, f"{task}: turn {'up' if float(dial) < 42 else 'down'}"


class Proposer:
    """Climbs by steps that the feedback and the number of the proposal fix; often it is broken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.heard: list[tuple[Graph, str]] = []
        self.count = 0

    def zero_feedback(self) -> None:
        self.heard.clear()

    def backward(self, target: Target, feedback: str | Mapping[str, str]) -> None:
        if not isinstance(target, Graph):
            raise TypeError(f"a graph was expected, not {type(target).__name__}")
        self.heard.append((target, str(feedback)))
        self.world.consumed.append((target, self.world.head()))
        self.world.check_written(str(target.episode), "learnt from")

    async def propose(self, values: Values | None = None) -> Proposal:
        plan = self.world.plan
        number, self.count = self.count, self.count + 1
        heard = [words for _, words in self.heard]
        what = random.Random(f"{plan.seed}/{number}/{heard}/{sorted((values or {}).items())}")
        pace = random.Random(f"{plan.delays}/proposal {number}")
        await anyio.sleep(pace.choice((0.0, 0.5, 3.0, 20.0)))
        if what.random() < plan.malformed:
            return self._malformed(what)
        up = sum("turn up" in words for words in heard) * 2 >= len(heard)
        step = what.randint(-6, 20) * (1 if up else -1)
        changes: dict[str, object] = {}
        if what.random() < 0.8:
            now = (values or {})["dial"]
            changes["dial"] = min(100, max(0, step + (now if isinstance(now, int) else 0)))
        if what.random() < 0.3:
            changes["mode"] = what.choice(("plain", "bold", "odd"))
        return Proposal(changes, "climb", tokens=ASK, calls=1)

    def _malformed(self, what: random.Random) -> Proposal:
        bad: list[object] = [
            {"dial": what.choice(BAD)},
            {"dial": 40, "mode": "loud"},
            {"dial": 40, "nobody": 1},
            {"dial": 40, "fixed": 2},
            "dial = 40",
            None,
        ]
        choice = what.randrange(len(bad) + 2)
        if choice == len(bad):
            raise ModelError("the provider is down")
        if choice > len(bad):
            raise MalformedReply("no value in it")
        return Proposal(bad[choice], tokens=ASK, calls=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    async def step(self) -> Proposal:
        raise NotImplementedError

    def step_sync(self) -> Proposal:
        raise NotImplementedError


@dataclass(slots=True)
class Kept:
    """What a run left in its store."""

    versions: tuple[Version, ...]
    episodes: tuple[EpisodeRecord, ...]
    proposals: tuple[ProposalRecord, ...]
    events: tuple[Event, ...]
    problems: tuple[str, ...]
    """Where the tables differ from the fold of the log."""


class World:
    """One run in one plan's world, and all that was seen of it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.flow = Flow(self)
        self.proposer = Proposer(self)
        self.ledger = Ledger(plan.budget)
        self.lives: list[Life] = []
        self.consumed: list[tuple[Graph, tuple[Version, ...]]] = []
        """Feedback that the optimizer got, with the versions that there were then."""
        self.histories: list[tuple[Version, ...]] = []
        """The versions as they were at each event."""
        self.events: list[TrainingEvent] = []
        self.over: list[str] = []
        """Every instant at which more was spent and held than there is."""
        self.unwritten: list[str] = []
        """Every episode that was acted upon before it was in the database."""
        self._written: set[str] = set()
        self.outcome = virtual.Outcome[TrainResult | None]()
        self._folder: Path = Path()
        self._store: ParameterStore | None = None

    @property
    def result(self) -> TrainResult | None:
        return self.outcome.value

    @property
    def tasks(self) -> tuple[list[str], list[str] | None]:
        train = [f"train {number}" for number in range(8)]
        return train, None if self.plan.held_out else [f"gate {n}" for n in range(5)]

    def head(self) -> tuple[Version, ...]:
        return () if self._store is None else self._store.versions()

    def check_written(self, episode: str, use: str) -> None:
        """Note an episode that another connection to the database does not see."""
        if episode not in self._written and self._store is not None:
            self._written = {record.episode for record in self._store.episodes()}
            if episode not in self._written:
                self.unwritten.append(f"{episode} was {use}")

    def look(self) -> None:
        """Note an overdrawn budget."""
        spent, held, limit = self.ledger.spent, self.ledger.reserved, self.ledger.budget
        for name, most in (("episodes", 0), ("tokens", ASK), ("usd", 1e-9), ("calls", 0)):
            allowed = getattr(limit, name)
            used = getattr(spent, name) + getattr(held, name)
            # a proposal that was dearer than all before it is known only when it is there
            if allowed is not None and used > allowed + most:
                self.over.append(f"{name}: {spent} spent and {held} held of {allowed}")

    def run(self, cancel_at: int | None = None) -> Kept:
        """Train, and return what the store holds afterwards."""
        with tempfile.TemporaryDirectory() as folder:
            self._folder = Path(folder)
            self.outcome = virtual.run(self._train, cancel_at=cancel_at, each_turn=(self.look,))
            with ParameterStore(folder, SPACE) as store:
                return Kept(
                    store.versions(),
                    store.episodes(),
                    store.proposals(),
                    store.events(),
                    verify(store),
                )

    async def _train(self, loop: virtual.VirtualLoop) -> TrainResult | None:
        self.ledger = Ledger(self.plan.budget, clock=loop.time)
        result: TrainResult | None = None
        with ParameterStore(self._folder / "run.db", SPACE) as self._store:
            async with anyio.create_task_group() as beside:
                if self.plan.operator:
                    beside.start_soon(self._operate)
                result = await self._trained()
                beside.cancel_scope.cancel()
        return result

    async def _trained(self) -> TrainResult | None:
        plan, (tasks, gate) = self.plan, self.tasks
        try:
            return await train(
                self.flow,
                tasks,
                guide=guide,
                gate_tasks=gate,
                optimizer=self.proposer,
                budget=self.ledger,
                concurrency=plan.concurrency,
                batch_size=plan.batch,
                proposals=plan.proposals,
                max_staleness=plan.staleness,
                lag=plan.lag,
                deterministic=plan.deterministic,
                seed=plan.seed,
                run_dir=self._folder,
                deadline=plan.deadline,
                on_event=self._hear,
                gate=Gate(z=0.0, margin=10**6 if plan.rejecting else 0.0),
                retry=Retry(wait=2.0),
                batches=plan.batches,
                rollback=plan.rollback,
                report_tasks=["report 1", "report 2"] if plan.report else None,
                traffic=_traffic(plan.candidate),
            )
        except GuideFailed:
            return None

    def _hear(self, event: TrainingEvent) -> None:
        self.look()
        self.events.append(event)
        if isinstance(event, EpisodeEnded):
            self.check_written(event.episode, "reported")
        else:
            self.histories.append(self.head())

    async def _operate(self) -> None:
        """Roll back by hand, again and again, to anything."""
        what = random.Random(f"{self.plan.delays}/operator")
        while self._store is not None:
            await anyio.sleep(what.choice((2.0, 11.0, 30.0)))
            versions = self._store.versions()
            try:
                self._store.rollback(what.choice(versions).id)
            except VersionConflict:
                continue


def _traffic(candidate: float | None) -> dict[str, float] | None:
    return None if candidate is None else {"head": 1.0 - candidate, "candidate": candidate}


def lived(plan: Plan, **changes: object) -> tuple[World, Kept]:
    """Return a world and what its run left."""
    world = World(possible(replace(plan, **changes)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return world, world.run()
