"""GEPA: reflect on the runs of a candidate that is the best at something, change one parameter.

After "GEPA: Reflective Prompt Evolution Can Outperform Reinforcement Learning" (arXiv 2507.19457):
a pool with a Pareto front over tasks, reflective mutation, and merges of two lineages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import combinations
from random import Random
from typing import Literal, TypeAlias

from trace_agents.errors import ExtraNotInstalled, InvalidValue
from trace_agents.graph import Parameters, Values
from trace_agents.llm import Message, Model, as_model, varied
from trace_agents.optimizers.asking import NOTHING_REACHED, ask, touched
from trace_agents.optimizers.base import GraphOptimizer, Proposal, Tried
from trace_agents.optimizers.forms import FormName, form_of
from trace_agents.optimizers.lineage import Read, Remembered
from trace_agents.optimizers.pareto import Candidate, Pool, add_run, merged_values
from trace_agents.optimizers.scores import key, ran_with
from trace_agents.propagate import TraceGraph
from trace_agents.render import to_prompt
from trace_agents.tracing.parameters import ParameterNode

EngineName: TypeAlias = Literal["own", "gepa"]

_SYSTEM = """\
You improve one variable of a program that runs agents. You are shown recorded runs with its
present value: the steps that it led to, and feedback on their outputs. Work out what the task is,
and write a better value for every task of this kind, not only for these. Keep each fact about the
task that the feedback or the present value gives and that is hard to guess; keep every approach
that worked.

"""


class GEPA(GraphOptimizer):
    """An optimizer that keeps a pool of values that ran, and builds on those that win a task.

    A parent is picked from the pool, likelier one that is the best at more tasks; a model
    reflects on the part of its runs that one parameter led to, and rewrites that parameter. When
    two lineages have each learned something of their own, their values are merged, without a
    model. Tasks are told apart by what came into an episode from outside; scores come from
    feedback that holds one, such as `score 0.7 …`.

    Args:
        parameters: a workflow's parameters, or parameter nodes, which `step` can change.
        llm: a model, or a name that litellm knows.
        seed: fixes which parent and which runs are picked.
        minibatch: runs that one reflection reads.
        merges: the most merges that are proposed.
        budget: characters of a prompt's recorded part.
        form: `tagged`, or `json`, which holds the model to a schema where it can be held.
        engine: `own`; or `gepa`, the published package (extra `gepa`) with its own loop and
            prompt, which `trace_agents.training.evolve` runs.

    Raises:
        ExtraNotInstalled: the package of the engine is missing.
    """

    def __init__(
        self,
        parameters: Parameters | Iterable[ParameterNode],
        *,
        llm: Model | str,
        seed: int = 0,
        minibatch: int = 3,
        merges: int = 5,
        budget: int = 20_000,
        form: FormName = "tagged",
        engine: EngineName = "own",
    ) -> None:
        super().__init__(parameters, llm=as_model(llm))
        if minibatch < 1 or merges < 0:
            raise InvalidValue(
                f"minibatch must be at least 1, merges at least 0; got {minibatch} and {merges}"
            )
        if engine not in ("own", "gepa"):
            raise InvalidValue(f"no engine is named {engine!r}; use own or gepa")
        if engine == "gepa" and find_spec("gepa") is None:
            raise ExtraNotInstalled("gepa", "gepa")
        self.engine: EngineName = engine
        self.merges = merges
        self.seed = seed
        self.minibatch = minibatch
        self.budget = budget
        self._form = form_of(form)
        self.pool = Pool()
        """What ran so far."""
        self._merges_left = merges
        self._count = 0
        self._tried: dict[str, tuple[int, ...]] = {}
        """What was proposed, by its values, and the numbers of its parents."""
        self._unsaid: list[Read] = []
        """What was read and stands in no proposal's memo."""

    async def propose(self, values: Values | None = None) -> Proposal:
        """Return changes to `values` (the parameters' own without it); change nothing.

        Raises:
            ModelError: the model could not answer.
            InvalidValue: the engine is the gepa package, which makes no single proposals.
        """
        if self.engine == "gepa":
            raise InvalidValue(
                "the gepa package runs a loop of its own and makes no single proposals; give this "
                "optimizer to trace_agents.training.evolve(), or leave engine= out"
            )
        free = touched(self.parameters, self.feedback).trainable
        if not free:
            return NOTHING_REACHED
        current = self.current(values)
        here = self._read(current)
        rng = Random(f"{self.seed}/{self._count}")
        self._count += 1
        proposal = self._merged(current)
        if proposal is None:
            # without scores nobody wins: then the current values are the parent, if they ran
            ran = [candidate for candidate in (*self.pool.all, here) if candidate.runs]
            proposal = await self._reflected(self.pool.pick(rng) or ran[-1], current, rng)
        return self._with_memo(proposal, current)

    def remember(self, tried: Sequence[Tried]) -> None:
        """Learn what another instance proposed and read in the same run."""
        for memo in (each.proposal.memo for each in tried if each.proposal.memo):
            past = Remembered.from_json(memo)
            for read in past.read:
                self._take_in(read)
            self._count, self._merges_left = past.count, past.merges_left
            for number, turn in past.turns.items():
                self.pool.all[number].turn = turn
            if past.point is not None:
                self._tried.setdefault(key(past.point), past.parents)

    def _read(self, current: Mapping[str, object]) -> Candidate:
        """Bring the feedback into the pool, and return the candidate of the current values."""
        names = self.parameters.trainable
        found = ((ran_with(part, names, current), part) for part in self._parts())
        runs = tuple((ran, part) for ran, part in found if ran is not None)
        read = Read(runs, {name: current[name] for name in names})
        self._unsaid.append(read)
        return self._take_in(read)

    def _take_in(self, read: Read) -> Candidate:
        for values, part in read.runs:
            add_run(self._candidate(values), part)
        return self._candidate(dict(read.current))

    def _with_memo(self, proposal: Proposal, current: Mapping[str, object]) -> Proposal:
        point = {name: current[name] for name in self.parameters.trainable} | dict(proposal.changes)
        past = Remembered(
            tuple(self._unsaid),
            self._count,
            self._merges_left,
            {c.number: c.turn for c in self.pool.all if c.turn},
            point if key(point) in self._tried else None,
            self._tried.get(key(point), ()),
        )
        self._unsaid = []
        return replace(proposal, memo=past.to_json())

    def _candidate(self, values: dict[str, object]) -> Candidate:
        return self.pool.of(values, self._tried.get(key(values), ()))

    def _merged(self, current: Mapping[str, object]) -> Proposal | None:
        if self._merges_left == 0:
            return None
        front = [self.pool.all[number] for number in self.pool.front()]
        for one, other in combinations(front, 2):
            values = merged_values(self.pool, one, other)
            if values is not None and key(values) not in self._tried:
                self._merges_left -= 1
                why = f"what candidates {one.number} and {other.number} learned, together"
                return self._made(values, (one.number, other.number), current, Proposal({}, why))
        return None

    def _made(
        self,
        values: dict[str, object],
        parents: tuple[int, ...],
        current: Mapping[str, object],
        told: Proposal,
    ) -> Proposal:
        self._tried.setdefault(key(values), parents)
        changes = {name: value for name, value in values.items() if value != current[name]}
        return replace(told, changes=changes)

    async def _reflected(
        self, parent: Candidate, current: Mapping[str, object], rng: Random
    ) -> Proposal:
        runs = list(parent.runs.values())
        parts = [run.part for run in rng.sample(runs, min(self.minibatch, len(runs)))]
        name = self.turn(parent, parts)
        if name is None:
            return NOTHING_REACHED
        told = await self.rewrite(name, {**current, **parent.values}, parts)
        if not told.changes:
            return told
        values = {**parent.values, **told.changes}
        return self._made(values, (parent.number,), current, told)

    async def rewrite(
        self, name: str, values: Mapping[str, object], parts: Iterable[TraceGraph], number: int = 0
    ) -> Proposal:
        """Return a change of one parameter's value, from runs with all of the `values`.

        Args:
            name: the parameter.
            values: what the runs ran with.
            parts: the runs, with their feedback.
            number: tells a cache calls apart that ask the same.

        Raises:
            ModelError: the model could not answer.
        """
        shown = TraceGraph().merge(*_apart(parts, name))
        alone = Parameters(
            replace(p, frozen=p.frozen or p.name != name) for p in self.parameters.values()
        )
        # the same runs may be shown again: a cache must not give the same answer
        writer = varied(self.llm, sample=number or self._count)
        prompt = self._prompt(shown, alone, values)
        return (await ask(writer, prompt, alone, values, self._form)).proposal()

    def turn(self, parent: Candidate, parts: Iterable[TraceGraph]) -> str | None:
        """Return the parameter whose turn it is among those that the runs were led by."""
        seen = {node.name for part in parts for node in part.parameters}
        names = [name for name in self.parameters.trainable if name in seen]
        parent.turn += 1
        return names[(parent.turn - 1) % len(names)] if names else None

    def _prompt(
        self, shown: TraceGraph, alone: Parameters, before: Mapping[str, object]
    ) -> list[Message]:
        sections = to_prompt(shown, parameters=alone, values=before, budget=self.budget)
        return [
            {"role": "system", "content": _SYSTEM + self._form.words},
            {"role": "user", "content": str(sections)},
        ]


def _apart(parts: Iterable[TraceGraph], name: str) -> list[TraceGraph]:
    """Return what the parameter received of each part, as episodes with names of their own."""
    led = [part for part in parts if any(node.name == name for node in part.parameters)]
    own = [part.for_parameter(name) for part in led]
    return [
        TraceGraph(replace(part.graph, episode=f"example{number}"), part.feedback)
        for number, part in enumerate(own, 1)
    ]
