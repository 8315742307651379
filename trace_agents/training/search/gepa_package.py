"""The published gepa package as an engine: its loop in a thread, our episodes, our budget.

The package knows nothing of types, cancellation or a limit that holds. So a text that does not
fit its parameter is refused before it is run, every call back from the thread asks first whether
to go on, and episodes are taken from the ledger, which never gives more than there is.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from trace_agents.errors import BudgetExhausted, InvalidValue, ModelError
from trace_agents.graph import Parameters, dump
from trace_agents.llm import Message, Model
from trace_agents.optimizers.gepa import GEPA
from trace_agents.optimizers.reading import Written, typed
from trace_agents.propagate import TraceGraph
from trace_agents.render import to_prompt
from trace_agents.training.search.arena import Arena, Entrant, Evolved, Outcome, evolved

T = TypeVar("T")


class _Ended(Exception):
    """Not an error: the run is over, and the thread is told."""


async def run_package(
    arena: Arena, optimizer: GEPA, tasks: Sequence[object], validation: Sequence[object]
) -> Evolved:
    """Return the result of `gepa.optimize`, run in a thread that ends with the caller.

    Raises:
        BudgetExhausted: not even the first values could be judged.
    """
    engine = _Engine(arena, optimizer, list(tasks), list(validation))
    async with anyio.create_task_group() as group:
        group.start_soon(engine.in_thread)
        try:
            await engine.done.wait()
        finally:
            engine.end()  # then the group waits for the thread
    return engine.result()


@dataclass(slots=True)
class _Engine:
    """What the package calls an adapter, with what belongs to one run."""

    arena: Arena
    optimizer: GEPA
    tasks: list[object]
    validation: list[object]
    done: anyio.Event = field(default_factory=anyio.Event)
    stopped: str = ""
    failure: Exception | None = None
    propose_new_texts: None = None
    _over: bool = False
    _calls: set[anyio.CancelScope] = field(default_factory=set[anyio.CancelScope])
    _package: Any = None
    _result: Any = None
    _number: int = 0

    async def in_thread(self) -> None:
        """Run the package's loop to its end."""
        try:
            self._result = await anyio.to_thread.run_sync(self._optimize)
        except _Ended:
            pass
        except Exception as error:  # noqa: BLE001 - the boundary: raised where the caller waits
            self.failure = self.failure or error
        finally:
            self.done.set()

    def end(self) -> None:
        """Let nothing more be begun, and stop what is under way."""
        self._over = True
        for scope in tuple(self._calls):
            scope.cancel()

    def result(self) -> Evolved:
        """Return what came of it, or raise what went wrong."""
        if self.failure is not None:
            raise self.failure
        if self._result is None:
            raise BudgetExhausted(self.stopped)
        found = self._result
        every = zip(found.candidates, found.val_aggregate_scores, found.parents, strict=True)
        entrants = [
            Entrant(self._values(texts), score, tuple(p for p in parents if p is not None))
            for texts, score, parents in every
        ]
        return evolved(entrants, self.arena, self.stopped)

    def _optimize(self) -> object:
        gepa = import_module("gepa")
        self._package = import_module("gepa.core.adapter")
        parameters = self.arena.workflow.parameters()
        return gepa.optimize(
            {name: dump(p.value) for name, p in parameters.trainable.items()},
            self.tasks,
            self.validation,
            adapter=self,
            custom_candidate_proposer=self._proposed,
            reflection_minibatch_size=min(self.optimizer.minibatch, len(self.tasks)),
            # what is perfect is the guide's to know
            skip_perfect_score=False,
            use_merge=self.optimizer.merges > 0,
            max_merge_invocations=self.optimizer.merges,
            stop_callbacks=[self._stops],
            logger=self,
            raise_on_exception=False,
            seed=self.optimizer.seed,
        )

    def _stops(self, gepa_state: object) -> bool:
        del gepa_state  # ours is the budget that counts
        return self._over

    def log(self, message: str) -> None:
        """Do nothing: what matters is in the result."""

    def evaluate(
        self, batch: list[object], candidate: dict[str, str], capture_traces: bool = False
    ) -> object:
        """Return the scores of a candidate, as the package asks for them."""
        split = "train" if capture_traces else "gate"
        outcomes = self._await(lambda: self.arena.run(self._values(candidate), batch, split))
        return self._package.EvaluationBatch(
            outputs=[outcome.output for outcome in outcomes],
            scores=[outcome.score for outcome in outcomes],
            trajectories=outcomes if capture_traces else None,
        )

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, list[Mapping[str, str]]]:
        """Return, for each component, what its runs show: the minimal subgraph as text."""
        outcomes: list[Outcome] = eval_batch.trajectories
        return {
            name: [_record(name, outcome, self.optimizer.budget) for outcome in outcomes]
            for name in components_to_update
        }

    def _proposed(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """Return new texts by the package's own prompt; one that does not fit is refused."""
        signature = import_module("gepa.strategies.instruction_proposal")
        texts: dict[str, str] = {}
        for name in components_to_update:
            told = signature.InstructionProposalSignature.run(
                lm=self._complete,
                input_dict={
                    "current_instruction_doc": candidate[name],
                    "dataset_with_feedback": reflective_dataset[name],
                },
            )
            texts[name] = self._fitting(name, told["new_instruction"], candidate)
        return texts

    def _fitting(self, name: str, text: str, candidate: Mapping[str, str]) -> str:
        alone = _only(self.arena.workflow.parameters(), name)
        current = self._values(candidate)
        parsed = typed(Written({name: [text]}), alone, current)
        if parsed.invalid:
            self.arena.note(f"{name!r} was dropped: {parsed.invalid[name]}")
            raise InvalidValue(parsed.invalid[name])
        return dump(parsed.changes.get(name, current[name]))

    def _complete(self, prompt: str) -> str:
        self._number += 1
        message: Message = {"role": "user", "content": prompt}
        model: Model = self.optimizer.llm
        try:
            reply = self._await(lambda: self.arena.spend(lambda: model.complete([message])))
        except ModelError as error:
            self.arena.note(f"a reflection is missing: {error}")
            raise
        return reply.text

    def _values(self, candidate: Mapping[str, str]) -> dict[str, object]:
        parameters = self.arena.workflow.parameters()
        read = {name: _read(parameters, name, text) for name, text in candidate.items()}
        return {**parameters.defaults(), **read}

    def _await(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what a coroutine of the loop's thread gives, unless the run is over."""
        if self._over:
            raise _Ended
        try:
            return anyio.from_thread.run(self._guarded, call)
        except BudgetExhausted as error:
            self._over, self.stopped = True, str(error)
            raise
        except (ModelError, _Ended):
            raise
        except Exception as error:
            # the package would log it and go on
            self._over, self.failure = True, error
            raise

    async def _guarded(self, call: Callable[[], Awaitable[T]]) -> T:
        with anyio.CancelScope() as scope:
            self._calls.add(scope)
            try:
                return await call()
            finally:
                self._calls.discard(scope)
        raise _Ended


def _only(parameters: Parameters, name: str) -> Parameters:
    return Parameters(replace(p, frozen=p.frozen or p.name != name) for p in parameters.values())


def _read(parameters: Parameters, name: str, text: str) -> object:
    parameter = parameters[name]
    if isinstance(parameter.value, str):
        return parameter.type.check(text)
    return parameter.type.check(json.loads(text))


def _record(name: str, outcome: Outcome, budget: int) -> dict[str, str]:
    steps = ""
    if outcome.part is not None and any(n.name == name for n in outcome.part.parameters):
        steps = _steps(outcome.part.for_parameter(name), budget)
    return {
        "Inputs": steps,
        "Generated Outputs": str(outcome.output),
        "Feedback": outcome.words,
    }


def _steps(part: TraceGraph, budget: int) -> str:
    shown = to_prompt(part, budget=budget)
    return "\n".join(filter(None, (shown.inputs, shown.code, shown.others)))
