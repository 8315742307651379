"""Stand-ins for models: rules that read the prompt that they are given, and nothing else.

What a stand-in can do depends on what its optimizer puts into the prompt: with test output or a
direction there it mends a value, with scores alone it can only vary what scored best.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.problems.telling import operate
from trace_agents.llm import Message

_VARIABLE = re.compile(
    r'<variable name="(.+?)">\n<value>\n(.*?)\n</value>\n<constraint>(.*?)</constraint>', re.DOTALL
)
_LISTED = re.compile(r"^(.+?): (.+)\nnow: (.*)$", re.MULTILINE)
_MOVE = re.compile(r"\b(raise|lower) (\w+) by ([\d.e+-]+)")
_CASE = re.compile(r"\b(\w+)\((-?\d+), (-?\d+)\) is -?\d+, not (-?\d+)")
_WANTED = re.compile(r"the reader found (\w+) \w+, and wanted (\w+)")
_PACKAGE = re.compile(r"### (variable|constraint)\n(.*?)\n\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable as a prompt shows it."""

    name: str
    value: str
    constraint: str

    @property
    def options(self) -> tuple[str, ...]:
        """The values to choose from; none for numbers."""
        if self.constraint.startswith("one of: "):
            found = ast.literal_eval(f"({self.constraint.removeprefix('one of: ')},)")
            return tuple(map(str, found))
        return ("true", "false") if self.constraint == "true or false" else ()

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of a number."""
        low, high = self.constraint.split("[")[1].split("]")[0].split(",")
        return float(low), float(high)

    def number(self, value: float) -> str:
        """Return a number as the constraint allows it."""
        low, high = self.ends
        value = min(high, max(low, value))
        if "plus a multiple of" in self.constraint:
            step = float(self.constraint.rpartition(" ")[2])
            return f"{low + round((value - low) / step) * step:.12g}"
        return str(round(value)) if self.constraint.startswith("a whole") else f"{value:.6g}"


def mended(variable: Variable, said: str) -> str | None:
    """Return a value that does what was said of the variable, or None if nothing was."""
    if not variable.options:
        return _moved(variable, said)
    wanted: str | None = dict(_WANTED.findall(said)).get(variable.name)
    if wanted is not None:
        return wanted
    cases = [tuple(map(int, case[1:])) for case in _CASE.findall(said) if case[0] == variable.name]
    others = [option for option in variable.options if option != variable.value]
    fitting = (o for o in others if all(operate(o, a, b) == w for a, b, w in cases))
    return next(fitting, None) if cases else None


def _moved(variable: Variable, said: str) -> str | None:
    moves = [
        float(by) if way == "raise" else -float(by)
        for way, name, by in _MOVE.findall(said)
        if name == variable.name
    ]
    if not moves:
        return None
    return variable.number(float(variable.value) + sum(moves) / len(moves))


def varied(variable: Variable, rng: Random) -> str:
    """Return another value, chosen without any reason."""
    if variable.options:
        return rng.choice([option for option in variable.options if option != variable.value])
    low, high = variable.ends
    if rng.random() < 0.3:
        return variable.number(rng.uniform(low, high))
    return variable.number(float(variable.value) + rng.gauss(0, (high - low) / 10))


def guided(messages: Sequence[Message]) -> str:
    """Answer for OptoPrime, TextGrad or GEPA: mend every variable of which something is said."""
    text = messages[-1]["content"]
    if "#Criticise" in text:
        return _criticism(text)
    if "#Critiques" in text:
        part = _parts(text)
        variable = Variable(part["Variable"], part["Value"], part["Constraint"])
        return _answer({variable.name: mended(variable, part["Critiques"])})
    part = _parts(text)
    variables = [Variable(*found) for found in _VARIABLE.findall(part["Variables"])]
    return _answer({variable.name: mended(variable, part["Feedback"]) for variable in variables})


def _criticism(text: str) -> str:
    said = _parts(text)["Feedback on the output"]
    named = re.findall(r"^\[\d+\] (\w+)", text, re.MULTILINE)
    criticised = named[-1]
    about = [line for line in said.splitlines() if re.search(rf"\b{criticised}\b", line)]
    others = set(named) - {criticised}
    rest = [line for line in said.splitlines() if not others & set(re.findall(r"\w+", line))]
    return "\n".join(about or rest) or "It has no part in it."


def _parts(text: str) -> dict[str, str]:
    found = re.split(r"^#(.+)\n", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(found[::2], found[1::2], strict=True)}


def _answer(values: Mapping[str, str | None]) -> str:
    blocks = (
        f"<variable><name>{name}</name><value>{value}</value></variable>"
        for name, value in values.items()
        if value is not None
    )
    return "<reasoning>as was said</reasoning>" + "".join(blocks)


def by_scores(seed: int) -> Callable[[Sequence[Message]], str]:
    """Return the answers for OPRO: the best of the history with one or two values varied."""
    rng = Random(f"by scores/{seed}")

    def answer(messages: Sequence[Message]) -> str:
        part = _parts(messages[-1]["content"])
        variables = [
            Variable(name, value, constraint)
            for name, constraint, value in _LISTED.findall(part["Variables"])
        ]
        best = _last_entry(part.get("Tried, the best at the end", ""))
        chosen = rng.sample(variables, min(len(variables), rng.choice((1, 1, 2))))
        values: dict[str, str | None] = {}
        for variable in variables:
            value = best.get(variable.name, variable.value)
            here = Variable(variable.name, value, variable.constraint)
            values[variable.name] = varied(here, rng) if variable in chosen else here.value
        return _answer(values)

    return answer


def _last_entry(tried: str) -> dict[str, str]:
    entries = [entry for entry in tried.split("\n\n") if "score:" in entry]
    lines = entries[-1].splitlines() if entries else []
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


def for_package(seed: int) -> Callable[[str], str]:
    """Return the answers for the gepa package: mend what is said, else vary."""
    rng = Random(f"package/{seed}")

    def answer(prompt: str) -> str:
        told = dict(_PACKAGE.findall(prompt))
        value = prompt.split("```")[1].strip()
        variable = Variable(told["variable"], value, told["constraint"])
        new = mended(variable, prompt) or varied(variable, rng)
        return f"```\n{new}\n```"

    return answer
