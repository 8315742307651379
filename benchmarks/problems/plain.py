"""Problems with a score and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations, product
from random import Random

import trace_agents as ta
from benchmarks.problems.problem import Make, Problem, number, started_anywhere
from trace_agents.graph import Values

SLOTS, OPTIONS = 6, 5
PROMPTS = ("plain", "steps", "examples", "role", "critic")
MODELS = ("small", "medium", "large")
RETRIES = 5
NOISE = 0.15


def minimum(dimensions: int) -> Make:
    """Return the search for a hidden point among that many numbers."""

    def make(seed: int) -> Problem:
        rng = Random(f"minimum/{dimensions}/{seed}")
        names = [f"x{i}" for i in range(dimensions)]
        hidden = {name: rng.uniform(-4, 4) for name in names}

        def truth(values: Values) -> float:
            square = sum(((number(values, name) - hidden[name]) / 10) ** 2 for name in names)
            return math.exp(-3 * math.sqrt(square / dimensions))

        space = ta.Parameters(ta.Parameter(name, 0.0, ta.Number(-5, 5)) for name in names)
        return Problem(started_anywhere(space, rng), truth)

    return make


def slots(seed: int) -> Problem:
    """Return a prompt of six slots with five texts each, of which pairs help or hurt each other."""
    rng = Random(f"slots/{seed}")
    alone = [[rng.random() for _ in range(OPTIONS)] for _ in range(SLOTS)]
    pairs = {
        pair: [[rng.gauss(0, 0.35) for _ in range(OPTIONS)] for _ in range(OPTIONS)]
        for pair in combinations(range(SLOTS), 2)
        if rng.random() < 0.4
    }

    def raw(chosen: tuple[int, ...]) -> float:
        together = sum(table[chosen[a]][chosen[b]] for (a, b), table in pairs.items())
        return sum(row[k] for row, k in zip(alone, chosen, strict=True)) + together

    every = [raw(chosen) for chosen in product(range(OPTIONS), repeat=SLOTS)]
    low, high = min(every), max(every)
    names = tuple(f"text {k}" for k in range(OPTIONS))
    kind = ta.Choice(names)
    space = ta.Parameters(ta.Parameter(f"slot{i}", names[0], kind) for i in range(SLOTS))

    def truth(values: Values) -> float:
        chosen = tuple(names.index(str(values[f"slot{i}"])) for i in range(SLOTS))
        return (raw(chosen) - low) / (high - low)

    return Problem(started_anywhere(space, rng), truth)


def agent(noise: float = 0.0) -> Make:
    """Return a mixed agent: a small model does well with any prompt, the best needs all four."""

    def make(seed: int) -> Problem:
        rng = Random(f"agent/{seed}")
        truth = agent_truth(rng)
        space = ta.Parameters(
            [
                ta.Parameter("prompt", PROMPTS[0], ta.Choice(PROMPTS)),
                ta.Parameter("model", MODELS[0], ta.Choice(MODELS)),
                ta.Parameter("temperature", 0.5, ta.Number(0, 1)),
                ta.Parameter("retries", 0, ta.Number(0, RETRIES, integer=True)),
            ]
        )
        return Problem(started_anywhere(space, rng), truth, noise)

    return make


def agent_truth(rng: Random) -> Callable[[Values], float]:
    """Return how good an agent is: a plateau of the small model, and one peak of the large."""
    heat, tries = rng.uniform(0.1, 0.9), rng.randint(1, RETRIES - 1)
    best = rng.choice(PROMPTS)
    fits = {prompt: 1.0 if prompt == best else rng.uniform(0.2, 0.7) for prompt in PROMPTS}

    def truth(values: Values) -> float:
        fit = fits[str(values["prompt"])]
        near = math.exp(-(((number(values, "temperature") - heat) / 0.25) ** 2))
        tried = 1 - abs(number(values, "retries") - tries) / RETRIES
        if values["model"] == "small":  # the trap: good at once, and never better than that
            return 0.6 + 0.05 * near + 0.05 * fit + 0.05 * tried
        power = 1.0 if values["model"] == "large" else 0.8
        return power * (0.1 + 0.5 * fit * near + 0.25 * fit + 0.15 * tried)

    return truth


def knobs(seed: int) -> Problem:
    """Return twelve knobs of all types, of which three matter."""
    rng = Random(f"knobs/{seed}")
    texts = ("a", "b", "c", "d")
    kinds = (ta.Choice(texts), ta.Number(0, 1), ta.Number(0, 20, integer=True))
    space = started_anywhere(
        ta.Parameters(
            ta.Parameter(f"knob{i}", ("a", 0.5, 10)[i % 3], kinds[i % 3]) for i in range(12)
        ),
        rng,
    )
    choice, line, count = (f"knob{3 * rng.randrange(4) + k}" for k in range(3))
    text, place, level = rng.choice(texts), rng.random(), rng.randint(0, 20)

    def truth(values: Values) -> float:
        near = 1 - abs(number(values, line) - place)
        return (
            0.4 * (values[choice] == text)
            + 0.3 * near
            + 0.3 * (1 - abs(number(values, count) - level) / 20)
        )

    return Problem(space, truth)


def drift(seed: int) -> Problem:
    """Return the mixed agent whose optimum moves half way."""
    first, second = agent()(seed), agent()(seed + 100_000)
    return Problem(first.parameters, first.truth, moved=second.truth)
