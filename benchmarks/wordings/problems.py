"""Small problems that one good step improves: prompts, numbers, choices and code."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import trace_agents as ta


@dataclass(frozen=True, slots=True)
class Posed:
    """A problem that was run once: what may change, what came out, and what was said of it."""

    parameter: ta.ParameterNode
    output: ta.Node
    feedback: str
    score: Callable[[], float]
    """How good the parameter's value is now; more is better."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem, to be posed anew for every step."""

    name: str
    pose: Callable[[], Posed]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt whose answer lacks something; a better one asks for it and keeps its task."""

    prompt: str
    task: str
    answer: str
    feedback: str
    wanted: Sequence[str]
    """Patterns that a good prompt has."""

    def __call__(self) -> Posed:
        """Return the problem, run once."""
        prompt = ta.node(self.prompt, "prompt", trainable=True)

        @ta.bundle
        def ask_model(prompt: str, task: str) -> str:
            """Ask a language model: the prompt says how, the task is what the user wants."""
            return self.answer

        def score() -> float:
            text = str(prompt.data)
            if not text.strip() or len(text) > 600:
                return 0.0
            return sum(bool(re.search(each, text, re.IGNORECASE)) for each in self.wanted)

        output = cast("ta.Node", ask_model(prompt, self.task))
        return Posed(prompt, output, self.feedback, score)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number that is too low or too high."""

    name: str
    start: float
    low: float
    high: float
    best: float
    document: str
    feedback: str
    step: float | None = None

    def __call__(self) -> Posed:
        """Return the problem, run once."""
        kind = ta.Number(self.low, self.high, step=self.step)
        number = ta.node(self.start, self.name, trainable=True, constraint=kind)

        @ta.bundle(name=f"use_{self.name}", description=self.document)
        def use(value: float) -> str:
            return f"{self.name} was {value:g}"

        output = cast("ta.Node", use(number))
        return Posed(
            number, output, self.feedback, lambda: -abs(float(str(number.data)) - self.best)
        )


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of which another one fits."""

    name: str
    options: tuple[str, ...]
    start: str
    best: str
    document: str
    output: str
    feedback: str

    def __call__(self) -> Posed:
        """Return the problem, run once."""
        chosen = ta.node(self.start, self.name, trainable=True, constraint=ta.Choice(self.options))

        @ta.bundle(name=f"use_{self.name}", description=self.document)
        def use(value: str) -> str:
            return self.output

        output = cast("ta.Node", use(chosen))
        return Posed(chosen, output, self.feedback, lambda: float(chosen.data == self.best))


@dataclass(frozen=True, slots=True)
class Fault:
    """A function with a mistake, and calls that a right one answers."""

    function: Callable[..., object]
    calls: Sequence[tuple[tuple[object, ...], object]]
    feedback: str

    def __call__(self) -> Posed:
        """Return the problem, run once."""
        operation = ta.bundle(trainable=True)(self.function)
        parameter = operation.code
        output = operation(*self.calls[0][0])

        def score() -> float:
            return sum(self._right(operation, args, wanted) for args, wanted in self.calls)

        return Posed(parameter, cast("ta.Node", output), self.feedback, score)

    def _right(
        self, operation: Callable[..., object], args: tuple[object, ...], wanted: object
    ) -> bool:
        try:
            result = operation(*args)
        except ta.ExecutionError:
            return False
        return isinstance(result, ta.Node) and result.data == wanted
