"""OPRO: a model reads what was tried with its scores, worst first, and writes a better one.

After "Large Language Models as Optimizers" (arXiv 2309.03409): the scored history in ascending
order, its best entries only, a few exemplars of the task, and several samples for each prompt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias, cast

from trace_agents.errors import InvalidValue
from trace_agents.graph import Parameters, Values, dump
from trace_agents.llm import Message, Model, as_model
from trace_agents.optimizers.asking import NOTHING_REACHED, summary, touched
from trace_agents.optimizers.base import GraphOptimizer, Proposal, Tried
from trace_agents.optimizers.exemplars import exemplars
from trace_agents.optimizers.forms import FormName, form_of
from trace_agents.optimizers.sampling import Round, Spread, sample, writers_of
from trace_agents.optimizers.scores import Trial, Trials, gathered, key, observed
from trace_agents.tracing.parameters import ParameterNode

Reads: TypeAlias = Literal["scores", "feedback"]

_OPEN = 100
"""Proposals that may wait to be told; whoever steps never tells."""
OBJECTIVE = "Write new values of the variables, unlike all that were tried, that score higher."

_SYSTEM = """\
You improve the values of some variables of a program. You are shown what was tried, with its
scores, the best at the end; higher is better. Write values that differ from all of them and that
score higher than the best. Write a value in full, unless its constraint asks for edits. Variables
that should stay as they are now, leave out.

"""


class OPRO(GraphOptimizer):
    """An optimizer that shows a model the scored history, and nothing of what ran inside.

    One round asks for `samples` answers; each is one proposal, the next round begins when all
    were proposed. A score comes from `tell`, as `train` gives it, or from feedback that holds
    one: `score 0.7 …`, or a bare number.

    Args:
        parameters: a workflow's parameters, or parameter nodes, which `step` can change.
        llm: a model, or a name that litellm knows.
        objective: what the model is asked to do.
        samples: answers to one prompt, asked for at the same time.
        top: how many of the best entries the model is shown.
        exemplars: how many inputs and outputs of the last episodes the model is shown.
        reads: `scores` as published, or `feedback`: then every entry has its words too, and
            entries without a score are shown before those with one.
        form: `tagged`, or `json`, which holds the model to a schema where it can be held.
    """

    def __init__(
        self,
        parameters: Parameters | Iterable[ParameterNode],
        *,
        llm: Model | str,
        objective: str = OBJECTIVE,
        samples: int = 8,
        top: int = 20,
        exemplars: int = 3,
        reads: Reads = "scores",
        form: FormName = "tagged",
    ) -> None:
        super().__init__(parameters, llm=as_model(llm))
        if samples < 1 or top < 1 or exemplars < 0:
            raise InvalidValue(
                "samples and top must be at least 1, exemplars at least 0; "
                f"got {samples}, {top} and {exemplars}"
            )
        self.objective = objective
        self.samples = samples
        self.top = top
        self.exemplars = exemplars
        self.reads: Reads = reads
        self._form = form_of(form)
        self._past: tuple[Trial, ...] = ()
        self._fresh: list[Trial] = []
        self._unsaid: list[Trial] = []
        """What was learned before this feedback and stands in no proposal's memo."""
        self._said = True
        """Whether what this feedback taught stands in a memo."""
        self._told: list[Trial] = []
        self._open: list[tuple[Proposal, dict[str, object]]] = []
        self._waiting: deque[tuple[dict[str, object], str]] = deque()

    def zero_feedback(self) -> None:
        """Forget the feedback; the scores that a proposal was made from are kept."""
        self._past = gathered(self._past, self._fresh).all
        if not self._said:
            self._unsaid.extend(self._fresh)
        self._fresh = []
        super().zero_feedback()

    async def propose(self, values: Values | None = None) -> Proposal:
        """Return changes to `values` (the parameters' own without it); change nothing.

        Raises:
            ModelError: the model gave not one answer.
        """
        current = self.current(values)
        free = touched(self.parameters, self.feedback)
        self._fresh = observed(self._parts(), self.parameters.trainable, current)
        self._said = False
        if not free.trainable:
            return NOTHING_REACHED
        proposal = self._next(free, current)
        if proposal is None:
            writers = writers_of(self.llm, Spread(self.samples), ())
            prompt = self._prompt(free, current)
            made = await sample(writers, prompt, free, current, self._form)
            proposal = self._first(made, free, current)
        return self._opened(proposal, current)

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Learn the score of a proposal; None where it could not be evaluated."""
        del accepted  # the history holds what scored low as well
        for made, point in self._open:
            if made is proposal and score is not None:
                self._told.append(Trial(point, told=[score]))
        self._open = [pair for pair in self._open if pair[0] is not proposal]

    def remember(self, tried: Sequence[Tried]) -> None:
        """Learn what another instance proposed in the same run."""
        for each in tried:
            memo = cast("Mapping[str, Any]", each.proposal.memo)
            if not memo:
                continue
            learned = [Trial.from_json(trial) for trial in memo["learned"]]
            self._past = gathered(self._past, learned).all
            if each.score is not None and each.proposal.changes:
                self._told.append(Trial(memo["point"], told=[each.score]))
            self._waiting = deque((point, why) for point, why in memo["waiting"])

    @property
    def history(self) -> tuple[Trial, ...]:
        """What was tried and is known, as the model is shown it: the best at the end."""
        trials = self._trials()
        best = trials.best_first[: self.top]
        unscored = [t for t in trials.all if t.score is None and t.words]
        if self.reads == "scores":
            return tuple(reversed(best))
        return (*unscored[-self.top :], *reversed(best))

    def _trials(self) -> Trials:
        return gathered(self._past, self._fresh, self._told)

    def _next(self, free: Parameters, current: Mapping[str, object]) -> Proposal | None:
        """Return the next answer of the last round that is still something new."""
        while self._waiting:
            point, why = self._waiting.popleft()
            changes = {n: v for n, v in point.items() if n in free.trainable and v != current[n]}
            if changes and point not in self._trials():
                return Proposal(changes, why)
        return None

    def _opened(self, proposal: Proposal, current: Mapping[str, object]) -> Proposal:
        """Return the proposal with its memo, waiting to be told."""
        names = self.parameters.trainable
        point = {name: proposal.changes.get(name, current[name]) for name in names}
        memo = {
            "learned": [trial.to_json() for trial in (*self._unsaid, *self._fresh)],
            "point": point,
            "waiting": [list(pair) for pair in self._waiting],
        }
        self._unsaid, self._said = [], True
        made = replace(proposal, memo=memo)
        if made.changes:
            self._open = [*self._open[-_OPEN:], (made, point)]
        return made

    def _prompt(self, free: Parameters, current: Mapping[str, object]) -> list[Message]:
        tried = [_entry(trial, self.reads) for trial in self.history]
        shown = exemplars(self._graphs or self._left_at_nodes(), self.exemplars)
        parts = [
            f"#Instruction\n{self.objective}",
            "#Variables\n" + "\n".join(_variable(name, free, current) for name in free.trainable),
            "#Tried, the best at the end\n" + "\n\n".join(tried) if tried else "",
            "#Exemplars of the task\n" + "\n\n".join(shown) if shown else "",
        ]
        return [
            {"role": "system", "content": _SYSTEM + self._form.words},
            {"role": "user", "content": "\n\n".join(filter(None, parts))},
        ]

    def _first(self, made: Round, free: Parameters, current: Mapping[str, object]) -> Proposal:
        """Return the first answer that is new, with the cost of all; the others wait."""
        names = list(self.parameters.trainable)
        known = {key(trial.values) for trial in self._trials().all}
        for answer in made.answers:
            point = {name: answer.parsed.changes.get(name, current[name]) for name in names}
            if answer.parsed.changes and key(point) not in known:
                known.add(key(point))
                self._waiting.append((point, answer.parsed.reasoning))
        first = self._next(free, current)
        nothing = () if first else ("no sample holds a change that was not tried before",)
        tokens, usd, calls = made.cost
        return replace(
            first or Proposal(reasoning=made.answers[0].parsed.reasoning),
            problems=(*nothing, *made.problems),
            tokens=tokens,
            usd=usd,
            calls=calls,
        )


def _variable(name: str, free: Parameters, current: Mapping[str, object]) -> str:
    kind, why = free[name].type.describe(), free[name].description
    told = f"{name}: {kind}; {why}" if why else f"{name}: {kind}"
    return f"{told}\nnow: {dump(current[name])}"


def _entry(trial: Trial, reads: Reads) -> str:
    lines = [f"{name} = {dump(value)}" for name, value in trial.values.items()]
    if reads == "feedback" and trial.words:
        lines.append(f"feedback: {summary(trial.words)}")
    if trial.score is not None:
        lines.append(f"score: {trial.score:.4g}")
    return "\n".join(lines)
