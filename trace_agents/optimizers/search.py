"""Search: an optimizer without a model, for parameters with declared choices and ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar, cast

import anyio

from trace_agents.errors import InvalidValue
from trace_agents.graph import Parameters, Values
from trace_agents.optimizers.base import FeedbackOptimizer, Proposal, Tried
from trace_agents.optimizers.engines import EngineName, engine_for
from trace_agents.optimizers.scores import Trial, Trials, gathered, observed
from trace_agents.optimizers.space import Point, Space
from trace_agents.tracing.parameters import ParameterNode

_Result = TypeVar("_Result")
_COUNTABLE = 5_000
"""Points of a space that is small enough to be listed."""
_ATTEMPTS = 4
"""How often an engine is asked anew where it comes to nothing that was not tried."""


@dataclass(slots=True)
class _Asked:
    """A proposal on its way: made, evaluated somewhere, and told."""

    proposal: Proposal | None = None
    point: Point | None = None
    result: Trial | None = None
    made: anyio.Event = field(default_factory=anyio.Event)
    told: anyio.Event = field(default_factory=anyio.Event)


class Search(FeedbackOptimizer):
    """An optimizer that tries values and keeps to what scored well; it asks no model.

    It changes `Choice` and `Bool` parameters and numbers with two ends. Others stay as they
    are, and every proposal says so. A score comes from `tell`, as `train` gives it, or from
    feedback that holds one: `score 0.7 …`, or a bare number.

    Args:
        parameters: a workflow's parameters, or parameter nodes, which `step` can change.
        seed: fixes every choice.
        engine: `evolution`, `tpe`, `random` or `optuna` (extra `optuna`); `auto` is `tpe` where
            four or more numbers have no step, else `evolution`.
        parallel: how many proposals are evaluated at once. Proposal i then waits for the results
            0 … i - parallel and sees only these, so that the same seed makes the same proposals
            however long each takes; every one must be told. Without it a proposal sees whatever
            has come in.
        recent: how many of the latest results count, where what is good changes with time; a
            point may then be tried again when it is forgotten. All of them without it.

    Raises:
        ExtraNotInstalled: the package of the engine is missing.
    """

    def __init__(
        self,
        parameters: Parameters | Iterable[ParameterNode],
        *,
        seed: int = 0,
        engine: EngineName = "auto",
        parallel: int | None = None,
        recent: int | None = None,
    ) -> None:
        super().__init__(parameters)
        if parallel is not None and parallel < 1:
            raise InvalidValue(f"parallel must be at least 1, got {parallel}")
        if recent is not None and recent < 1:
            raise InvalidValue(f"recent must be at least 1, got {recent}")
        self.space = Space.of(self.parameters)
        self.seed = seed
        self.parallel = parallel
        self.recent = recent
        self._engine = engine_for(engine)
        self._asked: list[_Asked] = []
        self._past: list[Trial] = []
        self._fresh: list[Trial] = []

    @property
    def best(self) -> Trial | None:
        """The best that was tried so far, of what still counts."""
        found = self._trials(self._asked).best_first
        return found[0] if found else None

    def zero_feedback(self) -> None:
        """Forget the feedback; the scores that a proposal was made from are kept."""
        self._past.extend(Trial(trial.values, read=trial.read) for trial in self._fresh)
        self._fresh = []
        super().zero_feedback()

    async def propose(self, values: Values | None = None) -> Proposal:
        """Return changes to `values` (the parameters' own without it); change nothing.

        The first proposal of a search that knows nothing is to keep the values: where they
        stand is worth a trial.
        """
        if not self.space.axes:
            return Proposal(problems=self.space.frozen or ("there is no parameter to change",))
        index, asked = len(self._asked), _Asked()
        self._asked.append(asked)
        try:
            known = await self._known(index)
            current = self.current(values)
            self._read(current)
            asked.point, note = self._pick(index, known, current)
            proposal = asked.proposal = self._proposal(asked.point, current, note)
            return proposal
        finally:
            asked.made.set()
            if asked.proposal is None:
                asked.told.set()

    async def step(self) -> Proposal:
        """Propose, and apply the changes; the result comes as feedback, and need not be told."""
        proposal = await super().step()
        self.tell(proposal, accepted=True)
        return proposal

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Learn the score of a proposal; None where it could not be evaluated."""
        del accepted  # whoever accepts or rejects compares scores, as the search does
        for asked in self._asked:
            if asked.proposal is proposal and asked.point is not None:
                if score is not None:
                    asked.result = Trial(asked.point, told=[score])
                asked.told.set()

    def remember(self, tried: Sequence[Tried]) -> None:
        """Take up what another instance with this seed proposed, so that the run goes on alike."""
        here = self.current()
        for each in tried:
            memo = cast("Mapping[str, Any]", each.proposal.memo)
            here = {**here, **each.proposal.changes} if each.accepted else here
            point = memo.get("point") or {**here, **each.proposal.changes}
            asked = _Asked(each.proposal, {name: point[name] for name in self.space.axes})
            asked.made.set()
            self._asked.append(asked)
            self.tell(each.proposal, each.accepted, each.score)
            asked.told.set()
            self._past.extend(Trial.from_json(trial) for trial in memo.get("learned", ()))

    async def _known(self, index: int) -> list[_Asked]:
        """Return the earlier proposals that this one may know of."""
        if self.parallel is None:
            return self._asked[:index]
        for earlier in self._asked[:index]:
            await earlier.made.wait()
        visible = self._asked[: max(0, index + 1 - self.parallel)]
        for earlier in visible:
            await earlier.told.wait()
        return visible

    def _read(self, current: Values) -> None:
        parts = [*self._graphs, *self._left_at_nodes()]
        trials = observed(parts, self.space.axes, current)
        self._fresh = [trial for trial in trials if self._inside(trial.values)]

    def _inside(self, values: Values) -> bool:
        """Whether values could be proposed here; a recording may be of other times."""
        try:
            return all(
                self.parameters[name].type.check(value) == value for name, value in values.items()
            )
        except InvalidValue:
            return False

    def _trials(self, known: Iterable[_Asked]) -> Trials:
        told = [asked.result for asked in known if asked.result is not None]
        read = [*self._past, *self._fresh]
        return gathered(self._latest(read), self._latest(told))

    def _latest(self, results: Sequence[_Result]) -> Sequence[_Result]:
        return results if self.recent is None else results[-self.recent :]

    def _pick(self, index: int, known: list[_Asked], current: Values) -> tuple[Point, str]:
        trials = self._trials(known)
        here = {name: current[name] for name in self.space.axes}
        if index == 0 and not len(trials):
            return here, "where the search starts"
        tried = gathered(trials.all, [Trial(here)])
        for asked in self._latest(self._asked[:index]):
            if asked.point is not None:
                tried.of(asked.point)
        rng, ranked = Random(f"{self.seed}/{index}"), trials.best_first
        point = here
        for _ in range(_ATTEMPTS):
            for point in self._engine(self.space, ranked, rng):
                if point not in tried:
                    return point, _describe(ranked)
        return self._untried(tried, ranked, rng) or (point, _describe(ranked))

    def _untried(self, tried: Trials, ranked: list[Trial], rng: Random) -> tuple[Point, str] | None:
        """Return a point of a small space that no engine came to, or the best if all ran."""
        if (self.space.size or _COUNTABLE + 1) > _COUNTABLE:
            return None
        left = [point for point in self.space.points() if point not in tried]
        if left:
            return rng.choice(left), "one of the last that were not tried"
        if not ranked:
            return None
        return dict(ranked[0].values), "everything was tried; this was the best"

    def _proposal(self, point: Point, current: Values, note: str) -> Proposal:
        changes = {name: value for name, value in point.items() if value != current[name]}
        problems = self.space.frozen
        if self._graphs and not any(trial.read for trial in self._fresh):
            problems = (
                *problems,
                "no feedback that reached these parameters held a score, such as 'score 0.7'",
            )
        learned = [Trial(trial.values, read=trial.read).to_json() for trial in self._fresh]
        return Proposal(changes, note, problems, memo={"point": point, "learned": learned})


def _describe(ranked: list[Trial]) -> str:
    if not ranked:
        return "a point from anywhere: no score is known yet"
    return f"after {len(ranked)} scored trials, the best with {ranked[0].score:.4g}"
