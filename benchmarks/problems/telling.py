"""Problems whose evaluations say what is wrong: tests by name, or a direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import cast

import trace_agents as ta
from benchmarks.problems.problem import Nodes, Problem, number, started_anywhere
from trace_agents.graph import Values

OPERATORS = ("a + b", "a - b", "a * b", "a // b", "a % b", "max(a, b)", "min(a, b)", "b - a")
FUNCTIONS = ("total", "rest", "area", "boxes", "spare", "upper", "lower", "debt")
CASES = ((7, 3), (2, 9), (5, 5))
TONES = ("plain", "formal", "kind", "short", "funny", "strict")


def operate(expression: str, a: int, b: int) -> int:
    """Return what one of the expressions gives."""
    results = (a + b, a - b, a * b, a // b, a % b, max(a, b), min(a, b), b - a)
    return results[OPERATORS.index(expression)]


def failures(name: str, expression: str, right: str) -> list[str]:
    """Return what the test of a function says where it fails."""
    results = [(a, b, operate(expression, a, b), operate(right, a, b)) for a, b in CASES]
    return [
        f"test of {name} failed: {name}({a}, {b}) is {got}, not {wanted}"
        for a, b, got, wanted in results
        if got != wanted
    ]


@ta.bundle()
def tested(expression: str) -> list[int]:
    """Run a function of two numbers on the cases of its test."""
    return [operate(expression, a, b) for a, b in CASES]


@ta.bundle()
def report(*results: object) -> list[object]:
    """Return the results of all tests."""
    return list(results)


def repair(seed: int) -> Problem:
    """Return a module of eight wrong functions, each with a test of its own."""
    rng = Random(f"repair/{seed}")
    right = {name: rng.choice(OPERATORS) for name in FUNCTIONS}
    start = {
        name: rng.choice([other for other in OPERATORS if other != right[name]])
        for name in FUNCTIONS
    }
    space = ta.Parameters(
        ta.Parameter(name, start[name], ta.Choice(OPERATORS)) for name in FUNCTIONS
    )

    def truth(values: Values) -> float:
        return sum(values[name] == right[name] for name in FUNCTIONS) / len(FUNCTIONS)

    def words(values: Values) -> str:
        tests = (failures(name, str(values[name]), right[name]) for name in FUNCTIONS)
        return "\n".join(line for lines in tests for line in lines)

    def program(nodes: Nodes) -> ta.Node:
        results: ta.Node = report(*(tested(nodes[name]) for name in FUNCTIONS))
        return results

    return Problem(space, truth, words=words, program=program)


@ta.bundle()
def stage(flow: object, setting: float) -> object:
    """Pass the flow through a stage that adds its setting."""
    return [*cast("list[object]", flow), setting]


def chain(seed: int) -> Problem:
    """Return four stages in a row; a gauge behind each says which way and how far."""
    rng = Random(f"chain/{seed}")
    names = ("heater", "mixer", "press", "cooler")
    wanted = {name: rng.uniform(0, 100) for name in names}
    space = ta.Parameters(ta.Parameter(name, 50.0, ta.Number(0, 100)) for name in names)

    def off(values: Values) -> dict[str, float]:
        return {name: wanted[name] - number(values, name) for name in names}

    def truth(values: Values) -> float:
        return 1 - sum(map(abs, off(values).values())) / (100 * len(names))

    def program(nodes: Nodes) -> ta.Node:
        flow = ta.node([], "raw")
        for name in names:
            flow = stage(flow, nodes[name])
        return flow

    return Problem(
        started_anywhere(space, rng), truth, words=lambda v: directions(off(v)), program=program
    )


def directions(off: Mapping[str, float]) -> str:
    """Return which way each value is off, and how far."""
    return "\n".join(
        f"{'raise' if by > 0 else 'lower'} {name} by {abs(by):.3g}"
        for name, by in off.items()
        if abs(by) > 0.005
    )


@ta.bundle()
def both(shared: float, first: float, second: float) -> list[float]:
    """Let two agents work with one shared setting and one of their own."""
    return [shared, first, second]


def tug_of_war(seed: int) -> Problem:
    """Return one setting that two agents pull apart; what is best for both lies between."""
    rng = Random(f"tug/{seed}")
    pulls = (rng.uniform(0, 8), rng.uniform(12, 20))
    own = {"first": rng.uniform(-5, 5), "second": rng.uniform(-5, 5)}
    middle = sum(pulls) / 2
    space = ta.Parameters(
        [
            ta.Parameter("shared", 0.0, ta.Number(0, 20)),
            ta.Parameter("first", 0.0, ta.Number(-5, 5)),
            ta.Parameter("second", 0.0, ta.Number(-5, 5)),
        ]
    )

    def loss(values: Values) -> float:
        ends = sum((number(values, "shared") - pull) ** 2 for pull in pulls)
        return ends + sum((number(values, name) - best) ** 2 for name, best in own.items())

    least = loss({"shared": middle, **own})

    def truth(values: Values) -> float:
        return least / loss(values)

    def words(values: Values) -> str:
        said = [directions({"shared": pull - number(values, "shared")}) for pull in pulls]
        alone = {name: best - number(values, name) for name, best in own.items()}
        return "\n".join([*said, directions(alone)])

    def program(nodes: Nodes) -> ta.Node:
        settings: ta.Node = both(nodes["shared"], nodes["first"], nodes["second"])
        return settings

    return Problem(started_anywhere(space, rng), truth, words=words, program=program)


@ta.bundle()
def answered(tone: str, length: int, price: str) -> list[object]:
    """Answer a customer in a tone and a length, with a price that a formula gives."""
    return [tone, length, price]


def three(seed: int) -> Problem:
    """Return an agent with a tone, a length and a formula."""
    rng = Random(f"three/{seed}")
    tone, price, length = rng.choice(TONES), rng.choice(OPERATORS), rng.randint(5, 60)
    space = ta.Parameters(
        [
            ta.Parameter("tone", TONES[0], ta.Choice(TONES)),
            ta.Parameter("length", 1, ta.Number(1, 60, integer=True)),
            ta.Parameter("price", OPERATORS[0], ta.Choice(OPERATORS)),
        ]
    )

    def truth(values: Values) -> float:
        near = 1 - abs(number(values, "length") - length) / 60
        return ((values["tone"] == tone) + (values["price"] == price) + near) / 3

    def words(values: Values) -> str:
        lines = failures("price", str(values["price"]), price)
        if values["tone"] != tone:
            lines.append(f"the reader found tone {values['tone']}, and wanted {tone}")
        return "\n".join([*lines, directions({"length": length - number(values, "length")})])

    def program(nodes: Nodes) -> ta.Node:
        reply: ta.Node = answered(nodes["tone"], nodes["length"], nodes["price"])
        return reply

    return Problem(started_anywhere(space, rng), truth, words=words, program=program)


TELLING: Mapping[str, Callable[[int], Problem]] = {
    "code repair": repair,
    "directional chain": chain,
    "tug-of-war": tug_of_war,
    "three parameters": three,
}
"""The problems by name."""
